"""One message in the reader."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from mailhost.store import flags, verdict
from mailhost.store.gate import gate
from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo
from mailhost.webmail import composing, door, letters, trust
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.views import page

READER = "webmail/reader/message.html"


@require_safe
@signed_in
def show(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Show a message; a draft opens where it is written on."""
    folder, listed = door.message(request.user, account_id, folder_id, uid)
    if listed.flags & flags.DRAFT and not request.GET.get("read"):
        draft = letters.Where(account_id, folder_id, uid).text
        return redirect(f"{reverse('webmail:compose')}?draft={draft}")
    context = reading(request, folder, listed)
    if request.htmx.target == "reader":
        return render(request, READER, context)
    return page.whole(request, folder, reader=READER, pane="reader", **context)


def reading(request: Request, folder: FolderInfo, listed: Listed) -> dict[str, Any]:
    """Return what the reader shows of a message."""
    content_id, root = letters.structure(folder.id, listed.uid)
    bodies = [
        (body, composing.readable(body.text, part) if part else body.text)
        for body in letters.bodies(content_id, root)
        for part in [root.find(body.section)]
    ]
    return {
        "row": letters.row(folder, listed),
        "listed": listed,
        "people": {
            name: letters.people(listed, name) for name in ("from", "to", "cc", "bcc")
        },
        "trust": trust.of(
            gate.read_sync(verdict.of_message, folder.account_id, listed.email_id)
        ),
        "bodies": bodies,
        "files": letters.files(root),
        "current": folder,
        "images": bool(request.GET.get("images")),
        "has_html": any(body.is_html for body, _ in bodies),
        "targets": _targets(request, folder),
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
