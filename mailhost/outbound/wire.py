"""The octets of an open connection: commands sent together, replies taken in order.

aiosmtplib greets, starts TLS and logs in; then its connection is taken over here, since
it waits for each reply before it sends the next command. RFC 2920
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiosmtplib import SMTPResponse
from aiosmtplib.errors import (
    SMTPException,
    SMTPReadTimeoutError,
    SMTPServerDisconnected,
)
from typing_extensions import override

GARBLED = "The server's reply cannot be understood"
MOST_OCTETS = 32_768  # of one reply
_REPLY = re.compile(rb"(?:(\d{3})-[^\n]*\n)*(\d{3})(?:[ \r][^\n]*)?\n")
_BEGUN = re.compile(rb"(?:\d{3}-[^\n]*\n)*(?:\d{0,3}|\d{3}[ \r-][^\n]*)")  # one coming


class Wire(asyncio.Protocol):
    """Writes commands and takes replies; one waiter at a time."""

    def __init__(self, transport: Any, client: asyncio.BaseProtocol) -> None:
        """Take over a transport whose protocol was `client`."""
        self._transport = transport
        self._client = client
        self._buffer = bytearray()
        self._replies: deque[SMTPResponse] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._error: Exception | None = None
        self._expected = 0
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether the next transaction may use it: alive, with nothing left unsaid."""
        return self._error is None and not self._transport.is_closing()

    def ask(self, lines: Sequence[bytes]) -> None:
        """Send commands, each of which brings a reply."""
        self._expected += len(lines)
        self._transport.write(b"".join(line + b"\r\n" for line in lines))

    async def say(self, pieces: AsyncIterator[bytes]) -> None:
        """Send a message, as RFC 5321 §4.5.2 wants it; one reply will follow."""
        async for piece in stuffed(pieces):
            if self._error is not None:
                raise self._error
            self._transport.write(piece)
            if self._drained is not None:
                await self._drained
        self._expected += 1

    async def reply(self, seconds: float) -> SMTPResponse:
        """Return the next reply. Raises what aiosmtplib raises."""
        if not self._replies and self._error is None:
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(seconds, self._late)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        if self._replies:
            return self._replies.popleft()
        assert self._error is not None
        raise self._error

    def close(self) -> None:
        """Close at once; who waits is told."""
        self._fail(SMTPServerDisconnected("The connection was closed"))

    def _late(self) -> None:
        self._fail(SMTPReadTimeoutError("Timed out waiting for server response"))

    def _fail(self, error: Exception) -> None:
        """End the connection: nobody knows what it would say next."""
        self._error = self._error or error
        self._transport.close()
        self._wake()
        self.resume_writing()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\n" in data and self._buffer and self._error is None:
            found = _REPLY.match(bytes(self._buffer))
            if found is None:
                break
            del self._buffer[: found.end()]
            self._take(_read(found))
        if not _BEGUN.fullmatch(self._buffer) or len(self._buffer) > MOST_OCTETS:
            self._fail(SMTPException(GARBLED))
        if self._replies:
            self._wake()

    def _take(self, reply: SMTPResponse | None) -> None:
        if reply is None:
            self._fail(SMTPException(GARBLED))
        elif self._expected == 0:
            # Nobody asked: mostly 421, a farewell.
            said = f"{reply.code} {reply.message}"
            self._fail(SMTPServerDisconnected(f"The connection was lost: {said}"))
        else:
            self._expected -= 1
            self._replies.append(reply)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        error = SMTPServerDisconnected("Connection lost")
        error.__cause__ = exc
        self._fail(error)
        self._client.connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        if self._drained is None:
            self._drained = self._loop.create_future()

    @override
    def resume_writing(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None


def _read(found: re.Match[bytes]) -> SMTPResponse | None:
    """Return a whole reply; None if its codes differ, or it is endless."""
    lines = found[0].split(b"\n")[:-1]
    if any(line[:3] != found[2] for line in lines) or found.end() > MOST_OCTETS:
        return None
    text = b"\n".join(line[4:].strip(b" \t\r") for line in lines)
    return SMTPResponse(int(found[2]), text.decode("utf-8", "surrogateescape"))


async def stuffed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield a message with CRLF at each line's end, dots doubled, and the last dot.

    A bare CR or LF is a line's end too: nobody may take it for another message's.
    """
    carried, ready, at_start = b"", b"", True
    async for piece in pieces:
        octets = carried + piece
        # A CR at the end may be half of a CRLF; what it is, the next piece tells.
        carried = b"\r" if octets.endswith(b"\r") else b""
        octets = octets.removesuffix(carried) if carried else octets
        if octets:
            if ready:
                yield ready
            ready = _lines(octets, at_start=at_start)
            at_start = ready.endswith(b"\n")
    yield ready + (b".\r\n" if at_start and not carried else b"\r\n.\r\n")


def _lines(octets: bytes, *, at_start: bool) -> bytes:
    ends = octets.count(b"\r\n")
    if octets.count(b"\n") != ends or octets.count(b"\r") != ends:
        octets = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    if b"\n." in octets:
        octets = octets.replace(b"\n.", b"\n..")
    return b"." + octets if at_start and octets.startswith(b".") else octets
