"""Writing: a new message, an answer, a forward, a draft; sending and saving."""

import contextlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from mailhost import delivery
from mailhost.delivery import scheduled
from mailhost.mime.addresses import Address
from mailhost.mime.build import Attachment
from mailhost.mime.html import to_text
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from mailhost.webmail import (
    addressbook,
    composing,
    continuing,
    door,
    identities,
    people,
    quoting,
    refusals,
    reminders,
    sending,
    teams,
    writing,
)
from mailhost.webmail.composing import Kept, Start, Written
from mailhost.webmail.continuing import Chain
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.forms import ComposeForm
from mailhost.webmail.letters import Where
from mailhost.webmail.models import Contact
from mailhost.webmail.sending import Sent
from mailhost.webmail.views import page, templating

READER = "webmail/reader/compose.html"
FILES = "webmail/reader/attach.html"
WAITING = "webmail/reader/waiting.html"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def compose(request: Request) -> HttpResponse:
    """Show the form; POST with action=send or action=draft."""
    if request.method != "POST":
        start = _start(request)
        plain = {"plain": "1" if page.preferences(request).plain else ""}
        return _form(request, _blank(request, plain | start.fields), start.kept)
    form = ComposeForm(_choices(request), request.POST, request.FILES)
    kept = _kept(request)
    if form.is_valid() and _is_too_large(form, kept):
        form.add_error("attached", _("The files are too large to send."))
    if form.errors:
        return _form(request, form, kept)
    if request.POST.get("action") == "template":
        return templating.kept(request, form.cleaned_data)
    if request.POST.get("action") == "draft":
        if request.POST.get("auto"):
            return _autosave(request, form, kept)
        return _save(request, form, kept)
    return _send(request, form, kept)


def _choices(request: Request) -> list[tuple[str, str]]:
    found = identities.senders(request.user)
    return [(one.address, one.label) for one in found]


def _blank(request: Request, fields: dict[str, str]) -> ComposeForm:
    return ComposeForm(_choices(request), initial=fields)


def _start(request: Request) -> Start:
    asked, user = request.GET, request.user
    below = page.preferences(request).answers_below
    for kind in ("draft", *composing.KINDS):
        if kind in asked:
            where = _where(request, asked[kind])
            if where is None:
                raise Http404
            _folder, listed = door.message(user, *where)
            if kind == "draft":
                return composing.resume(user, listed, where)
            found = composing.answer(user, listed, where, kind, below=below)
            sender = identities.of(user, found.fields["sender"])
            return found.signed(sender, below=below and kind != "forward")
    fields = {name: asked.get(name, "")[:1000] for name in ("to", "subject")}
    if "template" in asked:
        fields |= templating.fields(request)
    senders = identities.senders(user)
    if not senders:
        return Start(fields)
    start = Start(fields | {"sender": senders[0].address})
    return start.signed(senders[0], below="template" in asked)


def _where(request: Request, text: str) -> Where | None:
    """Return the message a form names, if the user may read it; Http404 if not."""
    where = Where.read(text)
    if where is not None:
        door.message(request.user, *where)
    return where


def _kept(request: Request) -> list[Kept]:
    """Return the parts of other messages that stay ticked; rights are looked at."""
    wanted: dict[Where, set[str]] = {}
    for value in request.POST.getlist("kept")[: composing.MOST_KEPT]:
        numbers = value.split(".", 3)
        where = Where.read(".".join(numbers[:3]))
        if where is not None and len(numbers) == 4:
            wanted.setdefault(where, set()).add(numbers[3])
    found: list[Kept] = []
    for where, sections in wanted.items():
        door.message(request.user, *where)
        found += composing.kept_of(where, sections)
    return found


def _written(request: Request, form: ComposeForm, kept: list[Kept]) -> Written:
    data = form.cleaned_data
    chain = _chain(request, data)
    sender = identities.of(request.user, data["sender"])
    html = writing.Html("", [])
    text = data["text"].replace("\r\n", "\n")
    if data["html"] and not data["plain"]:
        html = writing.cleaned(request.user, data["html"])
        text = to_text(html.text)
    return Written(
        sender.mailbox,
        data["to"],
        data["cc"],
        data["bcc"],
        data["subject"],
        text,
        [*html.pictures, *_attachments(form, kept)],
        chain.in_reply_to,
        chain.references,
        composing.new_message_id(data["sender"]),
        html.text,
        data["importance"],
        data["receipt"],
        sender.answers_to,
        chain.forwards,
    )


