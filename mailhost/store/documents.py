"""The folded texts of a message, by which it is found: made for the index, or read now.

Both come from here, so that a message is found alike before and after it is indexed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from typing_extensions import override

from mailhost.mime.casemap import casemap
from mailhost.mime.limits import MAX_SEARCHABLE
from mailhost.mime.part import Part
from mailhost.mime.search_text import Field, body_texts, header_fields, part_fields
from mailhost.mime.structure import from_json
from mailhost.search.query import (
    COLUMN_OF,
    COLUMNS,
    FIELD_COLUMNS,
    SEPARATOR,
    Contains,
    Where,
)
from mailhost.store import read

HELD_WHOLE = 4 << 20  # octets; of a larger message only the text parts are read


def fold(text: str) -> str:
    """Return a text, or a needle, as documents hold it."""
    return casemap(text).replace(SEPARATOR, " ").replace("\0", " ")


def contains(where: Where, needle: str, field: str = "") -> Contains:
    """Return the query for a text as somebody wrote it."""
    return Contains(where, fold(needle), fold(field))


class Texts(Mapping[str, str]):
    """The columns of one message, each made when it is asked for."""

    def __init__(self, content_id: int, size: int, header: bytes, parts: str) -> None:
        """Take what Content has of it."""
        self._content_id = content_id
        self._size = size
        self._header = header
        self._parts = parts
        self._octets: bytes | None = None
        self._made: dict[str, str] = {}

    @override
    def __getitem__(self, column: str) -> str:
        if column not in self._made:
            self._made[column] = self._make(column)
        return self._made[column]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    @override
    def __len__(self) -> int:
        return len(COLUMNS)

    def _make(self, column: str) -> str:
        if column in FIELD_COLUMNS:
            fields = header_fields(self._header, lambda name: _column(name) == column)
            return _joined(map(_line, fields))
        root: Part = from_json(self._parts)
        if column == "body":
            return _joined(body_texts(self._range, root))
        return _joined(map(_line, part_fields(self._range, root)))

    def _range(self, start: int, end: int) -> bytes:
        if self._size > HELD_WHOLE:
            return read.octet_range(self._content_id, start, end)
        if self._octets is None:
            self._octets = read.octets(self._content_id)
        return self._octets[start:end]


def _column(name: str) -> str:
    return COLUMN_OF.get(name.upper(), "header")


def _line(field: Field) -> str:
    return f"{field[0]}: {field[1]}"


def _joined(pieces: Iterable[str]) -> str:
    """Fold pieces into one column; mapping may lengthen a text: the limit holds."""
    folded: list[str] = []
    room = MAX_SEARCHABLE
    for piece in pieces:
        one = fold(piece)[:room]
        folded.append(one)
        room -= len(one) + 1
        if room <= 0:
            break
    if not folded:
        return ""
    return SEPARATOR + SEPARATOR.join(folded) + SEPARATOR


def document_rows(content_ids: Iterable[int]) -> dict[int, Texts]:
    """Return {content id: texts} of the contents there are, in one query."""
    rows: list[tuple[Any, ...]] = read.searchable(list(content_ids))
    return {row[0]: Texts(*row) for row in rows}
