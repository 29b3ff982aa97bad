"""The octets after DATA and BDAT: where they end, without the dots that were added.

Only CRLF.CRLF ends what follows DATA (RFC 5321 §4.1.1.4). A bare CR or LF never does:
servers that read one as a line end take a second, smuggled message out of the first.
What follows BDAT ends after as many octets as were announced (RFC 3030 §2).
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from mailhost.store.content import CHUNK
from protocols.smtp.spool import Spool

T = TypeVar("T")
END = b"\r\n.\r\n"
LONGEST = 65_536  # octets of a line that are kept back


class Body:
    """Finds the end of what follows DATA, in whatever pieces it comes."""

    wanted = -1  # as many as there are

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        # The line end of the DATA command itself: a first line may be the dot.
        self._unread = bytearray(b"\r\n")
        self._passed = 2  # octets of what is unread that the spool has already

    def feed(self, octets: bytes) -> bytes | None:
        """Take octets; return those that follow the end, None before it came."""
        start = max(0, len(self._unread) - len(END) + 1)
        self._unread += octets
        end = self._unread.find(END, start)
        if end >= 0:
            rest = bytes(self._unread[end + len(END) :])
            # The CRLF before the dot is the end of the message's own last line.
            self._pass_on(end + 2)
            return rest
        line = self._unread.rfind(b"\r\n")
        if line > 0:
            self._pass_on(line + 2)
            del self._unread[:line]
            self._passed = 2
        elif len(self._unread) > LONGEST:
            # A CR at the end may belong to a line end.
            self._pass_on(len(self._unread) - 1)
            del self._unread[:-1]
            self._passed = 0
        return None

    def _pass_on(self, end: int) -> None:
        """Give the spool what stands before end, without added dots."""
        octets = self._unread[:end]
        if b"\r\n." in octets:
            octets = octets.replace(b"\r\n.", b"\r\n")  # RFC 5321 §4.5.2
        self.spool.add(memoryview(octets)[self._passed :])


class Chunk:
    """Counts off what follows one BDAT."""

    def __init__(self, size: int, spool: Spool) -> None:
        self.spool = spool
        self.wanted = size  # octets that are missing

    def feed(self, octets: bytes) -> bytes | None:
        """Take octets; return those that follow the chunk, None before it is whole."""
        mine = octets[: self.wanted]
        self.spool.add(mine)
        self.wanted -= len(mine)
        return None if self.wanted else octets[len(mine) :]


async def off_the_loop(fn: Callable[[bytes], T], octets: bytes) -> T:
    """Return fn(octets); for large ones in a thread, so that others need not wait."""
    if len(octets) <= CHUNK:
        return fn(octets)
    return await asyncio.to_thread(fn, octets)


def has_bare_line_ends(octets: bytes) -> bool:
    """Tell whether a CR or LF stands alone. RFC 5321 §2.3.8 forbids both."""
    pairs = octets.count(b"\r\n")
    return octets.count(b"\n") != pairs or octets.count(b"\r") != pairs


def normalised(octets: bytes) -> bytes:
    """Return the octets with each bare CR or LF made a CRLF."""
    if not has_bare_line_ends(octets):
        return octets
    octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return octets.replace(b"\n", b"\r\n")
