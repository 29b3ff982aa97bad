"""Writing: a new message, an answer, a forward, a draft; sending and saving."""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mailhost.mime.build import Attachment
from mailhost.store.errors import StoreError
from mailhost.webmail import composing, door, sending
from mailhost.webmail.composing import Kept, Start, Written
from mailhost.webmail.door import Request, signed_in
from mailhost.webmail.forms import ComposeForm
from mailhost.webmail.letters import Where
from mailhost.webmail.views import page

READER = "webmail/reader/compose.html"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def compose(request: Request) -> HttpResponse:
    """Show the form; POST with action=send or action=draft."""
    own = door.own_addresses(request.user)
    if request.method != "POST":
        start = _start(request, own)
        return _form(request, ComposeForm(own, initial=start.fields), start.kept)
    form = ComposeForm(own, request.POST, request.FILES)
    kept = _kept(request)
    if form.is_valid() and _is_too_large(form, kept):
        form.add_error("attached", _("The files are too large to send."))
    if form.errors:
        return _form(request, form, kept)
    if request.POST.get("action") == "draft":
        return _save(request, form, kept, own)
    return _send(request, form, kept)


def _start(request: Request, own: list[str]) -> Start:
    asked = request.GET
    for kind in ("draft", *composing.KINDS):
        if kind in asked:
            where = _where(request, asked[kind])
            if where is None:
                raise Http404
            _folder, listed = door.message(request.user, *where)
            if kind == "draft":
                return composing.resume(listed, where)
            return composing.answer(listed, where, kind, own)
    return Start({"to": asked.get("to", "")[:1000], "sender": own[0] if own else ""})


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
    origin = Where.read(data["origin"])
    in_reply_to, references = "", tuple[str, ...]()
    if origin is not None:
        door.message(request.user, *origin)
        in_reply_to, references = composing.thread(origin)
    if data["kind"] == "forward":
        in_reply_to = ""
    return Written(
        composing.sender(request.user, data["sender"]),
        data["to"],
        data["cc"],
        data["bcc"],
        data["subject"],
        data["text"].replace("\r\n", "\n"),
        _attachments(form, kept),
        in_reply_to,
        references,
        composing.new_message_id(data["sender"]),
    )


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
    return size * 37 // 27 + len(data["text"]) > most


def _send(request: Request, form: ComposeForm, kept: list[Kept]) -> HttpResponse:
    data = form.cleaned_data
    if not (data["to"] or data["cc"] or data["bcc"]):
        form.add_error("to", _("Whom shall it go to?"))
        return _form(request, form, kept)
    written = _written(request, form, kept)
    try:
        sent = sending.send(
            request.user, written, peer=request.META.get("REMOTE_ADDR", "")
        )
    except sending.NotSent as error:
        form.add_error(None, _("It was not sent. %s") % error)
        return _form(request, form, kept)
    _settle(request, data)
    text = _("Message sent.")
    if sent.refused:
        text = _("Sent, but not to %s") % ", ".join(
            f"{a}: {w}" for a, w in sent.refused
        )
    elif not sent.is_kept:
        text = _("Sent. No copy was kept: the account is full.")
    return _done(request, text)


def _settle(request: Request, data: dict[str, Any]) -> None:
    """Remove the draft that was sent, and mark what was answered."""
    draft, origin = Where.read(data["draft"]), Where.read(data["origin"])
    if draft is not None:
        _drop(request, draft)
    if origin is not None:
        folder, _listed = door.message(request.user, *origin)
        if "w" in folder.rights:
            sending.mark_origin(origin, data["kind"])


def _drop(request: Request, draft: Where) -> None:
    folder, listed = door.message(request.user, *draft)
    if folder.role == "drafts" and set("te") <= set(folder.rights):
        sending.drop_draft(Where(folder.account_id, folder.id, listed.uid))


def _save(
    request: Request, form: ComposeForm, kept: list[Kept], own: list[str]
) -> HttpResponse:
    old = Where.read(form.cleaned_data["draft"])
    try:
        draft = sending.save_draft(request.user, _written(request, form, kept))
    except (StoreError, sending.NotSent) as error:
        form.add_error(None, str(error))
        return _form(request, form, kept)
    if old is not None:
        _drop(request, old)
    _folder, listed = door.message(request.user, *draft)
    start = composing.resume(listed, draft)
    fields = start.fields | {
        name: form.cleaned_data[name] for name in ("origin", "kind")
    }
    response = _form(request, ComposeForm(own, initial=fields), start.kept)
    response["HX-Trigger"] = json.dumps(
        {"mailchanged": "", "mailnotice": _("Draft saved.")}
    )
    return response


def _done(request: Request, text: str) -> HttpResponse:
    inbox = page.inbox(request)
    if not request.htmx or inbox is None:
        return redirect("webmail:home")
    response = render(request, page.EMPTY_READER, {"current": inbox})
    response["HX-Trigger"] = json.dumps(
        {"mailchanged": "", "mailnotice": {"text": text}, "mailgone": {"m": []}}
    )
    return response


def _form(request: Request, form: ComposeForm, kept: Any) -> HttpResponse:
    context = {"form": form, "kept": kept}
    if request.htmx.target == "reader":
        return render(request, READER, context)
    inbox = page.inbox(request)
    if inbox is None:
        return redirect("webmail:home")
    return page.whole(request, inbox, reader=READER, pane="reader", **context)
