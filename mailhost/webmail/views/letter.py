"""What is done with one letter that is open: pictures, unsubscribe, block, preview."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailhost.mime.decode import text_of
from mailhost.mime.html import to_text
from mailhost.mime.message import parse
from mailhost.store import blocking, read, reminding
from mailhost.store.gate import gate
from mailhost.webmail import (
    door,
    letters,
    pictures,
    reading,
    receipts,
    reminders,
    rows,
    snoozes,
    unsubscribing,
)
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.letters import Where
from mailhost.webmail.reminders import Reminder
from mailhost.webmail.sending import NotSent
from mailhost.webmail.views import page
from mailhost.webmail.views.parts import part_of

LETTER = "webmail/reader/letter.html"
MOST_DAYS = 366
MOST_TEXT = 200_000  # characters of a preview


@require_safe
@signed_in
def show(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Show one letter of a conversation, unfolded."""
    return letter_again(request, Where(account_id, folder_id, uid))


def letter_again(request: Request, where: Where) -> HttpResponse:
    """Show a letter that something was done with."""
    return render(request, LETTER, _found(request, where))


def _found(request: Request, where: Where) -> dict[str, Any]:
    folder, listed = door.message(request.user, *where)
    makes = rows.known(request.user, where.account_id)
    asked = request.GET.get("images") == "1"
    found = reading.letter(folder, listed, makes, page.viewer(request, images=asked))
    return {"letter": found, "current": folder}


@require_POST
@signed_in
def trust(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Show pictures from elsewhere in all mail of this sender, or no longer."""
    where = Where(account_id, folder_id, uid)
    _, listed = door.message(request.user, *where)
    wanted = request.POST.get("pictures") == "1"
    pictures.want(request.user, listed.from_address, wanted=wanted)
    return letter_again(request, where)


@require_POST
@signed_in
def unsubscribe(
    request: Request, account_id: int, folder_id: int, uid: int
) -> HttpResponse:
    """Leave the list by one request. RFC 8058 §3.2."""
    door.message(request.user, account_id, folder_id, uid)
    ((header,),) = gate.read_sync(read.contents, folder_id, [uid], ("header",)).values()
    try:
        unsubscribing.leave(unsubscribing.way_of(header))
    except unsubscribing.NotDone as error:
        return door.told(str(error), 409)
    return _notice(request, _("You have left the list."))


@require_POST
@signed_in
def block(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """File mail of this sender to Junk from now on; `unblock`=1 ends it."""
    folder, listed = door.message(request.user, account_id, folder_id, uid)
    if "a" not in folder.rights:
        raise PermissionDenied
    ends = request.POST.get("unblock") == "1"
    if not listed.from_address:
        raise Http404
    function = blocking.unblock if ends else blocking.block
    gate.write_sync([account_id], function, account_id, listed.from_address)
    text = _("Mail from %s goes to Junk from now on.")
    if ends:
        text = _("Mail from %s is no longer blocked.")
    return _notice(request, text % listed.from_address)


def _notice(request: Request, text: str) -> HttpResponse:
    if not request.htmx:
        return redirect("webmail:home")
    return page.noticed(HttpResponse(status=204), text)


@require_safe
@signed_in
def preview(
    request: Request, account_id: int, folder_id: int, uid: int, section: str
) -> HttpResponse:
    """Show an attachment in a dialog: nothing of it but text is in our page."""
    where = Where(account_id, folder_id, uid)
    content_id, root, part = part_of(request, where, section)
    files = letters.files(root)
    file = next((one for one in files if one.section == section), None)
    if file is None or not file.preview:
        raise Http404
    context: dict[str, Any] = {"file": file, "where": where}
    if file.preview == "text":
        text = letters.text(content_id, part)
        text = to_text(text) if part.subtype == "html" else text
        context["text"] = text[:MOST_TEXT]
    elif file.preview == "message":
        octets = letters.octets(content_id, part)
        context |= {"inner": parse(octets), "text": _words(octets)}
    return render(request, "webmail/reader/preview.html", context)


def _words(octets: bytes) -> str:
    """Return the words of an enclosed message."""
    pieces = []
    for part in letters.shown(parse(octets).root):
        start, end = part.body
        text = text_of(octets[start:end], part)
        pieces.append(to_text(text) if part.subtype == "html" else text)
    return "\n\n".join(pieces)[:MOST_TEXT]


@require_safe
@signed_in
def printed(
    request: Request, account_id: int, folder_id: int, uid: int
) -> HttpResponse:
    """Show a letter by itself, to be printed."""
    found = _found(request, Where(account_id, folder_id, uid))
    found["preferences"] = page.preferences(request)
    return render(request, "webmail/print.html", found)


@require_POST
@signed_in
def receipt(
    request: Request, account_id: int, folder_id: int, uid: int
) -> HttpResponse:
    """Send the receipt that was asked for; `send`=0 declines it. RFC 8098 §2.1."""
    folder, listed = door.message(request.user, account_id, folder_id, uid)
    *_rest, header, _message_id = letters.opened(folder_id, uid)
    where = Where(account_id, folder_id, uid)
    asks = receipts.asked(request.user, folder, listed, header)
    if asks is None:
        raise Http404
    if request.POST.get("send") != "1":
        receipts.settle(folder, uid)
        return _settled(request, where, _("No receipt is sent."))
    try:
        receipts.give(request.user, folder, listed, asks)
    except NotSent as error:
        return door.told(str(error), 409)
    return _settled(request, where, _("The receipt was sent."))


def _settled(request: Request, where: Where, text: str) -> HttpResponse:
    if not request.htmx:
        return redirect("webmail:home")
    return page.noticed(letter_again(request, where), text)


@require_POST
@signed_in
def remind(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Let a sent message come back in `days`, or at `until`; neither calls it off."""
    folder, _listed = door.message(request.user, account_id, folder_id, uid)
    *_rest, message_id = letters.opened(folder_id, uid)
    found = reminders.of(request.user, account_id, message_id)
    if found is None or folder.role != "sent":
        raise Http404
    if not set("wi") <= set(folder.rights):
        raise PermissionDenied
    if (refused := _remind(request, found, account_id, message_id)) is not None:
        return door.told(refused, 409)
    return letter_again(request, Where(account_id, folder_id, uid))


def _remind(
    request: Request, found: Reminder, account_id: int, message_id: str
) -> str | None:
    """Do what the form says; return why not."""
    days, until = page.number(request.POST.get("days")), request.POST.get("until", "")
    due = snoozes.read(until)
    if days and days <= MOST_DAYS:
        due = timezone.now() + timedelta(days=days)
    if due is not None and found.is_answered:
        return _("It was answered already.")
    if due is None and (days or until):
        return _("Choose a time that is still to come.")
    if due is None:
        gate.write_sync([account_id], reminding.forget, account_id, message_id)
    else:
        reminders.set_(request.user, account_id, message_id, due)
    return None
