"""The value of BODY[…] and BINARY[…] of one message. RFC 9051 §6.4.5, RFC 3516 §4."""

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from mailhost.mime.decode import decode_body
from mailhost.mime.headers import selector
from mailhost.mime.part import Part
from protocols.imap.errors import No
from protocols.imap.fetching.items import Body, Kind, Section
from protocols.imap.responses import string

DECODABLE = {
    "", "7bit", "8bit", "binary", "base64", "quoted-printable",
    "x-uuencode", "uuencode", "x-uue",
}  # fmt: skip


class Octets(Protocol):
    """One message: `render.Source`."""

    @property
    def size(self) -> int: ...
    @property
    def header(self) -> bytes: ...
    @property
    def root(self) -> Part | None: ...
    def slice(self, start: int, end: int) -> bytes:
        """Return octets [start, end)."""


@lru_cache(maxsize=256)
def _selector(section: Section) -> Callable[[bytes], bytes]:
    return selector(section.fields, exclude=section.kind is Kind.FIELDS_NOT)


def plain_span(body: Body, source: Octets) -> tuple[int, int] | None:
    """Return the octets of the message that are the value; None: it is made of them."""
    span = body.section.span(source.root, len(source.header), source.size)
    if body.binary or body.section.fields or span is None:
        return None
    return _narrow(span, body.partial)


def header_value(body: Body) -> Callable[[bytes], bytes]:
    """Return `body_value` for a section of the header, as a function of its block."""
    select = _selector(body.section) if body.section.fields else None
    partial = body.partial

    def value(header: bytes) -> bytes:
        octets = header if select is None else select(header)
        if partial is not None:
            octets = _cut(octets, partial)
        return string(octets)

    return value


def body_value(body: Body, source: Octets) -> bytes:
    """Return the value as it stands on the wire: a literal, a number or NIL."""
    if body.binary:
        return _binary(body, source)
    octets = body_octets(body, source)
    return b"NIL" if octets is None else string(octets)


def body_octets(body: Body, source: Octets) -> bytes | None:
    """Return what BODY[…] names; None: there is no such part. Runs SQL if large."""
    span = body.section.span(source.root, len(source.header), source.size)
    if span is None:
        return None
    if body.section.fields:
        return _cut(_selector(body.section)(source.slice(*span)), body.partial)
    return source.slice(*_narrow(span, body.partial))


def _binary(body: Body, source: Octets) -> bytes:
    encoding = encoding_of(body, source)
    span = body.section.span(source.root, len(source.header), source.size)
    if span is None:
        return b"0" if body.size_only else b"NIL"
    octets = decode_body(source.slice(*span), encoding)
    if body.size_only:
        return b"%d" % len(octets)
    octets = _cut(octets, body.partial)
    mark = b"~" if b"\0" in octets else b""
    return b"%b{%d}\r\n%b" % (mark, len(octets), octets)


def encoding_of(body: Body, source: Octets) -> str:
    """Return what BINARY has to undo; "" for what is no leaf. Raises No."""
    section, root = body.section, source.root
    part = root.find(section.part) if section.part and root is not None else None
    if part is None or part.type == "multipart" or (part.is_message and part.children):
        return ""
    if part.encoding not in DECODABLE:
        raise No("The part has an unknown transfer encoding", "UNKNOWN-CTE")
    return part.encoding


def _narrow(span: tuple[int, int], partial: tuple[int, int] | None) -> tuple[int, int]:
    if partial is None:
        return span
    start = min(span[0] + partial[0], span[1])
    return start, min(start + partial[1], span[1])


def _cut(octets: bytes, partial: tuple[int, int] | None) -> bytes:
    return octets if partial is None else octets[partial[0] : partial[0] + partial[1]]
