"""ENVELOPE and BODYSTRUCTURE. RFC 9051 §7.5.2, §9 (envelope, body)."""

from typing import Any

from tests.imap_client.cursor import MOST_DEPTH, Cursor

ADDRESSES = ("from", "sender", "reply_to", "to", "cc", "bcc")


def envelope(c: Cursor) -> dict[str, Any]:
    """Read all ten fields."""
    c.literally(b"(")
    found: dict[str, Any] = {"date": c.nstring()}
    c.sp()
    found["subject"] = c.nstring()
    for name in ADDRESSES:
        c.sp()
        found[name] = (
            [] if c.nil() else c.words(lambda: address(c), empty=False, sep=b"")
        )
    for name in ("in_reply_to", "message_id"):
        c.sp()
        found[name] = c.nstring()
    c.literally(b")")
    return found


def address(c: Cursor) -> tuple[bytes | None, ...]:
    """Read (name route mailbox host); a host of NIL begins or ends a group."""
    c.literally(b"(")
    found = [c.nstring()]
    for _ in range(3):
        c.sp()
        found.append(c.nstring())
    c.literally(b")")
    return tuple(found)


def body(c: Cursor, *, extended: bool) -> dict[str, Any]:
    """Read one part; `extended`: BODYSTRUCTURE, which has more behind it."""
    c.literally(b"(")
    c.depth += 1
    if c.depth > MOST_DEPTH:
        raise c.fail("fewer parts inside each other")
    found = (_multipart if c.next() == b"(" else _single)(c, extended=extended)
    c.literally(b")")
    c.depth -= 1
    return found


def _multipart(c: Cursor, *, extended: bool) -> dict[str, Any]:
    parts = [body(c, extended=extended)]
    while c.next() == b"(":
        parts.append(body(c, extended=extended))
    c.sp()
    subtype = c.string()
    if extended and c.takes(b" "):
        parameters(c)
        _extension(c)
    return {"type": b"MULTIPART", "subtype": subtype.upper(), "parts": parts}


def _single(c: Cursor, *, extended: bool) -> dict[str, Any]:
    kind = c.string().upper()
    c.sp()
    subtype = c.string().upper()
    c.sp()
    parameters(c)
    for _ in range(2):  # id and description
        c.sp()
        c.nstring()
    c.sp()
    if not c.string():
        raise c.fail("an encoding")
    c.sp()
    found: dict[str, Any] = {"type": kind, "subtype": subtype, "octets": c.number()}
    if kind == b"MESSAGE" and subtype in {b"RFC822", b"GLOBAL"}:
        c.sp()
        found["envelope"] = envelope(c)
        c.sp()
        found["parts"] = [body(c, extended=extended)]
    if kind == b"TEXT" or "envelope" in found:
        c.sp()
        found["lines"] = c.number64()
    if extended and c.takes(b" "):
        c.nstring()  # md5
        _extension(c)
    return found


def _extension(c: Cursor) -> None:
    """Read [SP disposition [SP language [SP location]]]; we know of nothing more."""
    if not c.takes(b" "):
        return
    if not c.nil():
        c.literally(b"(")
        c.string()
        c.sp()
        parameters(c)
        c.literally(b")")
    if not c.takes(b" "):
        return
    if c.next() == b"(":
        c.words(c.string, empty=False)
    else:
        c.nstring()
    if c.takes(b" "):
        c.nstring()


def parameters(c: Cursor) -> None:
    """Read pairs of strings, or NIL."""
    if not c.nil():
        pairs = c.words(c.string, empty=False)
        if len(pairs) % 2:
            raise c.fail("a value for each name")
