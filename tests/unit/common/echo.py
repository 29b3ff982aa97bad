"""A protocol of five verbs, to test what all protocols share."""

import asyncio
from typing import cast

from typing_extensions import override

from protocols.common.context import ConnectionContext
from protocols.common.services import Service, Tls
from protocols.common.tls import start_tls


class Echo(asyncio.Protocol):
    """WHO, LATER, STARTTLS, HANG; anything else comes back."""

    def __init__(self, context: ConnectionContext) -> None:
        self.context = context
        self.transport: asyncio.Transport | None = None
        self.buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class
        self.say(f"hello {self.context.service}")

    def say(self, text: str) -> None:
        assert self.transport is not None
        self.transport.write(f"{text}\r\n".encode())

    @override
    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            self.command(line)

    def command(self, line: bytes) -> None:
        assert self.transport is not None
        c = self.context
        if line == b"WHO":
            self.say(f"{c.peer} tls={c.tls} login={c.may_log_in} {c.trusted_proxy}")
        elif line == b"STARTTLS":
            self.say("go")
            self.buffer = b""
            start_tls(self.transport, self, c)
        elif line == b"LATER":
            c.timer(lambda: self.say("timeout"), 0.2)
        else:
            self.say(line.decode("latin-1"))

    def tls_started(
        self, transport: asyncio.Transport, context: ConnectionContext
    ) -> None:
        self.transport, self.context = transport, context

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.context.closed()

    def drain(self) -> None:
        assert self.transport is not None
        self.say("bye")
        self.transport.close()


class Stubborn(Echo):
    """Does not leave when asked."""

    @override
    def drain(self) -> None:
        self.say("no")


class Forgetful(Echo):
    """Never counts itself out."""

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        pass


def service(name: str = "echo", tls: Tls = Tls.STARTTLS, made: str = "Echo") -> Service:
    """Return a service of this module."""
    return Service(name, name, 0, tls, f"{__name__}:{made}", b"BUSY\r\n")
