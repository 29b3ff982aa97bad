"""What a new message, an answer, a forward and a draft start with, and their octets."""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import User
from mailhost.mime.addresses import Address
from mailhost.mime.build import Attachment, build
from mailhost.mime.headers import get
from mailhost.mime.html import to_text
from mailhost.mime.part import Part
from mailhost.store.read import Listed
from mailhost.webmail import (
    continuing,
    door,
    identities,
    letters,
    quoting,
    writing,
)
from mailhost.webmail.identities import Sender
from mailhost.webmail.letters import File, Where

KINDS = ("reply", "all", "forward")
MOST_KEPT = 100  # parts taken over from another message


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of another message that goes along, unless it is unticked."""

    where: Where
    file: File

    @property
    def value(self) -> str:
        """What the form carries."""
        return f"{self.where.text}.{self.file.section}"


@dataclass(frozen=True, slots=True)
class Start:
    """What the form shows at first."""

    fields: dict[str, str]
    kept: tuple[Kept, ...] = ()

    def signed(self, sender: Sender, *, below: bool = False) -> "Start":
        """Return the same with a signature above what is quoted, or below it.

        RFC 3676 §4.3.
        """
        if not sender.signature:
            return self
        text, html = self.fields.get("text", ""), self.fields.get("html", "")
        own = f"-- \n{sender.text}\n"
        lines = f"<div>-- <br>{sender.signature}</div>"
        signed = {"text": f"\n\n{own}{text}", "html": f"{BLANK}{lines}{html}"}
        if below:
            signed = {"text": f"{text}{own}", "html": f"{html}{lines}"}
        return Start(self.fields | signed, self.kept)


BLANK = "<div><br></div>"


@dataclass(frozen=True, slots=True)
class Written:
    """A message as somebody wrote it."""

    sender: Address
    to: Sequence[Address]
    cc: Sequence[Address]
    bcc: Sequence[Address]
    subject: str
    text: str
    attachments: Sequence[Attachment]
    in_reply_to: str = ""
    references: Sequence[str] = ()
    # Chosen once: the Sent copy is the message that went out.
    message_id: str = ""
    html: str = ""  # with the text as its alternative
    importance: str = ""  # high or low
    receipt: bool = False  # on reading is asked for
    reply_to: Sequence[Address] = ()
    forwards: str = ""  # the id of a message that goes along, without <>
    alternatives: Sequence[Attachment] = ()  # the same for programs: an answer's event

    def octets(self, *, keep_bcc: bool = False) -> bytes:
        """Return the message."""
        return build(
            sender=self.sender,
            to=self.to,
            cc=self.cc,
            bcc=self.bcc,
            subject=self.subject,
            text=self.text,
            html=self.html,
            alternatives=self.alternatives,
            attachments=self.attachments,
            in_reply_to=self.in_reply_to,
            references=self.references,
            message_id=self.message_id,
            date=timezone.localtime(),
            keep_bcc=keep_bcc,
            headers=tuple(self._headers()),
            mailboxes=(
                ("Reply-To", self.reply_to),
                (RECEIPT, [self.sender] if self.receipt else ()),
            ),
        )

    def _headers(self) -> Iterator[tuple[str, str]]:
        if self.importance:
            yield "Importance", self.importance
            yield "X-Priority", "1" if self.importance == "high" else "5"
        if self.forwards:
            yield continuing.FORWARDED, f"<{self.forwards}>"


RECEIPT = "Disposition-Notification-To"  # RFC 8098 §2.1


def new_message_id(address: str) -> str:
    """Return an id that no other message has, without <>."""
    host = address.rpartition("@")[2] or "localhost"
    return f"{secrets.token_hex(16)}@{host}"


def answer(
    user: User, listed: Listed, where: Where, kind: str, *, below: bool = False
) -> Start:
    """Return how an answer to a message, or a forward of it, starts.

    `below`: what is written stands below what is quoted.
    """
    content_id, root = letters.structure(where.folder_id, where.uid)
    body = _text(content_id, root)
    sender = sender_of(user, listed)
    fields = {"origin": where.text, "kind": kind, "sender": sender}
    if kind == "forward":
        fields["subject"] = quoting.forward_subject(listed.subject)
        fields["text"] = "\n\n" + _forwarded(listed, body)
        head = writing.of_text(_forwarded(listed, ""))
        fields["html"] = f"{BLANK}{head}{_html(user, where, body)}"
        return Start(fields, _kept(where, root))
    fields |= _recipients(listed, kind, door.own_addresses(user))
    fields["subject"] = quoting.answer_subject(listed.subject)
    text = f"{_attribution(listed)}\n{quoting.quoted(body)}\n"
    html = (
        f"{writing.of_text(_attribution(listed))}"
        f"<blockquote>{_html(user, where, body)}</blockquote>"
    )
    fields["text"] = f"{text}\n\n" if below else f"\n\n{text}"
    fields["html"] = f"{html}{BLANK}" if below else f"{BLANK}{html}"
    return Start(fields)


def _recipients(listed: Listed, kind: str, own: Sequence[str]) -> dict[str, str]:
    to = quoting.answer_to(
        _people(listed, "from"),
        _people(listed, "reply_to"),
        _people(listed, "to"),
        own,
    )
    if kind != "all":
        return {"to": quoting.spelled(to)}
    others = [*_people(listed, "to"), *_people(listed, "cc")]
    without = [*own, *(person.addr for person in to)]
    cc = quoting.spelled(quoting.unique(others, without))
    return {"to": quoting.spelled(to), "cc": cc}


def _html(user: User, where: Where, body: str) -> str:
    """Return what is quoted, as HTML: the message's own, or its text."""
    content_id, root = letters.structure(where.folder_id, where.uid)
    found = writing.editable(user, where, content_id, root)
    return found or writing.of_text(body[: quoting.MOST_QUOTED])


