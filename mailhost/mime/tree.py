"""Octets to the tree of parts, with BODY and BODYSTRUCTURE rendered on the way.

One walk in the order of the message. Each level of multipart looks for its own
delimiters in its own range, within a budget of octets for all levels, so the work is
linear; a composite part over a limit stays one opaque part.
RFC 2046 §5.1, RFC 9051 §7.5.2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mailhost.mime import addresses, imap, parameters
from mailhost.mime.addresses import Entry
from mailhost.mime.headers import block_end, first_fields, unfold
from mailhost.mime.limits import (
    MAX_BOUNDARY,
    MAX_DEPTH,
    MAX_PARTS,
    SCAN_FACTOR,
    SCAN_LEAST,
)
from mailhost.mime.part import Part

ADDRESS_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
_MERGED = frozenset((b"to", b"cc", b"bcc"))
# What may follow a boundary on its line. RFC 2046 §5.1.1 lets any text follow; then a
# nested boundary that only adds to the outer one (b, b1) would end the outer part.
DELIMITER_END = re.compile(rb"(--)?+[ \t]*+(?:\r*+\n|\Z)")
TOKEN = re.compile(rb"[^\s;()]+")
ANGLE = re.compile(rb"<([^<>]*+)>")
LANGUAGE = re.compile(rb"[^\s,]+")
# Encodings that hide an embedded message from byte ranges; RFC 2046 §5.2.1 forbids
# them.
_OPAQUE = frozenset(("base64", "x-uuencode", "uuencode"))
_BLOB = parameters.Value("application", "octet-stream", (), b"NIL")


class Place(NamedTuple):
    """Where an entity stands, and what it is if it does not say."""

    start: int
    end: int
    number: str  # its IMAP number; of a message's top, that of the part around it
    depth: int
    is_top: bool  # the top of a message, which has a whole RFC 5322 header
    default: parameters.Value


@dataclass(slots=True)
class Tree:
    """What one walk over a message yields."""

    octets: bytes
    body: list[bytes] = field(default_factory=list)  # FETCH BODY, in pieces
    structure: list[bytes] = field(default_factory=list)  # FETCH BODYSTRUCTURE
    parts: int = 0  # found so far, read or not
    budget: int = 0  # octets that may still be looked through

    # Of the whole message's header:
    fields: dict[bytes, bytes] = field(default_factory=dict)
    entries: dict[bytes, list[Entry]] = field(default_factory=dict)

    def read(self) -> Part:
        """Read the whole message."""
        size = len(self.octets)
        self.budget = max(SCAN_FACTOR * size, SCAN_LEAST)
        self.parts = 1
        return self.entity(Place(0, size, "", 0, True, parameters.DEFAULT))

    def entity(self, place: Place) -> Part:
        """Read one entity: header, then a leaf, a multipart or a message in it."""
        middle = block_end(self.octets, place.start, place.end)
        header = self.octets[place.start : middle]
        fields = first_fields(header, _MERGED if place.is_top else ())
        if place.is_top and not place.number:
            self.fields = {name: unfold(value) for name, value in fields.items()}
            fields = self.fields
            self.entries = read_entries(fields)
        entity = Entity.of(fields, place, middle)
        if entity.type.main == "multipart":
            return self._multipart(entity)
        if entity.is_message:
            return self._message(entity)
        return self._leaf(entity)

    def _leaf(self, entity: "Entity") -> Part:
        start, end = entity.body
        lines = self.octets.count(b"\n", start, end)
        text = b" %d" % lines if entity.type.main == "text" else b""
        basic = b"(" + entity.basic() + text
        self.body.append(basic + b")")
        self.structure.append(basic + entity.extension() + b")")
        return entity.part(lines)

    def _opaque(self, entity: "Entity") -> Part:
        return self._leaf(entity._replace(type=_BLOB))

    def _multipart(self, entity: "Entity") -> Part:
        start, end = entity.body
        place = entity.place
        if self._is_too_much(place.depth, end - start):
            return self._opaque(entity)
        boundary = entity.boundary()
        spans = self._split(boundary, start, end) if boundary else []
        self.parts += len(spans)
        self._emit(b"(")
        children: list[Part] = []
        lines, cursor = 0, start
        is_digest = entity.type.sub == "digest"
        default = parameters.DIGEST if is_digest else parameters.DEFAULT
        prefix = f"{place.number}." if place.number else ""
        for number, (a, b) in enumerate(spans, 1):
            number_text = f"{prefix}{number}"
            child = self.entity(
                Place(a, b, number_text, place.depth + 1, False, default)
            )
            children.append(child)
            lines += self.octets.count(b"\n", cursor, child.body[0]) + child.lines
            cursor = child.body[1]
        if not spans:
            # 1*body: what has no delimiter is one text part, so that it can be read.
            children.append(self._whole(start, end, f"{prefix}1", place.depth + 1))
            lines, cursor = children[0].lines, end
        lines += self.octets.count(b"\n", cursor, end)
        subtype = b" " + imap.string(entity.type.sub.encode("ascii"))
        self.body.append(subtype + b")")
        extension = b" " + entity.type.rendered + entity.tail()
        self.structure.append(subtype + extension + b")")
        return entity.part(lines, tuple(children))

    def _whole(self, start: int, end: int, number: str, depth: int) -> Part:
        self.parts += 1
        place = Place(start, end, number, depth, False, parameters.DEFAULT)
        return self._leaf(Entity.of({}, place, start))

    def _message(self, entity: "Entity") -> Part:
        """Read message/rfc822 or message/global and the message in it."""
        start, end = entity.body
        place = entity.place
        if self._is_too_much(place.depth, 0):
            return self._opaque(entity)
        self._emit(b"(" + entity.basic() + b" ")
        if entity.encoding in _OPAQUE:
            nothing = imap.EMPTY_ENVELOPE + b' ("text" "plain" NIL NIL NIL "7bit" 0 0'
            self.body.append(nothing + b")")
            self.structure.append(nothing + b" NIL NIL NIL NIL)")
            children: tuple[Part, ...] = ()
            lines = self.octets.count(b"\n", start, end)
        else:
            self.parts += 1
            number = entity.number()
            # The envelope comes before the body, so the header is read for it first.
            middle = block_end(self.octets, start, end)
            fields = first_fields(self.octets[start:middle], _MERGED)
            unfolded = {name: unfold(value) for name, value in fields.items()}
            self._emit(imap.envelope(unfolded, read_entries(unfolded)) + b" ")
            child = self.entity(
                Place(start, end, number, place.depth + 1, True, parameters.DEFAULT)
            )
            children = (child,)
            lines = self.octets.count(b"\n", start, child.body[0]) + child.lines
        self.body.append(b" %d)" % lines)
        self.structure.append(b" %d%b)" % (lines, entity.extension()))
        return entity.part(lines, children)

    def _is_too_much(self, depth: int, size: int) -> bool:
        """Whether a composite part is over a limit; else its octets are paid for."""
        self.budget -= size
        return depth >= MAX_DEPTH or self.parts >= MAX_PARTS or self.budget < 0

    def _emit(self, octets: bytes) -> None:
        self.body.append(octets)
        self.structure.append(octets)

    def _split(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Return the ranges of the parts. The last may lack its closing delimiter.

        The line end in front of a delimiter belongs to it (RFC 2046 §5.1.1).
        """
        octets, needle = self.octets, b"\n--" + boundary
        spans: list[tuple[int, int]] = []
        opened = -1
        position = max(start - 1, 0)
        while (at := octets.find(needle, position, end)) >= 0:
            tail = DELIMITER_END.match(octets, at + len(needle), end)
            if tail is None:
                position = at + 1
                continue
            if opened >= 0:
                if self.parts + len(spans) + 1 >= MAX_PARTS:
                    break
                before = at - 1 if octets[at - 1] == 0x0D else at
                spans.append((opened, max(opened, before)))
            opened = -1 if tail[1] else tail.end()
            if tail[1]:
                break
            position = tail.end() - 1
        if opened >= 0:
            spans.append((opened, end))
        return spans


