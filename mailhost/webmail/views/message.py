"""A message, or its conversation, in the reader."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from mailhost.store import flags
from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, labels, letters, reading
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.searching.grammar import LONGEST
from mailhost.webmail.views import page

READER = "webmail/reader/conversation.html"
SWAPPED = "webmail/reader/swapped.html"  # with the page's title
OLDER = "webmail/reader/letters.html"


@require_safe
@signed_in
def show(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Show a conversation; a draft by itself opens where it is written on.

    ?older= asks for letters before those that are shown.
    """
    folder, listed = door.message(request.user, account_id, folder_id, uid)
    if listed.flags & flags.DRAFT and folder.role == "drafts":
        draft = letters.Where(account_id, folder_id, uid).text
        return redirect(f"{reverse('webmail:compose')}?draft={draft}")
    context = reads(request, folder, listed)
    if request.htmx.target == "older":
        return render(request, OLDER, context)
    if request.htmx.target == "reader":
        return render(request, SWAPPED, context)
    return page.whole(request, folder, reader=READER, pane="reader", **context)


def reads(request: Request, folder: FolderInfo, listed: Listed) -> dict[str, Any]:
    """Return what the reader shows."""
    return {
        "conversation": reading.conversation(
            page.viewer(request, images=request.GET.get("images") == "1"),
            folder,
            listed,
            skipped=page.number(request.GET.get("older")) or 0,
        ),
        "current": folder,
        "found_by": request.GET.get("q", "")[:LONGEST],
        "preferences": page.preferences(request),
        "targets": _targets(request, folder),
        "labels": labels.known(request.user, folder.account_id).values(),
    }


def _targets(request: Request, folder: FolderInfo) -> list[FolderInfo]:
    """Return the folders a message of this one may be moved to."""
    return [
        other
        for one in door.accounts(request.user)
        if one.account.id == folder.account_id
        for other in one.folders
        if other.id != folder.id and "i" in other.rights
    ]