def _chain(request: Request, data: dict[str, Any]) -> Chain:
    """Return what the message belongs to: as chosen, else as the draft has it."""
    origin, draft = Where.read(data["origin"]), Where.read(data["draft"])
    if origin is not None:
        door.message(request.user, *origin)
        return continuing.of_origin(origin, data["kind"])
    if draft is None:
        return Chain()
    try:
        door.message(request.user, *draft)
    except Http404:  # another window has saved it anew
        return Chain()
    return continuing.of_draft(continuing.header_of(draft))


def _attachments(form: ComposeForm, kept: list[Kept]) -> list[Attachment]:
    given = form.cleaned_data["attached"]
    new = [(file.name or "", file.content_type or "", file.read()) for file in given]
    return [*composing.taken_over(kept), *composing.uploaded(new)]


def _is_too_large(form: ComposeForm, kept: list[Kept]) -> bool:
    """Tell whether the message would be refused; before a file is read."""
    data = form.cleaned_data
    size: int = sum(file.size for file in data["attached"])
    size += sum(one.file.size for one in kept)
    # base64 makes three octets four, and line ends come on top.
    most: int = settings.MAILHOST_MAX_MESSAGE_BYTES
    return size * 37 // 27 + len(data["text"]) + len(data["html"]) > most


def _send(request: Request, form: ComposeForm, kept: list[Kept]) -> HttpResponse:
    data = form.cleaned_data
    if not (data["to"] or data["cc"] or data["bcc"]):
        form.add_error("to", _("Whom shall it go to?"))
        return _form(request, form, kept)
    written = _written(request, form, kept)
    later = data["later"]
    seconds = page.preferences(request).undo_seconds
    if later and later <= timezone.now():
        form.add_error("later", _("This time is over."))
        return _form(request, form, kept)
    due = later or (timezone.now() + timedelta(seconds=seconds))
    try:
        # First: what is sent and then forgotten would be missed.
        reminders.after(request.user, written, data["remind"] or 0, due)
        sent = sending.send(
            request.user,
            written,
            peer=request.META.get("REMOTE_ADDR", ""),
            due=due,
            waits=bool(later or seconds),
        )
    except sending.NotSent as error:
        reminders.call_off(request.user, written)
        form.add_error(None, _("It was not sent. %s") % error)
        return _form(request, form, kept)
    _settle(request, data)
    people.wrote_to(request.user, [*data["to"], *data["cc"], *data["bcc"]])
    return _done(request, _told(sent, later), sent.scheduled)


def _told(sent: Sent, later: datetime | None) -> str:
    if later:
        when = formats.date_format(timezone.localtime(later), "DATETIME_FORMAT")
        return _("It will be sent on %s.") % when
    if sent.refused:
        refused = (f"{address}: {why}" for address, why in sent.refused)
        return _("Sent, but not to %s") % ", ".join(refused)
    if not sent.is_kept:
        return _("Sent. No copy was kept: the account is full.")
    return _("Message sent.")


def _settle(request: Request, data: dict[str, Any]) -> None:
    """Remove the draft that was sent, and mark what was answered."""
    draft, origin = Where.read(data["draft"]), Where.read(data["origin"])
    if draft is not None:
        _drop(request, draft)
    if origin is not None:
        folder, listed = door.message(request.user, *origin)
        if data["kind"] != "forward":
            teams.answered(request.user, folder, listed)
        if "w" in folder.rights:
            sending.mark_origin(origin, data["kind"])


def _drop(request: Request, draft: Where) -> None:
    folder, listed = door.message(request.user, *draft)
    if folder.role == "drafts" and set("te") <= set(folder.rights):
        sending.drop_draft(Where(folder.account_id, folder.id, listed.uid))


