"""The whole page: folder pane, list, reader. Partials are the same templates."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from mailhost.store.values import FolderInfo
from mailhost.webmail import door, finding, letters
from mailhost.webmail.door import AccountFolders, Request
from mailhost.webmail.letters import PAGE, Row

# What may be done with messages; the buttons of the toolbars.
EMPTY_READER = "webmail/reader/empty.html"


@dataclass(frozen=True, slots=True)
class Listing:
    """The middle pane."""

    folder: FolderInfo
    rows: list[Row]
    next_before: int | None
    query: str
    everywhere: bool

    @property
    def url(self) -> str:
        """Where this list is asked for again."""
        path = reverse("webmail:folder", args=[self.folder.account_id, self.folder.id])
        asked = {"q": self.query} | ({"all": "1"} if self.everywhere else {})
        return f"{path}?{urlencode(asked)}" if self.query else path


def number(text: str | None) -> int | None:
    """Return a positive number of a query string, or None."""
    is_number = text and text.isascii() and text.isdigit() and len(text) <= 18
    return int(text) if text and is_number else None


def listing(
    request: Request, folder: FolderInfo, accounts: list[AccountFolders]
) -> Listing:
    """Return what the list shows of a folder, as the query string asks."""
    asked = request.GET
    query = asked.get("q", "").strip()
    everywhere = bool(asked.get("all"))
    if query:
        where = [folder]
        if everywhere:
            where = [f for a in accounts for f in a.folders if "r" in f.rights]
        return Listing(folder, finding.find(where, query), None, query, everywhere)
    before, down_to = number(asked.get("before")), number(asked.get("down_to"))
    rows = letters.page(folder, before, down_to)
    is_more = len(rows) >= PAGE
    return Listing(folder, rows, rows[-1].where.uid if is_more else None, "", False)


def whole(
    request: Request,
    folder: FolderInfo,
    *,
    reader: str = EMPTY_READER,
    pane: str = "list",
    **context: Any,
) -> HttpResponse:
    """Render the whole page with `reader` in its right pane."""
    accounts = door.accounts(request.user)
    context |= {
        "accounts": accounts,
        "listing": listing(request, folder, accounts),
        "current": folder,
        "reader": reader,
        "pane": pane,
    }
    return render(request, "webmail/page.html", context)


def inbox(request: Request) -> FolderInfo | None:
    """Return the first folder the user may read: their INBOX."""
    for one in door.accounts(request.user):
        for folder in one.folders:
            if "r" in folder.rights:
                return folder
    return None
