"""Writing messages: what compose, replies and delivery reports send. RFC 5322, 2045.

CRLF line ends, no line over 998 octets, ASCII but for addresses that need UTF-8. No
value starts a header field of its own. The same arguments give the same octets.
"""

import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailhost.mime import compose, flowed, parameters
from mailhost.mime.addresses import Address

_BLOB = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, or with `inline` a picture that the HTML shows as cid:content_id."""

    filename: str  # "" for a part without a name
    content_type: str  # type/subtype, may have parameters
    octets: bytes
    content_id: str = ""  # without <>
    inline: bool = False


@dataclass(frozen=True, slots=True)
class _Node:
    """A part ready to send: header fields without the blank line, and the body."""

    header: bytes
    body: bytes
    is_8bit: bool = False


def build(  # noqa: PLR0913 - a message has this many things to say
    *,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address] = (),
    bcc: Sequence[Address] = (),
    subject: str,
    text: str,
    html: str = "",
    alternatives: Sequence[Attachment] = (),
    attachments: Sequence[Attachment] = (),
    in_reply_to: str = "",
    references: Sequence[str] = (),
    message_id: str,
    date: datetime,
    headers: Sequence[tuple[str, str]] = (),
    mailboxes: Sequence[tuple[str, Sequence[Address]]] = (),
    keep_bcc: bool = False,
    report: str = "",
) -> bytes:
    """Return the message. Ids come without <>; bcc is written only for drafts.

    `alternatives` say the same as the text in other types, the richest last.
    `headers` are further fields by name and text, `mailboxes` by name and people;
    `report` makes the whole a multipart/report of that type (delivery-status: RFC 3462)
    with the attachments as its parts. Raises ValueError for a name that no field can
    have.
    """
    head = [compose.date(date), compose.addresses("From", [sender])]
    for name, people in (("To", to), ("Cc", cc), ("Bcc", bcc if keep_bcc else ())):
        if people:
            head.append(compose.addresses(name, people))
    head += [
        compose.text("Subject", subject),
        compose.message_ids("Message-ID", [message_id]),
        compose.message_ids("In-Reply-To", [in_reply_to]),
        compose.message_ids("References", references),
        *(compose.text(name, value) for name, value in headers),
        *(compose.addresses(name, people) for name, people in mailboxes if people),
        b"MIME-Version: 1.0\r\n",
    ]
    seed = hashlib.sha256(message_id.encode("utf-8", "replace"))
    for octets in (text.encode("utf-8", "replace"), html.encode("utf-8", "replace")):
        seed.update(octets)
    for attachment in (*alternatives, *attachments):
        seed.update(attachment.octets)
    nodes = [_alternative(one) for one in alternatives]
    node = _whole((text, html, nodes), attachments, report, seed.hexdigest()[:24])
    return b"".join(head) + node.header + b"\r\n" + node.body


def _whole(
    said: tuple[str, str, Sequence[_Node]],
    attachments: Sequence[Attachment],
    report: str,
    seed: str,
) -> _Node:
    """Return mixed(related(alternative(text, html), inline), files), as far as needed.

    The order of RFC 2046 §5.1.4 in an alternative: the plainest first.
    """
    text, html, others = said
    node = _text(flowed.flow(text), "plain", format="flowed")
    if html:
        page = html.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
        others = [_text(page, "html"), *others]
    if others:
        node = _multipart("alternative", [node, *others], seed + "a")
    inline = [a for a in attachments if a.inline and html]
    files = [a for a in attachments if not (a.inline and html)]
    if inline:
        parts = [node, *map(_attachment, inline)]
        kind = "multipart/alternative"
        node = _multipart("related", parts, seed + "r", type=kind)
    if files or report:
        parts = [node, *map(_attachment, files)]
        if report:
            return _multipart("report", parts, seed + "m", report_type=report)
        node = _multipart("mixed", parts, seed + "m")
    return node


def _text(text: str, subtype: str, **more: str) -> _Node:
    octets = text.replace("\0", "").encode("utf-8", "replace")
    charset = "us-ascii" if octets.isascii() else "utf-8"
    body, encoding = flowed.encoded(octets)
    kind = _content_type(f"text/{subtype}", {"charset": charset} | more)
    return _Node(kind + _encoding(encoding), body)


def _multipart(subtype: str, nodes: Sequence[_Node], seed: str, **more: str) -> _Node:
    # "=_" stands in no quoted-printable and no base64 line (RFC 2045 §6.7); the rest
    # is a digest of everything that is inside.
    boundary = f"=_{seed}"
    given = {key.replace("_", "-"): value for key, value in more.items()}
    kind = _content_type(f"multipart/{subtype}", {"boundary": boundary} | given)
    line = b"--" + boundary.encode("ascii")
    body = b"".join(
        line + b"\r\n" + node.header + b"\r\n" + node.body + b"\r\n" for node in nodes
    )
    is_8bit = any(node.is_8bit for node in nodes)
    header = kind + (_encoding("8bit") if is_8bit else b"")
    return _Node(header, body + line + b"--\r\n", is_8bit)


def _alternative(attachment: Attachment) -> _Node:
    """Return a part without a name, as it is: text/calendar, RFC 6047 §2.4."""
    value = parameters.content_type(attachment.content_type.encode("ascii", "replace"))
    body, encoding = _body(f"{value.main}/{value.sub}", attachment.octets)
    kind = _content_type(f"{value.main}/{value.sub}", dict(value.pairs))
    return _Node(kind + _encoding(encoding), body)


def _attachment(attachment: Attachment) -> _Node:
    value = parameters.content_type(attachment.content_type.encode("ascii", "replace"))
    kind = f"{value.main}/{value.sub}"
    given = dict(value.pairs)
    is_known = "/" in attachment.content_type
    body, encoding = _body(kind, attachment.octets) if is_known else (b"", "base64")
    if not is_known or value.main == "multipart" or encoding == "base64":
        if not is_known or value.main in {"multipart", "message"}:
            kind, given = _BLOB, {}  # these two may not be base64 (RFC 2046 §5.2)
        body, encoding = _base64(attachment.octets), "base64"
    if attachment.filename:
        given["name"] = attachment.filename
    header = _content_type(kind, given) + _encoding(encoding)
    header += compose.message_ids("Content-ID", [attachment.content_id])
    return _Node(header + _disposition(attachment), body, encoding == "8bit")


def _body(kind: str, octets: bytes) -> tuple[bytes, str]:
    """Return an attachment's body and encoding: messages as they are if they can be."""
    if kind.startswith("message/") or kind == "text/rfc822-headers":
        octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if flowed.is_plain(octets):
            return octets, "7bit"
        if flowed.is_lines(octets) and b"\0" not in octets:
            return octets, "8bit"
    return _base64(octets), "base64"


def _base64(octets: bytes) -> bytes:
    # 57 octets make a line of 76                                     RFC 2045 §6.8
    return b"".join(
        binascii.b2a_base64(octets[start : start + 57], newline=False) + b"\r\n"
        for start in range(0, len(octets), 57)
    )


def _content_type(kind: str, given: dict[str, str]) -> bytes:
    pieces = [kind.encode("ascii")]
    for name, value in given.items():
        if compose.TOKEN.fullmatch(name):
            pieces.append(compose.parameter(name, value))
    return compose.field("Content-Type", b"; ".join(pieces))


def _disposition(attachment: Attachment) -> bytes:
    if attachment.inline:
        body = b"inline"
    elif attachment.filename or not attachment.content_type.startswith("message/"):
        body = b"attachment"
    else:
        return b""
    if attachment.filename:
        body += b"; " + compose.parameter("filename", attachment.filename)
    return compose.field("Content-Disposition", body)


def _encoding(name: str) -> bytes:
    return b"Content-Transfer-Encoding: " + name.encode("ascii") + b"\r\n"
