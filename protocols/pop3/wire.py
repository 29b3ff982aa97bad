"""The socket's side of one POP3 connection: what is written, and when it ends."""

import asyncio
import logging

from typing_extensions import override

from protocols.common.context import ConnectionContext
from protocols.common.logs import ConnectionLog

log = logging.getLogger(__name__)

WRITE_AHEAD = 512 * 1024  # octets written and not yet taken by the client
LINGER_SECONDS = 30.0  # for the last octets, once a connection is closed


class Wire(asyncio.Protocol):
    """Writes, waits for a client that does not read, times out, closes."""

    def __init__(self, context: ConnectionContext) -> None:
        """Wait for the transport."""
        self._context = context
        self._log = ConnectionLog(log, context)
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._known = False  # somebody has logged in
        self._timer = context.timer(
            self._timed_out, context.limits.login_timeout_seconds
        )

    @override
    def pause_writing(self) -> None:
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writable.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._timer.cancel()
        self._writable.set()
        self._context.closed()

    def _use(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=WRITE_AHEAD)
        self._transport = transport

    def _still_there(self) -> None:
        if self._known:
            self._timer.touch()  # the time to log in never starts over

    def _timed_out(self) -> None:
        # RFC 1939 §3: nothing is removed and nothing is said.
        self._log.info("timed out")
        self._close()

    def _write(self, octets: bytes) -> None:
        if self._transport is not None:
            self._transport.write(octets)

    def _close(self) -> None:
        """Close behind what is written; a client that never takes it is cut off."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._timer.cancel()
            self._timer = self._context.timer(self._transport.abort, LINGER_SECONDS)
