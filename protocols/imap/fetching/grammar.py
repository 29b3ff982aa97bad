"""fetch-att and its list. RFC 9051 §9; BINARY is RFC 3516 §7, PREVIEW RFC 8970 §6."""

import re
from collections.abc import Iterable
from dataclasses import replace

from protocols.imap.errors import Bad
from protocols.imap.fetching.items import (
    MACROS,
    NAMES,
    Body,
    Item,
    Kind,
    Section,
    Wanted,
)
from protocols.imap.parser import MAX_UINT32, Parser
from protocols.imap.responses import astring
from protocols.imap.wording import say

# Letters, digits and dots up to a bracket: the name of an attribute.
NAME = re.compile(rb"[A-Za-z0-9.]+")
PART = re.compile(rb"[1-9]\d{0,5}(?:\.[1-9]\d{0,5})*")
PARTIAL = re.compile(rb"<(\d{1,19})\.([1-9]\d{0,18})>")
MOST_ITEMS = 100
MOST_FIELDS = 500
MOST_PARTS = 120  # levels of a part number

OLD = {
    "RFC822": (Section(), False),
    "RFC822.HEADER": (Section(kind=Kind.HEADER), True),
    "RFC822.TEXT": (Section(kind=Kind.TEXT), False),
}


def fetch_attributes(p: Parser) -> tuple[Wanted, ...]:
    """Read a macro, one attribute or a list of them; each is answered once."""
    return attribute_list(p) if p.takes(b"(") else tuple(_macro_or_one(p))


def attribute_list(p: Parser) -> tuple[Wanted, ...]:
    """Read fetch-att *(SP fetch-att) ")"."""
    found = [fetch_att(p)]
    while p.takes(b" "):
        found.append(fetch_att(p))
        if len(found) > MOST_ITEMS:
            raise Bad("Too many items", "LIMIT")
    p.literally(b")")
    return together(found)


def together(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Return each attribute once."""
    found: dict[Item | bytes, Wanted] = {}
    for one in wanted:
        name = one.label if isinstance(one, Body) else one
        found[name] = _either(found[name], one) if name in found else one
    return tuple(found.values())


def _either(first: Wanted, second: Wanted) -> Wanted:
    """Return what answers both: PEEK only if both do, the longer of two partials."""
    if not isinstance(first, Body) or not isinstance(second, Body):
        return second
    partials = [one.partial for one in (first, second) if one.partial is not None]
    partial = max(partials, default=None)
    return replace(first, peek=first.peek and second.peek, partial=partial)


def _macro_or_one(p: Parser) -> list[Wanted]:
    start = p.offset
    name = p.match(NAME, "an attribute")[0].decode("ascii").upper()
    if name in MACROS:
        return [Item(one) for one in MACROS[name]]
    p.offset = start
    return [fetch_att(p)]


def fetch_att(p: Parser) -> Wanted:
    """Read one attribute."""
    name = p.match(NAME, "an attribute")[0].decode("ascii").upper()
    if name in {"BODY", "BODY.PEEK"} and p.next() == b"[":
        return _body(p, name)
    if name in {"BINARY", "BINARY.PEEK", "BINARY.SIZE"}:
        return _binary(p, name)
    if name in OLD:
        section, peek = OLD[name]
        return Body(name.encode(), section, peek=peek)
    if name not in NAMES:
        raise Bad(say("Unknown item {}", name[:40]))
    if name == "PREVIEW" and p.takes(b" ("):
        if p.atom().upper() != "LAZY":
            raise Bad("Unknown modifier of PREVIEW")
        p.literally(b")")
    return Item(name)


def _body(p: Parser, name: str) -> Body:
    p.literally(b"[")
    section, written = section_spec(p)
    p.literally(b"]")
    partial, suffix = _partial(p)
    label = f"BODY[{written}]{suffix}".encode()
    return Body(label, section, partial, peek=name == "BODY.PEEK")


def _binary(p: Parser, name: str) -> Body:
    p.literally(b"[")
    part = _part(p)
    p.literally(b"]")
    if name == "BINARY.SIZE":
        label = f"BINARY.SIZE[{part}]".encode()
        return Body(label, Section(part), binary=True, size_only=True)
    partial, suffix = _partial(p)
    label = f"BINARY[{part}]{suffix}".encode()
    return Body(label, Section(part), partial, peek=name == "BINARY.PEEK", binary=True)


def _partial(p: Parser) -> tuple[tuple[int, int] | None, str]:
    if p.next() != b"<":
        return None, ""
    match = p.match(PARTIAL, "a partial")
    first, most = int(match[1]), int(match[2])
    if first > MAX_UINT32:  # it could not be answered: number, not number64
        raise Bad("The first octet is too far")
    return (first, most), f"<{first}>"


def _part(p: Parser) -> str:
    match = PART.match(p.octets, p.offset)
    if match is None:
        return ""
    p.offset = match.end()
    part = match[0].decode("ascii")
    if part.count(".") >= MOST_PARTS:
        raise Bad("The part number is too long", "LIMIT")
    return part


def section_spec(p: Parser) -> tuple[Section, str]:
    """Read what is between the brackets; return it with its canonical spelling."""
    part = _part(p)
    if p.next() == b"]":
        return Section(part), part
    if part:
        p.literally(b".")
    word = p.match(NAME, "a section")[0].decode("ascii").upper()
    try:
        kind = Kind(word)
    except ValueError:
        raise Bad(say("Unknown section {}", word[:40])) from None
    if kind is Kind.MIME and not part:
        raise Bad("MIME needs a part number")
    written = f"{part}.{word}" if part else word
    if kind not in {Kind.FIELDS, Kind.FIELDS_NOT}:
        return Section(part, kind), written
    p.literally(b" (")
    names = _field_names(p)
    shown = " ".join(astring(name) for name in names)
    fields = tuple(name.encode() for name in names)
    return Section(part, kind, fields), f"{written} ({shown})"


def _field_name(p: Parser) -> str:
    name = p.astring()
    if not name.isascii():
        raise Bad("A field name is ASCII")
    return name


def _field_names(p: Parser) -> list[str]:
    names = [_field_name(p)]
    while p.takes(b" "):
        names.append(_field_name(p))
        if len(names) > MOST_FIELDS:
            raise Bad("Too many fields", "LIMIT")
    p.literally(b")")
    return names
