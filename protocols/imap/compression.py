"""COMPRESS between an IMAP protocol and its transport. RFC 4978.

The protocol sees plain octets, and this as its transport; the transport sees this as
its protocol. Both directions go in small pieces, a turn of the loop at a time, so that
neither a bomb nor a large message holds up other connections.
"""

import asyncio
from collections import deque
from typing import Any, Protocol, cast

from typing_extensions import override

from protocols.imap.deflate import Broken, Deflate

PIECE = 65_536  # octets compressed at once
TURN_SECONDS = 0.005  # that one direction of one connection holds the loop
READ_AHEAD = 65_536  # compressed octets kept that the protocol has not wanted yet


class Compressible(Protocol):
    """The protocol above."""

    def data_received(self, data: bytes) -> None:
        """As asyncio.Protocol, like the others."""

    def eof_received(self) -> bool: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def break_off(self, why: str) -> None:
        """Say BYE and close: what came in cannot be read."""


class Compression(asyncio.Transport, asyncio.Protocol):
    """Stands between `above` and `below` from the octet on that follows the OK."""

    __slots__ = (
        "_above", "_below", "_below_paused", "_closing", "_deflate", "_eof", "_loop",
        "_over", "_queue", "_queued", "_reading", "_scheduled",
    )  # fmt: skip

    def __init__(self, below: asyncio.Transport, above: Compressible) -> None:
        """Take the transport over."""
        self._above = above
        self._below = below
        self._loop = asyncio.get_running_loop()
        self._deflate = Deflate()
        self._reading = True  # whether `above` wants input
        self._scheduled = False  # whether `_deliver` will be called
        self._queue: deque[memoryview] = deque()  # to be compressed
        self._queued = False  # whether `_send_some` will be called
        self._below_paused = False
        self._closing = False
        self._eof = False
        self._over = False  # it stands between them no longer
        below.set_protocol(self)

    # From the client.

    @override
    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._deflate.feed(data)
        if self._reading and not self._scheduled:
            self._deliver()
        self._hold_back()

    @override
    def eof_received(self) -> bool:
        self._eof = True
        return self._above.eof_received() if not self._deflate.tail else True

    def _deliver(self) -> None:
        """Inflate piece by piece for as long as `above` wants them, and for a turn."""
        self._scheduled = False
        if self._over:
            return
        until = self._loop.time() + TURN_SECONDS
        try:
            while self._reading and not self._closing:
                octets = self._deflate.inflate()
                if not octets:
                    break
                self._above.data_received(octets)
                if self._loop.time() > until:
                    self._deliver_later()
                    break
        except Broken as error:
            self._deflate.tail = b""
            self._above.break_off(str(error))
        if self._eof and not self._deflate.tail and not self._closing:
            self._eof = False
            if not self._above.eof_received():
                self.close()
        self._hold_back()

    def _deliver_later(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _hold_back(self) -> None:
        """Let the client wait while there is enough of what it sent."""
        if self._closing or self._over:
            return
        enough = len(self._deflate.tail) > READ_AHEAD or not self._reading
        if enough and self._below.is_reading():
            self._below.pause_reading()
        elif not enough and not self._below.is_reading():
            self._below.resume_reading()

    @override
    def pause_reading(self) -> None:
        self._reading = False
        self._hold_back()

    @override
    def resume_reading(self) -> None:
        self._reading = True
        # Even without a tail: zlib keeps octets that did not fit into a piece.
        self._deliver_later()

    @override
    def is_reading(self) -> bool:
        return self._reading

    # To the client.

    @override
    def write(self, data: Any) -> None:
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            self._queue.append(view[start : start + PIECE])
        if not self._queued and not self._send_some():
            self._above.pause_writing()

    def _send_some(self) -> bool:
        """Compress what is queued, for a turn and while the client reads.

        Return whether all is sent.
        """
        was_queued, self._queued = self._queued, False
        if self._over:
            return True
        until = self._loop.time() + TURN_SECONDS
        while self._queue and not self._below_paused:
            self._below.write(self._deflate.compress(self._queue.popleft()))
            if self._queue and self._loop.time() > until:
                self._loop.call_soon(self._send_some)
                break
        self._queued = bool(self._queue)
        if self._queued:
            return False
        if self._closing:
            self._below.close()
        elif was_queued and not self._below_paused:
            self._above.resume_writing()
        return True

    @override
    def pause_writing(self) -> None:
        self._below_paused = True
        self._above.pause_writing()

    @override
    def resume_writing(self) -> None:
        self._below_paused = False
        if self._queue:
            self._send_some()
        else:
            self._above.resume_writing()

    @override
    def get_write_buffer_size(self) -> int:
        return self._below.get_write_buffer_size() + sum(map(len, self._queue))

    @override
    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        self._below.set_write_buffer_limits(high, low)

    # The end.

    def finish(self) -> tuple[asyncio.Transport, bytes]:
        """Step aside: return the transport, and what came in behind the stream.

        Both streams end here, whether the client closed its own with a last block or
        just stopped. RFC 8437 §4.1.
        """
        self._over = True
        for octets in self._queue:
            self._below.write(self._deflate.compress(octets))
        self._queue.clear()
        self._below.write(self._deflate.finish())
        self._below.set_protocol(cast("asyncio.Protocol", self._above))
        rest = self._deflate.tail
        self._deflate.close()
        if not self._below_paused:
            self._above.resume_writing()
        if self._eof:
            self._loop.call_soon(self._pass_eof)
        return self._below, rest

    def _pass_eof(self) -> None:
        if not self._above.eof_received():
            self._below.close()

    @override
    def close(self) -> None:
        self._closing = True
        if not self._queue:
            self._below.close()

    @override
    def is_closing(self) -> bool:
        return self._closing or self._below.is_closing()

    @override
    def abort(self) -> None:
        self._closing = True
        self._queue.clear()
        self._below.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._queue.clear()
        self._deflate.close()
        self._above.connection_lost(exc)

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._below.get_extra_info(name, default)
