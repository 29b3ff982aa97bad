"""The items of a FETCH response. RFC 9051 §7.5.2, §9 (msg-att)."""

from collections.abc import Callable
from typing import Any

from tests.imap_client.cursor import Cursor
from tests.imap_client.structure import body, envelope

PART_KINDS = (b"HEADER.FIELDS.NOT", b"HEADER.FIELDS", b"HEADER", b"TEXT", b"MIME")


def _modseq(c: Cursor) -> int:
    """RFC 7162 §7: never 0."""
    c.literally(b"(")
    found = c.mod_sequence()
    c.literally(b")")
    return found


def _thread_id(c: Cursor) -> bytes | None:
    return None if c.nil() else c.object_id()


def _saved_at(c: Cursor) -> bytes | None:
    return None if c.nil() else c.date_time()


ITEMS: dict[bytes, Callable[[Cursor], Any]] = {
    b"FLAGS": Cursor.flags,
    b"UID": Cursor.nz_number,
    b"INTERNALDATE": Cursor.date_time,
    b"RFC822.SIZE": Cursor.number64,
    b"MODSEQ": _modseq,
    b"ENVELOPE": envelope,
    b"BODYSTRUCTURE": lambda c: body(c, extended=True),
    b"BODY": lambda c: body(c, extended=False),
    b"RFC822": Cursor.nstring,
    b"RFC822.HEADER": Cursor.nstring,
    b"RFC822.TEXT": Cursor.nstring,
    b"EMAILID": Cursor.object_id,
    b"THREADID": _thread_id,
    b"SAVEDATE": _saved_at,
    b"PREVIEW": Cursor.nstring,
}
SECTIONS = (b"BODY[", b"BINARY[", b"BINARY.SIZE[")


def items(c: Cursor) -> dict[bytes, Any]:
    """Read "(" item *(SP item) ")", each item once.

    Keys are the names as written, sections included: b"BODY[1]<0>".
    """
    found: dict[bytes, Any] = {}
    c.literally(b"(")
    while True:
        name, value = _item(c)
        if name in found:
            raise c.fail(f"{name!r} once")
        found[name] = value
        if c.takes(b")"):
            return found
        c.sp()


def _item(c: Cursor) -> tuple[bytes, Any]:
    start = c.at
    for prefix in SECTIONS:
        if c.takes(prefix):
            _section(c, binary=prefix != b"BODY[")
            return _content(c, start, prefix)
    # "[" is an atom character, and a section was not meant.
    name = c.atom()
    if name not in ITEMS:
        raise c.fail("a known item")
    c.sp()
    return name, ITEMS[name](c)


def _content(c: Cursor, start: int, prefix: bytes) -> tuple[bytes, Any]:
    if prefix == b"BINARY.SIZE[":
        name = c.octets[start : c.at]
        c.sp()
        return name, c.number()
    if c.takes(b"<"):
        c.number()
        c.literally(b">")
    name = c.octets[start : c.at]
    c.sp()
    return name, c.nstring(binary=prefix == b"BINARY[")


def _section(c: Cursor, *, binary: bool) -> None:
    """Read [part-number] ["." section-text] and the bracket behind."""
    has_part = c.next().isdigit()
    if has_part:
        c.nz_number()
        while c.takes(b"."):
            if not c.next().isdigit():
                _kind(c, binary=binary, in_part=True)
                break
            c.nz_number()
    elif c.next() != b"]":
        _kind(c, binary=binary, in_part=False)
    c.literally(b"]")


def _kind(c: Cursor, *, binary: bool, in_part: bool) -> None:
    kind = next((kind for kind in PART_KINDS if c.takes(kind)), None)
    if kind is None or binary or (kind == b"MIME" and not in_part):
        raise c.fail("a section")
    if kind.startswith(b"HEADER.FIELDS"):
        c.sp()
        c.words(c.astring, empty=False)
