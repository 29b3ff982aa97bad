"""Octets as they arrive, cut into responses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.imap_client.cursor import Malformed, Mode
from tests.imap_client.responses import Response, parse

LITERAL_AT_END = re.compile(rb"(?<=[ (])~?\{(\d{1,10})\}\Z")
# RFC 7162 §4: a client has to bear lines of 8192; these bear EXISTS of many and sets.
MOST_LINE = 16 * 1024 * 1024


@dataclass
class Reader:
    """Feed it what the server sent; it yields each response that is whole."""

    mode: Mode = field(default_factory=Mode)
    _octets: bytearray = field(default_factory=bytearray)
    _searched: int = 0  # where the line now read began, behind its literals

    def feed(self, octets: bytes) -> Iterator[Response]:
        """Yield what has become whole. Raises Malformed."""
        self._octets += octets
        while (end := self._end()) is not None:
            whole = bytes(self._octets[:end])
            del self._octets[:end]
            self._searched = 0
            yield parse(whole, self.mode)

    @property
    def is_between(self) -> bool:
        """Whether nothing is left that is not whole."""
        return not self._octets

    def _end(self) -> int | None:
        """Return where the first response ends; None: it is not there yet."""
        while (end := self._octets.find(b"\r\n", self._searched)) >= 0:
            literal = LITERAL_AT_END.search(self._octets, self._searched, end)
            if literal is None:
                return end + 2
            begin = end + 2 + int(literal[1])
            if len(self._octets) < begin:
                return None
            self._searched = begin
        if len(self._octets) - self._searched > MOST_LINE:
            raise Malformed("a line without an end")
        return None


def responses(said: bytes, mode: Mode | None = None) -> list[Response]:
    """Return all that the server said; raises Malformed, also for a broken end."""
    reader = Reader(mode if mode is not None else Mode())
    found = []
    for response in reader.feed(said):
        found.append(response)
        if response.is_tagged and response.text.startswith("UNAUTHENTICATE"):
            reader.mode = Mode()  # RFC 8437 §3
    if not reader.is_between:
        raise Malformed(f"an unfinished response: {bytes(reader._octets[:200])!r}")
    return found
