"""What is done with messages: one or many at once, and undone."""

import json

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mailhost.store.values import FolderInfo
from mailhost.webmail import acting, door, labels, mutes, picking, snoozes, undoing
from mailhost.webmail.acting import Deed, Mark
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.picking import Picked

STAYS = frozenset((*acting.MARKS, "label", "unlabel", "unmute"))


class Refused(Exception):
    """What was asked cannot be done; the text is told."""


@require_POST
@signed_in
def act(request: Request) -> HttpResponse:
    """Do `action` with the messages of the form; the page then asks for its list."""
    action = request.POST.get("action", "")
    found = picking.picked(request)
    if not any(one.uids for one in found):
        return door.told(_("Select messages first."), 409)
    try:
        deed = _done(request, action, found)
    except Refused as error:
        return door.told(str(error), 409)
    told: dict[str, object] = {"mailchanged": ""}
    number = None
    if not request.POST.get("quiet"):  # what nobody pressed closes no menu
        number = undoing.keep(request.user, deed.steps)
        told["mailacted"] = {"action": action}
    if deed.text:
        told["mailnotice"] = {"text": deed.text, "undo": number}
    if action not in STAYS:
        told["mailgone"] = {"m": _named(request)}
    return _answer(request, found[0].folder, told)


def _done(request: Request, action: str, found: list[Picked]) -> Deed:
    if action in acting.MARKS:
        return acting.mark(found, acting.MARKS[action])
    if action in MUTES or action.startswith("snooze"):
        return _put_aside(request, action, found)
    if action in {"label", "unlabel"}:
        word = request.POST.get("label", "").lower()
        if not labels.ATOM.match(word):
            raise Http404
        return acting.mark(found, Mark(action == "label", 0, (word,), "w"))
    if action == "move":
        to = door.folder_named(request.user, request.POST.get("to", ""), "li")
        return acting.move(request.user, found, action, to)
    if action == "delete" and all(one.folder.role == "trash" for one in found):
        return acting.remove(found)
    if action in acting.MOVES:
        return acting.move(request.user, found, action)
    raise Http404


MUTES = {"mute": mutes.mute, "unmute": mutes.unmute}


def _put_aside(request: Request, action: str, found: list[Picked]) -> Deed:
    """Mute, or put away: until `until`, or as the offer in `snooze:…` says."""
    if action in MUTES:
        return MUTES[action](request.user, found)
    key = action.partition(":")[2]
    until = snoozes.read(key or request.POST.get("until", ""))
    if until is None:
        raise Refused(_("Choose a time that is still to come."))
    deed = acting.put_away(found, until)
    when = formats.date_format(timezone.localtime(until), "D j M, H:i")
    deed.text = _("Put away until %s.") % when
    return deed


def _named(request: Request) -> list[str]:
    """Return the rows that are gone; of all that match the page asks anew."""
    return [] if request.POST.get("all") else request.POST.getlist("m")[:1000]


@require_POST
@signed_in
def undo(request: Request, number: int) -> HttpResponse:
    """Reverse what was done."""
    deed = undoing.undo(request.user, number)
    told: dict[str, object] = {"mailchanged": "", "mailnotice": {"text": deed.text}}
    if request.htmx:
        return _answer(request, None, told)
    return redirect("webmail:home")


def _answer(
    request: Request, folder: FolderInfo | None, told: dict[str, object]
) -> HttpResponse:
    if not request.htmx and folder is not None:
        return redirect("webmail:folder", folder.account_id, folder.id)
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps(told)
    return response
