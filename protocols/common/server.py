"""All services of one process: takes connections in, counts them, lets them finish."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from mailhost.certificates.contexts import Certificate
from protocols.common.accept import (
    Acceptor,
    Address,
    behind_proxy,
    is_within,
    networks,
)
from protocols.common.context import (
    ConnectionContext,
    Limits,
    Slot,
    is_loopback,
)
from protocols.common.limiter import Limiter, TooManyConnections, new_connection_id
from protocols.common.logs import ConnectionLog
from protocols.common.proxy import BadProxyHeader
from protocols.common.services import Factory, Service, Tls, load
from protocols.common.sockets import Listener
from protocols.common.wheel import TimerWheel

log = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0
DRAIN_LOOKS_SECONDS = 0.02

Taken = Callable[[socket.socket, Address], None]


@dataclass(slots=True)
class Live:
    """A connection in progress; protocol and transport are None in the handshake."""

    slot: Slot
    protocol: asyncio.BaseProtocol | None = None
    transport: asyncio.Transport | None = None


class Server:
    """Serves its listeners on the running loop until `drain`."""

    def __init__(self, listeners: list[Listener], certificate: Certificate) -> None:
        """Import the factories; nothing is accepted before `start`."""
        self._listeners = listeners
        self._certificate = certificate
        self._factories = {s: load(s) for s in {x.service for x in listeners}}
        self._limits = Limits.from_settings()
        self._trusted = networks(settings.MAILHOST_TRUSTED_PROXIES)
        self._limiter = Limiter(
            settings.MAILHOST_MAX_CONNECTIONS,
            settings.MAILHOST_MAX_CONNECTIONS_PER_ADDRESS,
            settings.MAILHOST_MAX_CONNECTIONS_PER_NETWORK,
        )
        self.wheel = TimerWheel()
        self.live: dict[str, Live] = {}
        self._acceptors: list[Acceptor] = []
        self._welcomes: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def connections(self) -> int:
        """How many are counted now."""
        return self._limiter.total

    def start(self) -> None:
        """Accept on every listener."""
        self._loop = loop = asyncio.get_running_loop()
        self.wheel.start(loop)
        self.wheel.timer(self._sweep, SWEEP_SECONDS)
        for listener in self._listeners:
            self._acceptors.append(
                Acceptor(loop, listener.socket, _taker(self, listener))
            )

    async def drain(self) -> None:
        """Accept no more, let every connection say goodbye, end those that do not."""
        for acceptor in self._acceptors:
            acceptor.close()
        for live in list(self.live.values()):
            self._ask_to_leave(live)
        for task in self._welcomes:
            task.cancel()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.drain_seconds
        while self.live and loop.time() < deadline:
            await asyncio.sleep(DRAIN_LOOKS_SECONDS)
            self._forget_closed()
        if self.live:
            log.warning("ending what did not finish connections=%d", len(self.live))
        for live in list(self.live.values()):
            if live.transport is not None:
                live.transport.abort()
        await asyncio.sleep(0)  # connection_lost
        self.wheel.stop()

    def taken(self, listener: Listener, sock: socket.socket, peer: Address) -> None:
        """Welcome an accepted socket."""
        assert self._loop is not None
        task = self._loop.create_task(self._welcome(listener, sock, peer))
        self._welcomes.add(task)
        task.add_done_callback(self._welcomes.discard)

    async def _welcome(
        self, listener: Listener, sock: socket.socket, peer: Address
    ) -> None:
        service = listener.service
        slot = Slot()
        try:
            # Until its header is read, it counts as the proxy's own.
            slot = self._limiter.take(peer[0])
            trusted = is_within(peer[0], self._trusted)
            if trusted:
                assert self._loop is not None
                peer = await behind_proxy(self._loop, sock, peer)
                slot.release()
                slot = self._limiter.take(peer[0])
            context = self._context(listener, peer, slot, trusted=trusted)
            await self._connect(service, sock, context)
        except TooManyConnections as error:
            log.warning("refused service=%s peer=%s: %s", service.name, peer[0], error)
            if service.tls is not Tls.IMPLICIT:
                with contextlib.suppress(OSError):
                    sock.send(service.busy)
            sock.close()
        except (BadProxyHeader, OSError, ssl.SSLError) as error:
            log.info("dropped service=%s peer=%s: %s", service.name, peer[0], error)
            slot.release()
            sock.close()
        except BaseException:
            slot.release()
            sock.close()
            raise

    async def _connect(
        self, service: Service, sock: socket.socket, context: ConnectionContext
    ) -> None:
        """Make the protocol, after the handshake where TLS comes first."""
        assert self._loop is not None
        implicit = service.tls is Tls.IMPLICIT
        live = self.live[context.connection_id] = Live(context.slot)
        seconds = self._limits.login_timeout_seconds
        try:
            transport, live.protocol = await self._loop.connect_accepted_socket(
                _maker(self._factories[service], context, live),
                sock,
                ssl=self._tls(service) if implicit else None,
                ssl_handshake_timeout=seconds if implicit else None,
            )
        except BaseException:
            context.closed()
            raise
        live.transport = transport
        ConnectionLog(log, context).debug("connected")

    def _context(
        self, listener: Listener, peer: Address, slot: Slot, *, trusted: bool
    ) -> ConnectionContext:
        service = listener.service
        connection_id = new_connection_id()
        starttls = service.tls is Tls.STARTTLS
        loopback = is_loopback(peer[0])
        return ConnectionContext(
            connection_id=connection_id,
            service=service.name,
            peer=peer[0],
            peer_port=peer[1],
            local_port=listener.port,
            tls=service.tls is Tls.IMPLICIT,
            ssl_context=self._tls(service) if starttls else None,
            allow_plaintext_login=settings.MAILHOST_ALLOW_PLAINTEXT_LOGIN or loopback,
            hostname=settings.MAILHOST_HOSTNAME,
            limits=self._limits,
            wheel=self.wheel,
            slot=Slot(lambda: self._left(connection_id, slot)),
            trusted_proxy=trusted,
        )

    def _tls(self, service: Service) -> ssl.SSLContext:
        certificate = self._certificate
        is_mx = service.name == "smtp"
        return certificate.ssl_context if is_mx else certificate.login_context

    def _left(self, connection_id: str, slot: Slot) -> None:
        self.live.pop(connection_id, None)
        slot.release()

    @staticmethod
    def _ask_to_leave(live: Live) -> None:
        drain = getattr(live.protocol, "drain", None)
        try:
            if drain is not None:
                drain()
            elif live.transport is not None:
                live.transport.close()
        except Exception:
            log.exception("a protocol failed to say goodbye")

    def _sweep(self) -> None:
        """Count out what ended without saying so, now and again later."""
        self._forget_closed()
        self.wheel.timer(self._sweep, SWEEP_SECONDS)

    def _forget_closed(self) -> None:
        for live in list(self.live.values()):
            if live.transport is not None and live.transport.is_closing():
                live.slot.release()


def _taker(server: Server, listener: Listener) -> Taken:
    return lambda sock, peer: server.taken(listener, sock, peer)


def _maker(
    factory: Factory, context: ConnectionContext, live: Live
) -> Callable[[], asyncio.BaseProtocol]:
    def make() -> asyncio.BaseProtocol:
        live.protocol = factory(context)
        return live.protocol

    return make