class Entity(NamedTuple):
    """An entity whose header is read and whose body is not."""

    place: Place
    header: tuple[int, int]
    body: tuple[int, int]
    type: parameters.Value
    disposition: parameters.Value
    encoding: str
    fields: Mapping[bytes, bytes]

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes], place: Place, middle: int) -> "Entity":
        """Read what the fields say of the body."""
        raw = fields.get(b"content-type")
        kind = place.default if raw is None else parameters.content_type(unfold(raw))
        raw = fields.get(b"content-disposition")
        shown = (
            parameters.NO_DISPOSITION
            if raw is None
            else parameters.disposition(unfold(raw))
        )
        raw = fields.get(b"content-transfer-encoding")
        token = None if raw is None else TOKEN.search(raw)
        encoding = "7bit" if token is None else _ascii(token[0])
        header, body = (place.start, middle), (middle, place.end)
        return cls(place, header, body, kind, shown, encoding, fields)

    @property
    def is_message(self) -> bool:
        """Whether this embeds a message."""
        return self.type.main == "message" and self.type.sub in {"rfc822", "global"}

    def number(self) -> str:
        """The IMAP number: the only part of a message adds ".1" to the message's."""
        number = self.place.number
        if not self.place.is_top:
            return number
        return f"{number}.1" if number else "1"

    def section(self) -> str:
        """What `Part.find` finds this by."""
        if not self.place.is_top:
            return self.place.number
        if not self.place.number:
            return ""
        if self.type.main == "multipart":
            return f"{self.place.number}.TEXT"
        return self.number()

    def boundary(self) -> bytes:
        """The boundary, as octets; b"" if there is none that can be."""
        text = self.type.get("boundary").rstrip()
        octets = text.encode("utf-8", "replace")
        return octets if len(octets) <= MAX_BOUNDARY else b""

    def basic(self) -> bytes:
        """Type to size: what BODY and BODYSTRUCTURE share."""
        fields = self.fields
        start, end = self.body
        return b'"%b" "%b" %b %b %b %b %d' % (
            self.type.main.encode("ascii"),
            self.type.sub.encode("ascii"),
            self.type.rendered,
            _nstring(fields.get(b"content-id")),
            _nstring(fields.get(b"content-description")),
            imap.string(self.encoding.encode("ascii", "replace")),
            end - start,
        )

    def extension(self) -> bytes:
        """MD5, then what a multipart has too: body-ext-1part."""
        return b" " + _nstring(self.fields.get(b"content-md5")) + self.tail()

    def tail(self) -> bytes:
        """Disposition, language, location."""
        fields, disposition = self.fields, self.disposition
        shown = b"NIL"
        if disposition.main:
            shown = b'("%b" %b)' % (
                disposition.main.encode("ascii"),
                disposition.rendered,
            )
        language = fields.get(b"content-language")
        location = fields.get(b"content-location")
        if language is None and location is None:
            return b" " + shown + b" NIL NIL"
        tongues = LANGUAGE.findall(parameters.without_comments(language or b""))
        return b" %b %b %b" % (shown, imap.string_list(tongues), _nstring(location))

    def part(self, lines: int, children: tuple[Part, ...] = ()) -> Part:
        """Return the node of the tree."""
        filename = self.disposition.get("filename") or self.type.get("name")
        return Part(
            self.section(),
            self.type.main,
            self.type.sub,
            self.type.pairs,
            self.disposition.main,
            self.disposition.pairs,
            _content_id(self.fields.get(b"content-id")),
            self.encoding,
            filename,
            self.header,
            self.body,
            lines,
            children,
        )


def read_entries(fields: Mapping[bytes, bytes]) -> dict[bytes, list[Entry]]:
    """Read the address fields of unfolded fields."""
    return {
        name: addresses.parse_entries(fields[name])
        for name in ADDRESS_FIELDS
        if name in fields
    }


def _nstring(value: bytes | None) -> bytes:
    return b"NIL" if value is None else imap.string(unfold(value))


def _content_id(value: bytes | None) -> str:
    if value is None:
        return ""
    match = ANGLE.search(value)
    return _ascii(match[1] if match else value, lower=False).strip()


def _ascii(octets: bytes, *, lower: bool = True) -> str:
    text = octets.decode("ascii", "replace").replace("\0", "")
    return text.lower() if lower else text
