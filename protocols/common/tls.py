"""STARTTLS for asyncio protocols: from a plain transport to an encrypted one.

What the client sent in the clear behind its STARTTLS line is the protocol's to forget
(RFC 3207 §4.2, RFC 2595 §4): it drops its buffer before it calls `start_tls`. What the
client sends during the handshake goes to the handshake and never to the protocol.
"""

import asyncio
import logging
from typing import Protocol

from typing_extensions import override

from protocols.common.context import ConnectionContext
from protocols.common.logs import ConnectionLog

log = logging.getLogger(__name__)

# The loop holds tasks weakly; a handshake must not vanish.
_handshakes: set[asyncio.Task[None]] = set()


class StartsTls(Protocol):
    """A protocol that can go on over TLS."""

    def tls_started(
        self, transport: asyncio.Transport, context: ConnectionContext
    ) -> None:
        """Use this transport and context from now on."""

    def data_received(self, data: bytes) -> None:
        """As asyncio.Protocol."""

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio.Protocol; called when the handshake fails, too."""


def start_tls(
    transport: asyncio.Transport, protocol: StartsTls, context: ConnectionContext
) -> None:
    """Begin the handshake; the go-ahead has been written to transport already.

    `protocol.tls_started` follows, or `protocol.connection_lost`.
    """
    # Now, not when the task runs: a quick client's first octets are the handshake's.
    transport.pause_reading()
    loop = asyncio.get_running_loop()
    task = loop.create_task(_handshake(loop, transport, protocol, context))
    _handshakes.add(task)
    task.add_done_callback(_handshakes.discard)


class _Meanwhile(asyncio.Protocol):
    """Stands in for the protocol until it knows its new transport."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.lost = False

    @override
    def data_received(self, data: bytes) -> None:
        self.octets += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


async def _handshake(
    loop: asyncio.AbstractEventLoop,
    transport: asyncio.Transport,
    protocol: StartsTls,
    context: ConnectionContext,
) -> None:
    assert context.ssl_context is not None
    meanwhile = _Meanwhile()
    try:
        encrypted = await loop.start_tls(
            transport,
            meanwhile,
            context.ssl_context,
            server_side=True,
            ssl_handshake_timeout=context.limits.login_timeout_seconds,
        )
    except Exception as error:  # noqa: BLE001 - whatever it was, this is the end
        expected = isinstance(error, OSError)  # ssl.SSLError and a timeout are ones
        level = logging.INFO if expected else logging.ERROR
        ConnectionLog(log, context).log(level, "tls handshake failed: %r", error)
        transport.abort()
        protocol.connection_lost(error)
        return
    if encrypted is None or meanwhile.lost:
        protocol.connection_lost(None)
        return
    encrypted.set_protocol(protocol)  # type: ignore[arg-type]  # is a BaseProtocol
    protocol.tls_started(encrypted, context.with_tls(encrypted))
    if meanwhile.octets:
        protocol.data_received(bytes(meanwhile.octets))