def _save(request: Request, form: ComposeForm, kept: list[Kept]) -> HttpResponse:
    old = Where.read(form.cleaned_data["draft"])
    try:
        draft = sending.save_draft(request.user, _written(request, form, kept))
    except (StoreError, sending.NotSent) as error:
        form.add_error(None, _why(error))
        return _form(request, form, kept)
    if old is not None:
        _drop(request, old)
    _folder, listed = door.message(request.user, *draft)
    start = composing.resume(request.user, listed, draft)
    fields = start.fields | {"remind": str(form.cleaned_data["remind"] or "")}
    response = _form(request, _blank(request, fields), start.kept)
    response["HX-Trigger"] = json.dumps(
        {"mailchanged": "", "mailnotice": _("Draft saved.")}
    )
    return response


def _why(error: Exception) -> str:
    return refusals.in_words(error) if isinstance(error, StoreError) else str(error)


def _autosave(request: Request, form: ComposeForm, kept: list[Kept]) -> HttpResponse:
    """Save what is written so far; tell the page where it is, and its files."""
    old = Where.read(form.cleaned_data["draft"])
    try:
        draft = sending.save_draft(request.user, _written(request, form, kept))
    except (StoreError, sending.NotSent) as error:
        return door.told(_why(error), 409)
    if old is not None:
        with contextlib.suppress(Http404):  # another window has moved it
            _drop(request, old)
    _folder, listed = door.message(request.user, *draft)
    start = composing.resume(request.user, listed, draft)
    response = render(request, FILES, {"kept": start.kept, "form": form})
    response["X-Draft"] = draft.text
    return response


@require_POST
@signed_in
def unsend(request: Request, number: int) -> HttpResponse:
    """Call a message off that waits to be sent, and go on writing it."""
    recalled = delivery.cancel_sync(request.user.pk, number)
    if recalled is None:
        return door.told(_("It is too late: the message is on its way."), 404)
    draft = sending.keep_draft(request.user, recalled)
    reminders.recalled(request.user, recalled)
    address = f"{reverse('webmail:compose')}?draft={draft.text}"
    if not request.htmx:
        return redirect(address)
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"mailopen": {"url": address}})
    return response


@require_safe
@signed_in
def waiting(request: Request) -> HttpResponse:
    """Show what waits to be sent."""
    context = {"waiting": gate.read_sync(scheduled.waiting, request.user.pk)}
    if request.htmx.target == "reader":
        return render(request, WAITING, context)
    inbox = page.inbox(request)
    if inbox is None:
        return redirect("webmail:home")
    return page.whole(request, inbox, reader=WAITING, pane="reader", **context)


@require_safe
@signed_in
def complete(request: Request) -> HttpResponse:
    """Show whom ?q= may mean."""
    found = people.complete(request.user, request.GET.get("q", "")[:100])
    spelled = [quoting.spelled([_address(one)]) for one in found]
    shown = addressbook.complete(request.user, request.GET.get("q", "")[:100])
    shown += [(one, one) for one in spelled]
    return render(request, "webmail/reader/people.html", {"found": shown})


def _address(contact: Contact) -> Address:
    local, _at, host = contact.address.rpartition("@")
    return Address(contact.name, local, host)


def _done(request: Request, text: str, number: int | None = None) -> HttpResponse:
    inbox = page.inbox(request)
    if not request.htmx or inbox is None:
        return redirect("webmail:home")
    response = render(request, page.EMPTY_READER, {"current": inbox})
    response["HX-Trigger"] = json.dumps(
        {
            "mailchanged": "",
            "mailnotice": {"text": text, "unsend": number},
            "mailgone": {"m": []},
        }
    )
    return response


def signatures(request: Request) -> dict[str, dict[str, str]]:
    """Return the signature of each sender, for the form to change it."""
    return {
        one.address: {"html": one.signature, "text": one.text}
        for one in identities.senders(request.user)
    }


def _form(request: Request, form: ComposeForm, kept: Any) -> HttpResponse:
    context = {
        "form": form,
        "kept": kept,
        "senders": signatures(request),
        "templates": templating.of(request.user),
        "below": page.preferences(request).answers_below,
    }
    if request.htmx.target == "reader":
        return render(request, READER, context)
    inbox = page.inbox(request)
    if inbox is None:
        return redirect("webmail:home")
    return page.whole(request, inbox, reader=READER, pane="reader", **context)
