"""A header of ASCII in place of one with 8-bit fields, octet for octet as long.

For clients that did not say that they read such fields (RFC 6856 §2.1). A message keeps
the size that was told of it: what encoded words take more is taken from fields that the
change makes void (signatures) or that nobody reads, and what is left is filled up.
"""

import re

from mailhost.mime import compose, parameters, words
from mailhost.mime.addresses import Address, parse_addresses
from mailhost.mime.headers import BLANK, WHOLE_FIELD, unfold

RAW = re.compile(rb"[\x80-\xff]")
ADDRESSES = {
    *(b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc"),
    *(b"resent-from", b"resent-sender", b"resent-to", b"resent-cc", b"resent-bcc"),
    b"disposition-notification-to",
}
# What words would break: each octet becomes a question mark.
OPAQUE = {
    *(b"received", b"return-path", b"date", b"message-id", b"in-reply-to"),
    *(b"references", b"mime-version", b"content-transfer-encoding", b"content-id"),
}
# What goes first where there is no room.
SPARE = (
    re.compile(
        rb"(?:x-google-)?dkim-signature|domainkey-signature|arc-", re.IGNORECASE
    ),
    re.compile(rb"authentication-results|received-spf|x-", re.IGNORECASE),
    re.compile(rb"received|list-|feedback-id|precedence", re.IGNORECASE),
)
FILLER = b"X-Surrogate: "
FOLD_EVERY = 72


def surrogate(header: bytes) -> bytes:
    """Return the header block in ASCII, of the same length. Never raises."""
    if header.isascii():
        return header
    masked = RAW.sub(b"?", header)
    start = re.match(rb"(?:>?From [^\n]*+\n)?", masked)
    assert start is not None
    fields, end = [], start.end()
    for match in WHOLE_FIELD.finditer(header, end):
        if match.start() != end or header[match.end() : match.end() + 1] != b"\n":
            break
        end = match.end() + 1
        fields.append(_mended(match[1], match[2], header[match.start() : end]))
    if not BLANK.fullmatch(header, end) and end < len(header):
        return masked  # no header as others read it
    room = len(header) - start.end() - (len(header) - end)
    kept = _fitted(fields, room)
    if kept is None:
        return masked
    return masked[: start.end()] + kept + header[end:]


def _mended(name: bytes, value: bytes, whole: bytes) -> bytes:
    """Return one field in ASCII; whole: with name and line end."""
    key = name.lower()
    if whole.isascii():
        return whole
    if key in OPAQUE or len(name) > compose.FOLD_AT - 2:
        return RAW.sub(b"?", whole)
    shown, value = name.decode("ascii"), unfold(value)
    if key in ADDRESSES and (people := parse_addresses(value)):
        return compose.field(shown, b", ".join(map(_person, people)))
    if key in {b"content-type", b"content-disposition"}:
        return compose.field(shown, _with_parameters(key, value))
    return compose.text(shown, words.decode(value))


def _person(person: Address) -> bytes:
    """Return a mailbox; of one whose address is not ASCII, a group that is empty."""
    try:
        host = person.host.encode("idna").decode("ascii")
    except UnicodeError:
        host = person.host
    if (person.mailbox + host).isascii():
        return compose.mailbox(Address(person.name, person.mailbox, host))
    return words.encode_all(f"{person.name} <{person.addr}>".strip()) + b" :;"


def _with_parameters(key: bytes, value: bytes) -> bytes:
    of_type = key == b"content-type"
    found = (parameters.content_type if of_type else parameters.disposition)(value)
    kind = f"{found.main}/{found.sub}" if of_type else found.main
    pieces = [kind.encode("ascii", "replace")]
    for name, said in found.pairs:
        if compose.TOKEN.fullmatch(name):
            pieces.append(compose.parameter(name, said))
    return b"; ".join(pieces)


def _fitted(fields: list[bytes], room: int) -> bytes | None:
    """Return the fields with just these octets in all; None: it cannot be done."""
    over = sum(map(len, fields)) - room
    for spare in SPARE:
        for place in range(len(fields) - 1, -1, -1):
            if over > 0 and spare.match(fields[place]):
                over -= len(fields[place])
                fields[place] = b""
    return None if over > 0 else _filled(b"".join(fields), -over)


def _filled(header: bytes, octets: int) -> bytes:
    """Return the fields with so many octets more: a field, or a few spaces."""
    if octets < len(FILLER) + 3:
        bare = header.rstrip(b"\r\n")
        return bare + b" " * octets + header[len(bare) :]
    text = bytearray(b"." * (octets - len(FILLER) - 2))
    for at in range(FOLD_EVERY - len(FILLER), len(text) - 4, FOLD_EVERY):
        text[at : at + 3] = b"\r\n "
    return header + FILLER + bytes(text) + b"\r\n"
