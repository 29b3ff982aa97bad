"""What is done with messages: flags, moving, deleting; one or many at once."""

import json
from collections.abc import Callable, Sequence

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from mailhost.store import change, flags
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo
from mailhost.webmail import door, sending
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.views import message, page
from mailhost.webmail.views.page import number

MOST_AT_ONCE = 1000  # messages

# action -> (store function, flag bits, right it takes)
MARKS: dict[str, tuple[Callable[..., object], int, str]] = {
    "read": (change.add_flags, flags.SEEN, "s"),
    "unread": (change.remove_flags, flags.SEEN, "s"),
    "flag": (change.add_flags, flags.FLAGGED, "w"),
    "unflag": (change.remove_flags, flags.FLAGGED, "w"),
}
# action -> (role, name of the folder if it has to be made)
MOVES = {
    "archive": ("archive", "Archive"),
    "junk": ("junk", "Junk"),
    "notjunk": ("inbox", "INBOX"),
    "delete": ("trash", "Trash"),
}


@require_POST
@signed_in
def act(request: Request, account_id: int, folder_id: int) -> HttpResponse:
    """Do `action` with the messages `uid`; the page then asks for its list again."""
    folder = door.folder(request.user, account_id, folder_id)
    action = request.POST.get("action", "")
    given = [number(text) for text in request.POST.getlist("uid")[:MOST_AT_ONCE]]
    uids = sorted({uid for uid in given if uid})
    if not uids:
        return door.told(_("Select messages first."), 409)
    if action in MARKS:
        text = _mark(folder, uids, action)
    elif action in MOVES or action == "move":
        text = _move(request, folder, uids, action)
    else:
        raise Http404
    return _answer(request, folder, uids, action, text)


def _require(folder: FolderInfo, needed: str) -> None:
    if not set(needed) <= set(folder.rights):
        raise PermissionDenied


def _mark(folder: FolderInfo, uids: Sequence[int], action: str) -> str:
    function, bits, right = MARKS[action]
    _require(folder, right)
    gate.write_sync(
        [folder.account_id],
        lambda: function(folder.account_id, folder.id, uids, bits),
    )
    return ""


def _move(
    request: Request, folder: FolderInfo, uids: Sequence[int], action: str
) -> str:
    _require(folder, "te")
    if action == "delete" and folder.role == "trash":
        gate.write_sync(
            [folder.account_id],
            lambda: change.expunge(folder.account_id, folder.id, uids, force=True),
        )
        count = len(uids)
        return ngettext("%d message deleted.", "%d messages deleted.", count) % count
    to_id = _target(request, folder, action)
    if to_id != folder.id:
        gate.write_sync(
            [folder.account_id],
            lambda: change.move(
                folder.account_id, folder.id, uids, folder.account_id, to_id
            ),
        )
    count = len(uids)
    return ngettext("%d message moved.", "%d messages moved.", count) % count


def _target(request: Request, folder: FolderInfo, action: str) -> int:
    """Return the folder to move to, which the user may put messages into."""
    account_id = folder.account_id
    if action == "move":
        to_id = number(request.POST.get("to"))
        if not to_id:
            raise Http404
        return door.folder(request.user, account_id, to_id, "li").id
    role, name = MOVES[action]
    found = gate.write_sync([account_id], sending.with_role, account_id, role, name)
    return door.folder(request.user, account_id, found.id, "li").id


def _answer(
    request: Request, folder: FolderInfo, uids: Sequence[int], action: str, text: str
) -> HttpResponse:
    """Tell the page; the reader that asked gets what it shows next."""
    if not request.htmx:
        return redirect("webmail:folder", folder.account_id, folder.id)
    if request.htmx.target != "reader":
        response = HttpResponse(status=204)
    elif action in {"flag", "unflag", "read"}:
        _, listed = door.message(request.user, folder.account_id, folder.id, uids[0])
        response = render(
            request, message.READER, message.reading(request, folder, listed)
        )
    else:
        response = render(request, page.EMPTY_READER, {"current": folder})
    told: dict[str, object] = {"mailchanged": "", "mailacted": {"action": action}}
    if text:
        told["mailnotice"] = text
    if action in MOVES or action == "move":
        told["mailgone"] = {"uids": list(uids)}
    response["HX-Trigger"] = json.dumps(told)
    return response
