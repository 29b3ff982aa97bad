"""Entries of METADATA on the wire. RFC 5464 §3.2, §5.

A `Name` says whether an entry is shared, and its name without that prefix, in lower
case: as the store keeps it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from typing_extensions import override

from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.responses import astring

ENTRY = re.compile(r"(?:/[^/*%\x00-\x1f\x7f-\U0010ffff]+)+")
LONGEST = 400  # characters
MOST = 100  # entries of one command
QUOTABLE = re.compile(rb"[^\r\n\x00\x80-\xff]{0,1000}")
NEEDED = "rswip"  # any one of them, and "l". RFC 5464 §3.3


@dataclass(frozen=True, slots=True)
class Name:
    """An entry's name: "/private/comment" is Name(False, "/comment")."""

    shared: bool
    rest: str

    @override
    def __str__(self) -> str:
        return ("/shared" if self.shared else "/private") + self.rest


COMMENT = "/comment"
ADMIN = Name(shared=True, rest="/admin")
SPECIAL_USE = Name(shared=False, rest="/specialuse")


def entry(p: Parser, *, may_be_root: bool = False) -> Name:
    """Read an entry; `may_be_root`: "/private" alone names all that is below it."""
    written = p.astring()
    folded = written.lower()
    levels = folded.split("/")
    least = 2 if may_be_root else 3
    if not ENTRY.fullmatch(folded) or len(folded) > LONGEST:
        raise Bad("This cannot be the name of an entry")
    if levels[1] not in {"private", "shared"} or len(levels) < least:
        raise Bad("An entry begins with /private/ or /shared/")
    if levels[2:3] == ["vendor"] and len(levels) < 5 and not may_be_root:
        raise Bad("An entry of a vendor has four parts")
    return Name(levels[1] == "shared", folded[len(levels[1]) + 1 :])


def entries(p: Parser, *, may_be_root: bool = False) -> tuple[Name, ...]:
    """Read one entry or several in brackets."""
    if not p.takes(b"("):
        return (entry(p, may_be_root=may_be_root),)
    found = [entry(p, may_be_root=may_be_root)]
    while p.takes(b" "):
        found.append(entry(p, may_be_root=may_be_root))
        if len(found) > MOST:
            raise Bad("Too many entries", "LIMIT")
    p.literally(b")")
    return tuple(dict.fromkeys(found))


def value(p: Parser) -> bytes | None:
    """Read nstring or literal8; None for NIL."""
    if p.next() in {b'"', b"{"}:
        return p.string()
    if p.takes(b"~"):
        piece = p.literal()
        if isinstance(piece, bytes):
            return piece
        with piece:
            raise Bad("The value is too long", "TOOBIG")
    if p.atom().upper() != "NIL":
        raise Bad("Expected NIL or a string")
    return None


def shown(octets: bytes | None) -> bytes:
    """Write a value: a quoted string where it can be one."""
    if octets is None:
        return b"NIL"
    if QUOTABLE.fullmatch(octets):
        return b'"%b"' % re.sub(rb'(["\\])', rb"\\\1", octets)
    return b"%b{%d}\r\n%b" % (b"~" if b"\0" in octets else b"", len(octets), octets)


def with_values(mailbox: str, values: Mapping[Name, bytes | None]) -> bytes:
    """Write a METADATA response; `mailbox` is as written for the client. §4.4.1."""
    pairs = [
        astring(str(name)).encode() + b" " + shown(octets)
        for name, octets in values.items()
    ]
    return b"* METADATA %b (%b)\r\n" % (mailbox.encode(), b" ".join(pairs))


def without_values(mailbox: str, names: Iterable[Name]) -> bytes:
    """Write an unsolicited METADATA response: what has changed. §4.4.2."""
    listed = " ".join(astring(str(name)) for name in names)
    return f"* METADATA {mailbox} {listed}\r\n".encode()


def is_within(name: Name, asked: Name, depth: float) -> bool:
    """Tell whether an entry is the one asked for, or at most `depth` levels below."""
    if name.shared != asked.shared:
        return False
    if name.rest == asked.rest:
        return True
    below = name.rest.removeprefix(asked.rest + "/")
    if below == name.rest:
        return False
    return below.count("/") < depth
