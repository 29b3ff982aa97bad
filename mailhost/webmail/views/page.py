"""The whole page: folder pane, list, reader. Partials are the same templates."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from mailhost.store import quota, retention
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, labels, places, preferring, rows, teams
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.models import SavedSearch
from mailhost.webmail.reading import Viewer
from mailhost.webmail.rows import PAGE, Row
from mailhost.webmail.searching import asking
from mailhost.webmail.searching.grammar import LONGEST

EMPTY_READER = "webmail/reader/empty.html"


@dataclass(frozen=True, slots=True)
class Listing:
    """The middle pane: a folder, or with `query` what a search found."""

    folder: FolderInfo
    rows: list[Row]
    left: str | None  # what the next page is asked with
    threaded: bool = False
    show: str = ""
    query: str = ""
    words: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where this list is asked for again."""
        return self._url({})

    @property
    def more(self) -> str:
        """Where the next page is."""
        return self._url({"before": self.left})

    @property
    def carried(self) -> str:
        """What a message's address has behind it, so that its hits are set off."""
        return f"?{urlencode({'q': self.query})}" if self.query else ""

    def _url(self, more: dict[str, str | None]) -> str:
        path = folder_url(self.folder)
        asked: dict[str, str | None] = {"show": self.show} if self.show else {}
        if self.query:
            path, asked = reverse("webmail:search"), {"q": self.query}
            asked["from"] = f"{self.folder.account_id}.{self.folder.id}"
        query = urlencode(asked | more)
        return f"{path}?{query}" if query else path


def folder_url(folder: FolderInfo) -> str:
    """Return where a folder's list is."""
    return reverse("webmail:folder", args=[folder.account_id, folder.id])


def number(text: str | None) -> int | None:
    """Return a positive number of a query string, or None."""
    is_number = text and text.isascii() and text.isdigit() and len(text) <= 18
    return int(text) if text and is_number else None


def listing(request: Request, folder: FolderInfo) -> Listing:
    """Return the list of a folder, as the query string asks."""
    asked = request.GET
    show = asked.get("show", "")
    show = show if show in rows.SHOWS else ""
    threaded = preferences(request).threaded
    found, left = rows.page(
        request.user,
        folder,
        threaded=threaded,
        show=show,
        before=places.read(asked.get("before")),
        limit=_limit(request),
    )
    return Listing(folder, found, places.written(left), threaded, show)


def hits(request: Request, folder: FolderInfo, query: str) -> Listing:
    """Return what a search finds."""
    found = asking.page(
        request.user, query, before=request.GET.get("before"), limit=_limit(request)
    )
    return Listing(folder, found.rows, found.left, query=query, words=found.words)


def _limit(request: Request) -> int:
    """Return how many rows are asked for: a page, or all that were shown before."""
    if "before" in request.GET:
        return PAGE
    shown = number(request.GET.get("shown")) or PAGE
    return max(PAGE, min(shown, rows.MOST_SHOWN))


def preferences(request: Request) -> Any:
    """Return the user's preferences, read once in a request."""
    if not hasattr(request, "mail_preferences"):
        request.mail_preferences = preferring.of(request.user)  # type: ignore[attr-defined]
    return request.mail_preferences  # type: ignore[attr-defined]


def viewer(request: Request, *, images: bool = False) -> Viewer:
    """Return who looks at letters."""
    query = request.GET.get("q", "")[:LONGEST]
    return Viewer(request.user, preferences(request), images, query)


def noticed(response: HttpResponse, text: str, **more: object) -> HttpResponse:
    """Return the response with something to be told."""
    response["HX-Trigger"] = json.dumps({"mailnotice": {"text": text}} | more)
    return response


def whole(
    request: Request,
    folder: FolderInfo,
    *,
    reader: str = EMPTY_READER,
    pane: str = "list",
    **context: Any,
) -> HttpResponse:
    """Render the whole page with `reader` in its right pane."""
    shown = context.get("listing") or listing(request, folder)
    context |= side(request, folder, shown.query)
    context |= {
        "listing": shown,
        "preferences": preferences(request),
        "reader": reader,
        "pane": pane,
    }
    return render(request, "webmail/page.html", context)


def whole_or_list(
    request: Request, folder: FolderInfo, listing: Listing
) -> HttpResponse:
    """Render the whole page; where one is open, its list and folders alone."""
    if request.htmx.target != "list" or request.htmx.history_restore_request:
        return whole(request, folder, listing=listing)
    context = side(request, folder, listing.query) | {
        "listing": listing,
        "preferences": preferences(request),
    }
    return render(request, "webmail/list/swapped.html", context)


def side(request: Request, folder: FolderInfo, query: str) -> dict[str, Any]:
    """Return what the folder pane shows."""
    return {
        "accounts": door.accounts(request.user),
        "current": folder,
        "query": query,
        "searches": SavedSearch.objects.filter(user=request.user).order_by("name"),
        "labels": labels.known(request.user, folder.account_id).values(),
        "is_team": teams.is_team(request.user, folder.account_id),
        "usage": _usage(folder.account_id),
        "kept_days": _kept_days(folder),
    }


def _usage(account_id: int) -> dict[str, int] | None:
    """Return what an account holds, where there is a limit."""
    found = gate.read_sync(quota.usage, account_id)
    if not found.most_bytes:
        return None
    part = min(100, 100 * found.bytes // found.most_bytes)
    return {"used": found.bytes, "most": found.most_bytes, "percent": part}


def _kept_days(folder: FolderInfo) -> int | None:
    """Return for how many days Trash or Junk keeps mail, 0: for ever; None: others."""
    if folder.role not in retention.ROLES:
        return None
    return gate.read_sync(retention.days_of, folder.account_id)[folder.role]


def inbox(request: Request) -> FolderInfo | None:
    """Return the first folder the user may read: their INBOX."""
    for one in door.accounts(request.user):
        for folder in one.folders:
            if "r" in folder.rights:
                return folder
    return None


@require_safe
@signed_in
def keyboard(request: Request) -> HttpResponse:
    """Show what the keys do."""
    context = {"preferences": preferences(request)}
    return render(request, "webmail/keyboard.html", context)
