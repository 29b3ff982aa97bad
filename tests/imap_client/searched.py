"""What answers SEARCH, SORT and THREAD. RFC 9051 §7.3.4, RFC 4731, RFC 5256."""

from collections.abc import Callable
from typing import Any

from tests.imap_client.cursor import Cursor


def numbers(c: Cursor) -> dict[str, Any]:
    """Read *(SP nz-number) [SP "(MODSEQ " n ")"]. RFC 7162 §7."""
    found: list[int] = []
    modseq = None
    while c.takes(b" "):
        if c.takes(b"(MODSEQ "):
            modseq = c.mod_sequence()
            c.literally(b")")
            break
        found.append(c.nz_number())
    if len(set(found)) != len(found):
        raise c.fail("numbers that are told once")
    return {"numbers": found, "modseq": modseq}


def thread(c: Cursor) -> list[Any]:
    """Read threads as nested lists. RFC 5256 §4."""
    if not c.takes(b" "):
        return []
    found = [_thread(c)]
    while c.next() == b"(":
        found.append(_thread(c))
    return found


def _thread(c: Cursor) -> list[Any]:
    """Read "(" members ")", or "(" 2*thread ")" whose parent is missing."""
    c.literally(b"(")
    c.depth += 1
    found: list[Any] = []
    if c.next() != b"(":
        found.append(c.nz_number())
        while c.takes(b" ") and c.next() != b"(":
            found.append(c.nz_number())
    nested = []
    while c.next() == b"(":
        nested.append(_thread(c))
    if len(nested) == 1:
        raise c.fail("two threads or more where they part")
    c.literally(b")")
    c.depth -= 1
    return found + nested


def esearch(c: Cursor) -> dict[str, Any]:
    """Read [correlator] [SP "UID"] *(SP name SP data)."""
    found: dict[str, Any] = {"uid": False}
    if c.takes(b" (TAG "):
        found["tag"] = c.string().decode()
        while c.takes(b" "):
            _correlator(c, found)
        c.literally(b")")
    if c.octets[c.at :].startswith((b" UID ", b" UID\r\n")):
        c.literally(b" UID")
        found["uid"] = True
    while c.takes(b" "):
        name = c.atom()
        if name.decode() in found:
            raise c.fail(f"{name!r} once")
        if name not in DATA:
            raise c.fail("known search data")
        c.sp()
        found[name.decode()] = DATA[name](c)
    return found


def _correlator(c: Cursor, found: dict[str, Any]) -> None:
    """Read MAILBOX name or UIDVALIDITY n. RFC 7377 §2.1."""
    if c.takes(b"MAILBOX "):
        found["mailbox"] = c.mailbox()
    else:
        c.literally(b"UIDVALIDITY ")
        found["uidvalidity"] = c.nz_number()


def _partial(c: Cursor) -> tuple[int, int, list[int]]:
    """Read "(" range SP (set / NIL) ")"; negative: from the end. RFC 9394 §3.1."""
    c.literally(b"(")
    sign = -1 if c.takes(b"-") else 1
    low = sign * c.nz_number()
    c.literally(b":")
    if sign < 0:
        c.literally(b"-")
    high = sign * c.nz_number()
    c.sp()
    found = [] if c.nil() else c.uid_set()
    c.literally(b")")
    return low, high, found


def _context(c: Cursor) -> list[tuple[int, list[int]]]:
    """Read "(" position SP set *(SP position SP set) ")". RFC 5267 §4.3."""

    def one() -> tuple[int, list[int]]:
        position = c.number()
        c.sp()
        return position, c.uid_set()

    return c.words(one, empty=False)


DATA: dict[bytes, Callable[[Cursor], Any]] = {
    b"MIN": Cursor.nz_number,
    b"MAX": Cursor.nz_number,
    b"COUNT": Cursor.number,
    b"MODSEQ": Cursor.mod_sequence,
    b"ALL": Cursor.uid_set,
    b"PARTIAL": _partial,
    b"ADDTO": _context,
    b"REMOVEFROM": _context,
    b"RELEVANCY": lambda c: c.words(lambda: c.number(1, 100)),
}
