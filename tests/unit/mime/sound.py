"""What holds for every parsed message, whatever its octets."""

from dataclasses import fields, is_dataclass
from datetime import UTC
from typing import Any

from mailhost.mime.limits import MAX_DEPTH, MAX_PARTS, MAX_PREVIEW, MAX_REFERENCES
from mailhost.mime.message import Parsed, Part, parse
from mailhost.mime.structure import from_json, to_json
from tests.unit.mime import imap_value


def check(octets: bytes) -> Parsed:
    """Parse, assert what must hold of all messages, and return the result."""
    parsed = parse(octets)
    check_ranges(parsed.root, 0, len(octets), 0)
    assert parsed.header == octets[: parsed.root.header[1]]
    assert parsed.root.body[1] == len(octets)
    count = 0
    for part in parsed.root.walk():
        count += 1
        assert parsed.root.find(part.section) is part
        start, end = part.body
        assert part.lines == octets.count(b"\n", start, end)
    assert count <= MAX_PARTS + 1
    assert from_json(to_json(parsed.root)) == parsed.root
    imap_value.check_envelope(imap_value.read(parsed.envelope))
    imap_value.check_body(imap_value.read(parsed.bodystructure), extended=True)
    imap_value.check_body(imap_value.read(parsed.body), extended=False)
    assert len(parsed.preview) <= MAX_PREVIEW
    assert len(parsed.references) <= MAX_REFERENCES
    assert parsed.sent_at is None or parsed.sent_at.tzinfo is UTC
    check_text(parsed)
    return parsed


def check_ranges(part: Part, start: int, end: int, depth: int) -> None:
    """Ranges lie in the parent's body, in order; a header meets its body."""
    assert depth <= MAX_DEPTH
    assert start <= part.header[0] <= part.header[1] == part.body[0] <= part.body[1]
    assert part.body[1] <= end
    cursor = part.body[0]
    for child in part.children:
        check_ranges(child, cursor, part.body[1], depth + 1)
        cursor = child.body[1]


def check_text(value: Any) -> None:
    """No text holds a NUL or a lone surrogate: every database takes it."""
    if isinstance(value, str):
        assert "\0" not in value
        value.encode("utf-8")
    elif isinstance(value, tuple):
        for item in value:
            check_text(item)
    elif is_dataclass(value):
        for item in fields(value):
            check_text(getattr(value, item.name))
