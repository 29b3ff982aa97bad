"""Octets that are no lines: what follows DATA and BDAT goes past asyncio's reader."""

import asyncio

from typing_extensions import override

from protocols.smtp import replies
from protocols.smtp.connection import Closed
from protocols.smtp.data import Body, Chunk
from protocols.smtp.hello import HelloConnection


class ReceivingConnection(HelloConnection):
    """Hands octets to who finds their end."""

    _receiver: Body | Chunk | None = None
    _whole: "asyncio.Future[None] | None" = None
    _has_ended = False  # whether the client has closed its side

    async def receive(self, receiver: Body | Chunk, go_ahead: str = "") -> None:
        """Say go ahead, if that is said, and feed what follows; raises Closed."""
        if not receiver.wanted:
            return
        early = b""
        if self._unread:
            # Sent without waiting for an answer; where it ends is judged the same.
            most = 1 << 30 if receiver.wanted < 0 else receiver.wanted
            early = await self._reader.read(most)
        self._receiver, self._whole = receiver, self.loop.create_future()
        if go_ahead:
            self._replies += go_ahead.encode() + b"\r\n"
        if early:
            self._received_octets(early)
        if self._reader.at_eof():
            self._lose()
        if go_ahead or not self._is_whole:
            await self.flush()
        await self._whole

    @property
    def _is_whole(self) -> bool:
        """Whether the end came already; lost is not whole."""
        assert self._whole is not None
        return self._whole.done() and self._whole.exception() is None

    @override
    def data_received(self, data: bytes) -> None:
        if self._receiver is None:
            super().data_received(data)
        else:
            self._timer.touch()
            self._received_octets(data)

    def _received_octets(self, octets: bytes) -> None:
        assert self._receiver is not None
        rest = self._receiver.feed(octets)
        if rest is None:
            if self._receiver.spool.is_hopeless:
                self._end(replies.TOO_BIG_TO_WAIT)
                self._lose()
            return
        self._receiver = None
        assert self._whole is not None
        self._whole.set_result(None)
        if rest and self._has_ended:
            self._unread.extend(rest)  # the reader itself takes nothing any more
        elif rest:
            self._reader.feed_data(rest)

    def _lose(self) -> None:
        if self._receiver is not None and self._whole is not None:
            self._receiver = None
            self._whole.set_exception(Closed())

    @override
    def eof_received(self) -> bool:
        self._has_ended = True
        self._lose()
        return super().eof_received()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._lose()
        super().connection_lost(error)
