"""A message's body as DKIM hashes it. RFC 6376 §3.4.3 and §3.4.4.

In pieces and in linear time: the body is a stranger's, of any size, and a regular
expression over the whole would hold up everybody else.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

PIECE = 262_144  # octets
_BLANKS = re.compile(rb"  +")
_MARK = re.compile(rb"[^\t\r\n ]")


@dataclass(frozen=True, slots=True)
class Digest:
    """The hash of a body, and how many octets it has in its canonical form."""

    octets: bytes
    length: int


@dataclass(slots=True)
class Body:
    """A body, hashed once for each way of reading it."""

    octets: memoryview
    _done: dict[tuple[bytes, str, int | None], Digest] = field(default_factory=dict)

    def digest(self, form: bytes, algorithm: str, limit: int | None = None) -> Digest:
        """Return the hash of the body, or of its first `limit` canonical octets.

        `form` is simple or relaxed.
        """
        key = (form, algorithm, limit)
        if key not in self._done:
            self._done[key] = _digest(self.octets, key)
        return self._done[key]


def _digest(octets: memoryview, key: tuple[bytes, str, int | None]) -> Digest:
    form, algorithm, limit = key
    hashed = hashlib.new(algorithm, usedforsecurity=False)
    length = 0
    for piece in canonical(octets, relaxed=form == b"relaxed"):
        hashed.update(piece if limit is None else piece[: max(0, limit - length)])
        length += len(piece)
    return Digest(hashed.digest(), length)


def canonical(octets: memoryview, *, relaxed: bool) -> Iterator[bytes]:
    """Yield the canonical body in pieces."""
    held = 0  # line ends that are dropped if nothing follows
    empty = True
    for piece in _pieces(octets):
        if relaxed:
            piece = _relaxed(piece)
        kept = _without_line_ends(piece)
        if kept:
            yield b"\r\n" * held + kept
            held, empty = 0, False
        held += (len(piece) - len(kept)) // 2
    if relaxed and empty:
        return  # RFC 6376 §3.4.4: an empty body stays empty
    yield b"\r\n"


def _relaxed(piece: bytes) -> bytes:
    piece = piece.replace(b"\t", b" ")
    if b"  " in piece:
        piece = _BLANKS.sub(b" ", piece)
    return piece.replace(b" \r\n", b"\r\n")


def _pieces(octets: memoryview) -> Iterator[bytes]:
    """Cut the body only before an octet that is no white space."""
    start = 0
    while start < len(octets):
        end = start + PIECE
        if end < len(octets):
            mark = _MARK.search(octets, end)
            end = mark.start() if mark else len(octets)
        yield bytes(octets[start:end])
        start = end


def _without_line_ends(piece: bytes) -> bytes:
    end = len(piece.rstrip(b"\r\n"))
    if piece[end:] == b"\r\n" * ((len(piece) - end) // 2):
        return piece[:end]
    # A bare CR or LF is no line end: only whole pairs go.
    end = len(piece)
    while piece[end - 2 : end] == b"\r\n":
        end -= 2
    return piece[:end]