def resume(user: User, listed: Listed, where: Where) -> Start:
    """Return a draft as it was left, with what it answers or forwards."""
    content_id, root = letters.structure(where.folder_id, where.uid)
    header = continuing.header_of(where)
    chain = continuing.of_draft(header)
    origin = continuing.origin(user, where, chain)
    fields = {
        name: quoting.spelled(_people(listed, name)) for name in ("to", "cc", "bcc")
    }
    sender = _people(listed, "from")
    fields |= {
        "sender": sender[0].addr if sender else "",
        "subject": listed.subject,
        "text": _text(content_id, root).rstrip("\n"),
        "draft": where.text,
        "html": writing.editable(user, where, content_id, root),
        "origin": origin.text if origin else "",
        "kind": chain.kind if origin else "",
        "importance": {1: "high", -1: "low"}.get(listed.importance or 0, ""),
        "receipt": "1" if get(header, RECEIPT.encode()) else "",
    }
    fields["plain"] = "" if fields["html"] else "1"
    return Start(fields, _kept(where, root))


def uploaded(files: Sequence[tuple[str, str, bytes]]) -> list[Attachment]:
    """Return uploads (name, type, octets) as attachments."""
    return [
        Attachment(name[-200:], _type(kind), octets) for name, kind, octets in files
    ]


def taken_over(kept: Sequence[Kept]) -> list[Attachment]:
    """Return parts of other messages as attachments; the caller saw to the rights."""
    found = []
    for one in kept:
        content_id, root = letters.structure(one.where.folder_id, one.where.uid)
        part = root.find(one.file.section)
        if part is not None:
            octets = letters.octets(content_id, part)
            found.append(Attachment(one.file.name, _type(one.file.type), octets))
    return found


def kept_of(where: Where, wanted: set[str]) -> list[Kept]:
    """Return the parts of a message whose sections are wanted."""
    _, root = letters.structure(where.folder_id, where.uid)
    return [one for one in _kept(where, root) if one.file.section in wanted]


def _type(kind: str) -> str:
    is_plain = re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,80}", kind, re.ASCII)
    return kind if is_plain else "application/octet-stream"


def _kept(where: Where, root: Part) -> tuple[Kept, ...]:
    return tuple(Kept(where, file) for file in letters.files(root)[:MOST_KEPT])


def _people(listed: Listed, field: str) -> list[Address]:
    return letters.people(listed, field)


def sender_of(user: User, listed: Listed) -> str:
    """Return the address of ours the message came to, so that the answer has it."""
    own = [one.address for one in identities.senders(user)]
    to = [*_people(listed, "to"), *_people(listed, "cc"), *_people(listed, "from")]
    met = {person.addr.casefold() for person in to}
    return next((a for a in own if a.casefold() in met), own[0] if own else "")


def _text(content_id: int, root: Part) -> str:
    """Return the text a person would read; of HTML its words."""
    pieces = []
    for body in letters.bodies(content_id, root):
        part = root.find(body.section)
        if body.is_html and part is not None:
            pieces.append(to_text(letters.text(content_id, part)))
        elif part is not None:
            pieces.append(readable(body.text, part))
    return "\n\n".join(pieces)


def readable(text: str, part: Part) -> str:
    """Return text with its lines joined if they were flowed."""
    parameters = dict(part.parameters)
    if parameters.get("format", "").lower() != "flowed":
        return text
    return quoting.unflow(text, delsp=parameters.get("delsp", "").lower() == "yes")


def _attribution(listed: Listed) -> str:
    return _("On %(date)s, %(who)s wrote:") % {
        "date": _when(listed),
        "who": listed.from_name or listed.from_address,
    }


def _when(listed: Listed) -> str:
    when = timezone.localtime(listed.sent_at or listed.internal_date)
    return formats.date_format(when, "DATETIME_FORMAT")


def _forwarded(listed: Listed, body: str) -> str:
    lines = [
        _("---------- Forwarded message ----------"),
        _("From: %s") % quoting.spelled(_people(listed, "from")),
        _("Date: %s") % _when(listed),
        _("Subject: %s") % listed.subject,
        _("To: %s") % quoting.spelled(_people(listed, "to")),
    ]
    return "\n".join([*lines, "", body])
