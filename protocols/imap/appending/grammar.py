"""append-message. RFC 9051 §6.3.12; CATENATE RFC 4469 §5, UTF8 RFC 6855 §4."""

from dataclasses import dataclass
from datetime import datetime

from protocols.imap.errors import Bad
from protocols.imap.framing import Piece
from protocols.imap.parser import Parser, split_flags
from protocols.imap.wording import say

Part = Piece | str  # octets, a file of them, or a URL


@dataclass(frozen=True, slots=True)
class Message:
    """One message that is on its way in, as the client wrote it."""

    flags: int
    keywords: tuple[str, ...]
    date: datetime | None
    parts: tuple[Part, ...]


def append_message(p: Parser) -> Message:
    """Read SP [flag-list SP] [date-time SP] append-data."""
    p.sp()
    names: list[str] = []
    if p.next() == b"(":
        names = p.flag_list()
        p.sp()
    date = None
    if p.next() == b'"':
        date = p.date_time()
        p.sp()
    # \Recent is ignored: clients copy it from where they read. RFC 3501 §2.3.2
    bits, keywords = split_flags([n for n in names if n.lower() != "\\recent"])
    parts = _cat_parts(p) if _word(p, b"CATENATE (") else (_data(p),)
    return Message(bits, keywords, date, parts)


def _cat_parts(p: Parser) -> tuple[Part, ...]:
    parts = [_cat_part(p)]
    while p.takes(b" "):
        parts.append(_cat_part(p))
    p.literally(b")")
    return tuple(parts)


def _cat_part(p: Parser) -> Part:
    if _word(p, b"URL "):
        return p.astring()
    if _word(p, b"TEXT "):
        p.takes(b"~")
        return p.literal()
    return _utf8(p)


def _data(p: Parser) -> Piece:
    if p.next() in {b"U", b"u"}:
        return _utf8(p)
    p.takes(b"~")  # literal8, RFC 3516 §4.4
    return p.literal()


def _utf8(p: Parser) -> Piece:
    if not _word(p, b"UTF8 ("):
        raise Bad(say("Expected a message at octet {}", p.offset))
    p.literally(b"~")
    octets = p.literal()
    p.literally(b")")
    return octets


def _word(p: Parser, expected: bytes) -> bool:
    """Move past these octets, in any case, if they are next."""
    end = p.offset + len(expected)
    if p.octets[p.offset : end].upper() != expected:
        return False
    p.offset = end
    return True
