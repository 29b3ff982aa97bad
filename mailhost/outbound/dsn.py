"""Reports on delivery to the sender: octets of a multipart/report. RFC 3464, 6522."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from django.utils import timezone

from mailhost.mime.headers import block_end
from mailhost.outbound.values import Fate

MOST_RETURNED = 1_048_576  # octets of a message that is returned whole
_SUBJECTS = {
    "failed": "Undelivered mail returned to sender",
    "delivered": "Your message was delivered",
    "relayed": "Your message was handed on",
}
_TEXTS = {
    "failed": "Your message could not be delivered to the addresses below.",
    "delivered": "Your message was delivered to the addresses below.",
    "relayed": (
        "Your message was handed on for the addresses below, to servers that\r\n"
        "will not tell whether it arrives."
    ),
}


def report(  # noqa: PLR0913 - a report has this many things to tell
    *,
    to: str,
    host: str,
    fates: Sequence[Fate],
    original: bytes,
    whole: bool,
    envid: str,
    arrived_at: datetime,
) -> bytes:
    """Return the report. `whole` asks for the message, else its header is returned."""
    boundary = secrets.token_hex(16)
    worst = next((f.action for f in fates if f.action == "failed"), fates[0].action)
    parts = [
        _part("text/plain; charset=utf-8", _text(worst, fates, host)),
        _part("message/delivery-status", _status(fates, host, envid, arrived_at)),
        _returned(original, whole=whole),
    ]
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    return _header(to, host, worst, boundary) + body + mark + b"--\r\n"


def _header(to: str, host: str, action: str, boundary: str) -> bytes:
    # Auto-Submitted: RFC 3834 §5
    return (
        f"From: Mail Delivery System <postmaster@{host}>\r\n"
        f"To: <{to}>\r\n"
        f"Subject: {_SUBJECTS[action]}\r\n"
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


def _text(action: str, fates: Sequence[Fate], host: str) -> str:
    lines = [f"This is the mail server {host}.", "", _TEXTS[action], ""]
    for fate in fates:
        lines.append(f"<{fate.address}>: {fate.action}")
        if fate.reply:
            said = f"{fate.host} said: " if fate.host else ""
            lines.append(f"    {said}{_one_line(fate.reply)}")
    return "\r\n".join(lines) + "\r\n"


def _status(fates: Sequence[Fate], host: str, envid: str, arrived_at: datetime) -> str:
    """Return the per-message and per-recipient fields. RFC 3464 §2.2, §2.3."""
    lines = [f"Original-Envelope-Id: {envid}"] if envid else []
    lines += [f"Reporting-MTA: dns; {host}"]
    lines += [f"Arrival-Date: {format_datetime(arrived_at)}"]
    for fate in fates:
        lines.append("")
        if fate.orcpt:
            lines.append(f"Original-Recipient: {fate.orcpt}")
        kind = "rfc822" if fate.address.isascii() else "utf-8"
        lines.append(f"Final-Recipient: {kind}; {fate.address}")
        lines += [f"Action: {fate.action}", f"Status: {fate.status}"]
        if fate.host:
            lines.append(f"Remote-MTA: dns; {fate.host}")
        if fate.reply:
            lines.append(f"Diagnostic-Code: smtp; {_one_line(fate.reply)}")
    return "\r\n".join(lines) + "\r\n"


def _returned(original: bytes, *, whole: bool) -> bytes:
    kind, octets = (
        b"text/rfc822-headers",
        original[: block_end(original, 0, len(original))],
    )
    if whole and len(original) <= MOST_RETURNED:
        kind, octets = b"message/rfc822", original
    coding = b"7bit" if octets.isascii() else b"8bit"
    return b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (
        *(kind, coding, octets),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:900]
