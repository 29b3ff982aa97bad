"""Invitations are answered from the letter they came with."""

import json

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mailhost.webmail import door, letters, sending
from mailhost.webmail.calendars import answering, cards
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.letters import Where
from mailhost.webmail.views.letter import letter_again


@require_POST
@signed_in
def answer(request: Request, account_id: int, folder_id: int, uid: int) -> HttpResponse:
    """Accept, accept perhaps or decline: `answer`, with a `comment` if there is one."""
    where = Where(account_id, folder_id, uid)
    folder, listed = door.message(request.user, *where)
    given = request.POST.get("answer", "")
    content_id, root = letters.structure(folder_id, uid)
    found = cards.meeting_in(content_id, root)
    if found is None or given not in cards.ANSWERS:
        raise Http404
    card = cards.card(request.user, folder, listed, found)
    if not card.asks:
        return door.told(_("This invitation cannot be answered any more."), 409)
    comment, peer = request.POST.get("comment", ""), request.META.get("REMOTE_ADDR", "")
    try:
        memory = cards.remembers(request.user, account_id)
        answering.answer(request.user, memory, card, given, comment, peer)
    except sending.NotSent as error:
        return door.told(_("It was not sent. %s") % error, 409)
    if "w" in folder.rights:
        sending.mark_origin(where, "reply")
    if not request.htmx:
        return redirect("webmail:message", *where)
    response = letter_again(request, where)
    told = {"mailchanged": "", "mailnotice": {"text": _("Your answer was sent.")}}
    response["HX-Trigger"] = json.dumps(told)
    return response
