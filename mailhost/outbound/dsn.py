"""Reports on delivery to the sender: octets of a multipart/report. RFC 3464, RFC 6522.

The first part is in English and, where we know it and have it, in the language of the
sender. What is not ASCII makes the forms of RFC 6533, and the report needs SMTPUTF8.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from mailhost.mime import words
from mailhost.mime.headers import block_end, first_fields
from mailhost.outbound import reasons
from mailhost.outbound.values import Fate

MOST_RETURNED = 1_048_576  # octets of a message that is returned whole
_SUBJECTS = {
    "failed": "Undelivered mail returned to sender",
    "delayed": "Your message is delayed",
    "delivered": "Your message was delivered",
    "relayed": "Your message was handed on",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a report tells, and to whom."""

    to: str
    host: str
    fates: Sequence[Fate]
    original: bytes
    arrived_at: datetime
    whole: bool = False  # return the message, else its header. RFC 3461 §4.3
    envid: str = ""
    language: str = ""

    @property
    def action(self) -> str:
        """What the whole is about: the worst that happened."""
        actions = {fate.action for fate in self.fates}
        return next(a for a in _SUBJECTS if a in actions)

    @property
    def is_global(self) -> bool:
        """Whether something in it is not ASCII. RFC 6533 §4.4."""
        names = [self.to, *(f"{f.address}{f.orcpt}{f.reply}" for f in self.fates)]
        return not all(name.isascii() for name in names)


@dataclass(frozen=True, slots=True)
class Made:
    """The octets of a report, and whether they need SMTPUTF8."""

    octets: bytes
    smtputf8: bool


def report(about: Report) -> Made:
    """Return the report."""
    boundary = secrets.token_hex(16)
    header_end = block_end(about.original, 0, len(about.original))
    # Where the header of the message is not ASCII, what is returned is global too.
    header = about.original[:header_end]
    parts = [
        _part("text/plain; charset=utf-8", _text(about, header)),
        _part(_kind(about), _status(about)),
        _returned(about.original, header, whole=about.whole),
    ]
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    octets = _header(about, boundary) + body + mark + b"--\r\n"
    return Made(octets, about.is_global or not header.isascii())


def _kind(about: Report) -> str:
    return f"message/{'global-' if about.is_global else ''}delivery-status"


def _header(about: Report, boundary: str) -> bytes:
    host = about.host
    # Auto-Submitted: RFC 3834 §5
    return (
        f"From: Mail Delivery System <postmaster@{host}>\r\n"
        f"To: <{about.to}>\r\n"
        f"Subject: {_SUBJECTS[about.action]}\r\n"
        f"Date: {format_datetime(timezone.now())}\r\n"
        f"Message-ID: <{secrets.token_hex(16)}@{host}>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        f'\tboundary="{boundary}"\r\n'
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
    ).encode()


def _part(kind: str, body: str) -> bytes:
    coding = "7bit" if body.isascii() else "8bit"
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n{body}"
    ).encode()


def _text(about: Report, header: bytes) -> str:
    languages = ["en"]
    if about.language and about.language.partition("-")[0] != "en":
        languages.append(about.language)
    texts = dict.fromkeys(_in_words(about, header, one) for one in languages)
    rule = "\n" + "-" * 60 + "\n\n"
    return rule.join(texts).replace("\n", "\r\n")


def _in_words(about: Report, header: bytes, language: str) -> str:
    with translation.override(language):
        until = about.fates[0].retried_until
        found = {
            "host": about.host,
            "action": about.action,
            "subject": _subject(header),
            "until": until and until.strftime("%Y-%m-%d %H:%M UTC"),
            "fates": [_fate(fate) for fate in about.fates],
        }
        text = render_to_string("dsn/report.txt", found)
    return re.sub(r"\n{3,}", "\n\n", text.replace("\r", "")).strip() + "\n"


def _fate(fate: Fate) -> dict[str, str]:
    actions = {
        "failed": _("not delivered"),
        "delayed": _("not delivered yet"),
        "delivered": _("delivered"),
        "relayed": _("handed on"),
    }
    return {
        "address": fate.address,
        "words": actions[fate.action],
        "reason": reasons.in_words(fate.status),
        "reply": _one_line(fate.reply),
        "host": fate.host,
    }


def _subject(header: bytes) -> str:
    field = first_fields(header).get(b"subject", b"")
    return _one_line(words.decode(field))[:200]


def _status(about: Report) -> str:
    """Return the per-message and per-recipient fields. RFC 3464 §2.2, §2.3.."""
    lines = [f"Original-Envelope-Id: {about.envid}"] if about.envid else []
    lines += [f"Reporting-MTA: dns; {about.host}"]
    lines += [f"Arrival-Date: {format_datetime(about.arrived_at)}"]
    for fate in about.fates:
        lines += ["", *_recipient(fate)]
    return "\r\n".join(lines) + "\r\n"


def _recipient(fate: Fate) -> list[str]:
    lines = [f"Original-Recipient: {fate.orcpt}"] if fate.orcpt else []
    kind = "rfc822" if fate.address.isascii() else "utf-8"
    lines.append(f"Final-Recipient: {kind}; {fate.address}")
    lines += [f"Action: {fate.action}", f"Status: {fate.status}"]
    if fate.host:
        lines.append(f"Remote-MTA: dns; {fate.host}")
    if fate.reply:
        lines.append(f"Diagnostic-Code: smtp; {_one_line(fate.reply)}")
    if fate.last_attempt_at:
        lines.append(f"Last-Attempt-Date: {format_datetime(fate.last_attempt_at)}")
    if fate.retried_until:
        lines.append(f"Will-Retry-Until: {format_datetime(fate.retried_until)}")
    return lines


def _returned(original: bytes, header: bytes, *, whole: bool) -> bytes:
    """Return the third part; RFC 6533 §4.2, §4.3 where the header is not ASCII."""
    is_global = not header.isascii()
    kind = b"message/global-headers" if is_global else b"text/rfc822-headers"
    octets = header
    if whole and len(original) <= MOST_RETURNED:
        kind = b"message/global" if is_global else b"message/rfc822"
        octets = original
    coding = b"7bit" if octets.isascii() else b"8bit"
    return b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (
        *(kind, coding, octets),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:900]
