"""The part tree as JSON: an array per part, in the order of Part's fields."""

import json
from typing import Any

from mailhost.mime.part import Part


def to_json(root: Part) -> str:
    """Return the tree as compact JSON."""
    return _ENCODE(_row(root))


def from_json(text: str) -> Part:
    """Return the tree that `to_json` wrote. Raises ValueError on anything else."""
    return _part(json.loads(text))


_ENCODE = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":")
).encode


# Recursion is bounded: MAX_DEPTH levels.
def _row(part: Part) -> list[Any]:
    return [
        part.section,
        part.type,
        part.subtype,
        part.parameters,
        part.disposition,
        part.disposition_parameters,
        part.content_id,
        part.encoding,
        part.filename,
        part.header,
        part.body,
        part.lines,
        [_row(child) for child in part.children],
    ]


def _part(row: list[Any]) -> Part:
    section, kind, subtype, parameters, shown, shown_parameters, *rest = row
    content_id, encoding, filename, header, body, lines, children = rest
    return Part(
        section,
        kind,
        subtype,
        tuple([(name, value) for name, value in parameters]),
        shown,
        tuple([(name, value) for name, value in shown_parameters]),
        content_id,
        encoding,
        filename,
        (header[0], header[1]),
        (body[0], body[1]),
        lines,
        tuple([_part(child) for child in children]),
    )
