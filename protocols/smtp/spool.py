"""Where the octets of a message wait until it is whole: in memory, then in a file.

A message over one chunk, and any when memory is short, goes to a file without a name,
which vanishes with the process. What is whole is read back to be delivered; large ones
take turns, so that memory stays within a setting however many arrive.
"""

import asyncio
import contextlib
import logging
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from typing import IO, Self

from django.conf import settings

from mailhost.store.content import CHUNK

log = logging.getLogger(__name__)

COPIES = 3  # of a message that is being delivered: as read, with its trace, parsed
MIB = 1_048_576


class Memory:
    """What the messages that arrive hold in this process, octets."""

    def __init__(self) -> None:
        self.arriving = 0
        self.delivered = 0
        self._turns: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def is_short(self) -> bool:
        """Whether what arrives should go to files."""
        return self.arriving > self._most

    @property
    def _most(self) -> int:
        most: int = settings.MAILHOST_ARRIVING_MB * MIB // 2
        return most

    async def take(self, octets: int) -> None:
        """Wait for room for so much; one message at least always has it."""
        if not self._turns and self._fits(octets):
            self.delivered += octets
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append((octets, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(octets)
            raise

    def give_back(self, octets: int) -> None:
        """Let those who wait go on, first come first served."""
        self.delivered -= octets
        while self._turns:
            wanted, turn = self._turns[0]
            if not turn.done():
                if not self._fits(wanted):
                    return
                self.delivered += wanted
                turn.set_result(None)
            self._turns.popleft()

    def _fits(self, octets: int) -> bool:
        return not self.delivered or self.delivered + octets <= self._most


memory = Memory()


class Spool:
    """Takes a message in pieces; forgets one that is over the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit  # octets
        self._buffer = bytearray()
        self._file: IO[bytes] | None = None
        self.size = 0  # octets that came, kept or not
        self.has_no_room = False  # the disk is full

    @classmethod
    def for_nothing(cls, limit: int) -> Self:
        """Return one that keeps nothing."""
        made = cls(limit)
        made.has_no_room = True
        return made

    @property
    def is_too_big(self) -> bool:
        """Whether more came than is taken."""
        return self.size > self._limit

    @property
    def is_lost(self) -> bool:
        """Whether nothing is kept any more."""
        return self.is_too_big or self.has_no_room

    @property
    def is_hopeless(self) -> bool:
        """Whether so much came that the rest is not waited for."""
        return self.size > 4 * self._limit

    def add(self, octets: bytes | bytearray | memoryview) -> None:
        """Take the next octets."""
        self.size += len(octets)
        if self.is_lost:
            self.close()
            return
        self._buffer += octets
        memory.arriving += len(octets)
        if len(self._buffer) > CHUNK or memory.is_short:
            self._spill()

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(  # noqa: SIM115 - see close
                    dir=settings.MAILHOST_DATA_DIR
                )
            self._file.write(self._buffer)
        except OSError:
            log.exception("a message that arrives cannot be kept")
            self.has_no_room = True
            self.close()
            return
        self._empty()

    def _empty(self) -> None:
        memory.arriving -= len(self._buffer)
        self._buffer.clear()

    @property
    def in_memory(self) -> bytes | None:
        """The message, if it never left memory."""
        return None if self._file is not None else bytes(self._buffer)

    @contextlib.asynccontextmanager
    async def whole(self) -> AsyncIterator[bytes]:
        """Give the message while it is delivered; from a file it waits for its turn.

        Raises OSError where the file cannot be read back.
        """
        cost = self.size * COPIES
        await memory.take(cost)
        try:
            # A large one takes long enough for others to notice.
            octets = await asyncio.to_thread(self._read)
            self.close()
            yield octets
        finally:
            memory.give_back(cost)

    def _read(self) -> bytes:
        if self._file is None:
            return bytes(self._buffer)
        self._file.write(self._buffer)
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Forget what was kept; more than once does no harm."""
        self._empty()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
