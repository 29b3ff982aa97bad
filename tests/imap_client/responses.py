"""A whole response, CRLF included, as a value. RFC 9051 §7, §9 (response)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.imap_client.codes import capabilities, response_code
from tests.imap_client.cursor import Cursor, Malformed, Mode
from tests.imap_client.fetched import items
from tests.imap_client.searched import esearch, numbers, thread
from tests.imap_client.told import (
    acl,
    genurlauth,
    identity,
    list_rights,
    listed,
    metadata,
    my_rights,
    namespaces,
    quota,
    quota_root,
    status_items,
    urlfetch,
    vanished,
)

CONDITIONS = {b"OK", b"NO", b"BAD"}


@dataclass(frozen=True, slots=True)
class Response:
    """`tag`: "*" untagged, "+" a continuation, else a command's.

    `kind`: OK, FETCH, EXISTS …; `number` stands before it, `value` follows it.
    """

    tag: str
    kind: str
    value: Any = None
    number: int = 0
    code: str = ""  # of OK, NO, BAD, BYE and PREAUTH
    argument: Any = None  # of the code
    text: str = ""
    raw: bytes = field(default=b"", compare=False, repr=False)

    @property
    def is_tagged(self) -> bool:
        return self.tag not in {"*", "+"}


def _names(c: Cursor) -> list[bytes]:
    found = []
    while c.takes(b" "):
        found.append(c.atom())
    return found


def _capability(c: Cursor) -> list[bytes]:
    return capabilities(c, _names(c))


def _enabled(c: Cursor) -> list[bytes]:
    names = _names(c)
    for name in names:
        c.mode.enable(name)
    return names


def _flags(c: Cursor) -> tuple[bytes, ...]:
    c.sp()
    return c.flags()


def _language(c: Cursor) -> list[bytes]:
    """RFC 5255 §3.6."""
    c.sp()
    tags = c.words(c.astring, empty=False)
    if len(tags) == 1:
        c.mode.translated = tags[0].lower() != b"i-default"
    return tags


def _comparator(c: Cursor) -> list[bytes]:
    """RFC 5255 §4.8: the active one, and those that matched."""
    c.sp()
    active = c.astring()
    return [active, *(c.words(c.astring, empty=False) if c.takes(b" ") else [])]


UNTAGGED: dict[bytes, Callable[[Cursor], Any]] = {
    b"CAPABILITY": _capability,
    b"ENABLED": _enabled,
    b"FLAGS": _flags,
    b"LIST": listed,
    b"LSUB": listed,
    b"XLIST": listed,
    b"STATUS": status_items,
    b"NAMESPACE": namespaces,
    b"ID": identity,
    b"SEARCH": numbers,
    b"SORT": numbers,
    b"ESEARCH": esearch,
    b"THREAD": thread,
    b"VANISHED": vanished,
    b"ACL": acl,
    b"LISTRIGHTS": list_rights,
    b"MYRIGHTS": my_rights,
    b"QUOTA": quota,
    b"QUOTAROOT": quota_root,
    b"METADATA": metadata,
    b"LANGUAGE": _language,
    b"COMPARATOR": _comparator,
    b"GENURLAUTH": genurlauth,
    b"URLFETCH": urlfetch,
}
NUMBERED = {b"EXISTS", b"RECENT", b"EXPUNGE", b"FETCH", b"UIDFETCH"}


def parse(octets: bytes, mode: Mode) -> Response:
    """Read one response; raises Malformed. ENABLED changes `mode`."""
    c = Cursor(octets, mode)
    if c.takes(b"* "):
        return _untagged(c)
    if c.next() == b"+":
        return _continuation(c)
    tag = c.tag()
    if tag == b"*":
        raise c.fail("a tag")
    c.sp()
    condition = c.atom()
    if condition not in CONDITIONS:
        raise c.fail("OK, NO or BAD")
    return _state(c, tag.decode("ascii"), condition)


def _continuation(c: Cursor) -> Response:
    """RFC 9051 §7.6: text, or base64, which may be empty."""
    c.literally(b"+ ")
    text = "" if c.next() == b"\r" else c.text()
    c.end()
    return Response("+", "+", text=text, raw=c.octets)


def _state(c: Cursor, tag: str, condition: bytes) -> Response:
    c.sp()
    code = response_code(c)
    text = c.text()
    c.end()
    if code is None and text.startswith("["):
        raise Malformed(f"a response code that is none: {c.octets!r}")
    name, argument = code if code is not None else (b"", None)
    return Response(
        tag, condition.decode(), code=name.decode(), argument=argument, text=text,
        raw=c.octets,
    )  # fmt: skip


def _untagged(c: Cursor) -> Response:
    if c.next().isdigit():
        return _numbered(c)
    kind = c.atom()
    if kind in CONDITIONS or kind in {b"BYE", b"PREAUTH"}:
        return _state(c, "*", kind)
    if kind not in UNTAGGED:
        raise c.fail("a known response")
    value = UNTAGGED[kind](c)
    c.end()
    return Response("*", kind.decode(), value, raw=c.octets)


def _numbered(c: Cursor) -> Response:
    number = c.number()
    c.sp()
    kind = c.atom()
    if kind not in NUMBERED or (not number and kind not in {b"EXISTS", b"RECENT"}):
        raise c.fail("a known response after a number")
    if c.mode.uidonly and kind in {b"FETCH", b"EXPUNGE"}:
        raise c.fail("no message number after ENABLE UIDONLY")
    value = None
    if kind.endswith(b"FETCH"):
        c.sp()
        value = items(c)
    c.end()
    return Response("*", kind.decode(), value, number, raw=c.octets)
