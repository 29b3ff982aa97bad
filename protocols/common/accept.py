"""From a listening socket to a socket whose real client is known."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
from collections.abc import Callable

from protocols.common.proxy import MAX_2, BadProxyHeader, NoHeader, parse

log = logging.getLogger(__name__)

AT_ONCE = 64  # connections taken per turn of the loop
# Out of file descriptors or memory: wait until some connection ends.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
PAUSE_SECONDS = 0.5
# A trusted proxy says who is behind it at once. One that stays silent, or starts with
# something else, speaks for itself: it may use XCLIENT, or be a local program.
PROXY_WAIT_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.02

Address = tuple[str, int]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Acceptor:
    """Hands each accepted socket to `taken`, until closed."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listening: socket.socket,
        taken: Callable[[socket.socket, Address], None],
    ) -> None:
        """Accept from now on."""
        self._loop = loop
        self._listening = listening
        self._taken = taken
        self._open = True
        self._resume()

    def close(self) -> None:
        """Accept no more; the socket itself is the caller's."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._listening)

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                sock, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                log.error("cannot accept, pausing reason=%s", error)  # noqa: TRY400
                self._loop.remove_reader(self._listening)
                self._loop.call_later(PAUSE_SECONDS, self._resume)
                return
            sock.setblocking(False)
            self._taken(sock, plain(address))


def plain(address: tuple[object, ...]) -> Address:
    """Return address and port without scope; IPv4 in IPv6 as IPv4."""
    if len(address) < 2:
        return "", 0  # a Unix socket
    ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
    return str(getattr(ip, "ipv4_mapped", None) or ip), int(str(address[1]))


def networks(texts: list[str]) -> list[Network]:
    """Read MAILHOST_TRUSTED_PROXIES."""
    return [ipaddress.ip_network(text) for text in texts]


def is_within(peer: str, trusted: list[Network]) -> bool:
    """Tell whether an address is in one of the networks."""
    if not (trusted and peer):
        return False
    ip = ipaddress.ip_address(peer)
    return any(ip in network for network in trusted)


async def behind_proxy(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, proxy: Address
) -> Address:
    """Return whom a trusted proxy speaks for; takes exactly its header off the socket.

    Raises BadProxyHeader.
    """
    deadline = loop.time() + PROXY_WAIT_SECONDS
    while (left := deadline - loop.time()) > 0:
        octets = await _peek(loop, sock, left)
        if octets is None:  # silence
            break
        header = parse(octets)
        if isinstance(header, NoHeader):
            return proxy
        if header is not None:
            sock.recv(header.length)
            known = header.address is not None
            return (str(header.address), header.port) if known else proxy
        # Part of a header: still readable, so only time tells of more.
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    else:
        raise BadProxyHeader("it did not become whole in time")
    return proxy


async def _peek(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, seconds: float
) -> bytes | None:
    """Return what has arrived, leaving it; None after `seconds` without anything."""
    readable: asyncio.Future[None] = loop.create_future()

    def arrived() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(sock, arrived)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await readable
    finally:
        loop.remove_reader(sock)
    if not readable.done() or readable.cancelled():
        return None
    octets = sock.recv(MAX_2, socket.MSG_PEEK)
    if not octets:
        raise ConnectionResetError("closed before it said anything")
    return octets
