"""Listeners, TLS, PROXY, limits and draining, over real sockets."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from pytest_django import Settings
from typing_extensions import override

from protocols.common.context import ConnectionContext, Limits
from protocols.common.services import Tls
from protocols.common.tls import start_tls
from protocols.common.wheel import TimerWheel
from tests.servers import certificate, client_tls, serving
from tests.unit.common.echo import Echo, service

V2 = b"\r\n\r\n\x00\r\nQUIT\n"


class Client:
    """Lines over a socket."""

    def __init__(self, port: int, before: bytes = b"") -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.sock.sendall(before)
        self.file = self.sock.makefile("rb")

    def secure(self) -> "Client":
        self.sock = client_tls().wrap_socket(self.sock, server_hostname="localhost")
        self.file = self.sock.makefile("rb")
        return self

    def send(self, octets: bytes) -> None:
        self.sock.sendall(octets)

    def line(self) -> str:
        return self.file.readline().decode().rstrip("\r\n")

    def ask(self, line: str) -> str:
        self.send(f"{line}\r\n".encode())
        return self.line()

    def rest(self) -> bytes:
        """Read to the end; a reset is one."""
        try:
            return self.file.read()
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        self.file.close()
        self.sock.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_a_plain_connection_knows_its_peer() -> None:
    with serving([service()]) as server, closing(Client(server.ports["echo"])) as c:
        assert c.line() == "hello echo"
        assert c.ask("WHO") == "127.0.0.1 tls=False login=True False"


def test_implicit_tls() -> None:
    with (
        serving([service(tls=Tls.IMPLICIT)]) as server,
        closing(Client(server.ports["echo"]).secure()) as c,
    ):
        assert c.line() == "hello echo"
        assert c.ask("WHO") == "127.0.0.1 tls=True login=True False"


def test_plain_octets_on_a_tls_port_end_the_connection() -> None:
    with (
        serving([service(tls=Tls.IMPLICIT)]) as server,
        closing(Client(server.ports["echo"], b"WHO\r\n" * 20)) as c,
    ):
        c.sock.settimeout(5)
        assert b"127.0.0.1" not in c.file.read()
        until(lambda: server.server is not None and server.server.connections == 0)


def test_starttls_forgets_what_was_said_before_it() -> None:
    with serving([service()]) as server, closing(Client(server.ports["echo"])) as c:
        c.line()
        c.send(b"STARTTLS\r\ninjected\r\n")
        assert c.line() == "go"
        c.secure()
        assert c.ask("WHO") == "127.0.0.1 tls=True login=True False"


def test_a_failed_starttls_is_counted_out() -> None:
    with serving([service()]) as server, closing(Client(server.ports["echo"])) as c:
        c.line()
        assert c.ask("STARTTLS") == "go"
        c.send(b"this is no handshake at all\r\n")
        assert b"handshake" not in c.rest()
        until(lambda: server.server is not None and server.server.connections == 0)


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (b"PROXY TCP4 192.0.2.7 127.0.0.1 5000 25\r\n", "192.0.2.7"),
        (b"PROXY TCP6 2001:db8::7 ::1 5000 25\r\n", "2001:db8::7"),
        (V2 + b"\x21\x11\0\x0c\xc0\0\2\7\x7f\0\0\1\x13\x88\0\x19", "192.0.2.7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (V2 + b"\x20\0\0\0", "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_a_trusted_proxy_is_believed(
    header: bytes, peer: str, tls: Tls, settings: Settings
) -> None:
    settings.MAILHOST_TRUSTED_PROXIES = ["127.0.0.0/8"]
    with serving([service(tls=tls)]) as server:
        client = Client(server.ports["echo"], header)
        with closing(client.secure() if tls is Tls.IMPLICIT else client) as c:
            assert c.line() == "hello echo"
            may = tls is Tls.IMPLICIT or peer == "127.0.0.1"
            secure = tls is Tls.IMPLICIT
            assert c.ask("WHO") == f"{peer} tls={secure} login={may} True"


def test_a_header_may_come_in_pieces(settings: Settings) -> None:
    settings.MAILHOST_TRUSTED_PROXIES = ["127.0.0.0/8"]
    with (
        serving([service()]) as server,
        closing(Client(server.ports["echo"], b"PROXY TCP4 192.0.2.7 127")) as c,
    ):
        c.send(b".0.0.1 5000 25\r\nWHO\r\n")
        assert c.line() == "hello echo"
        assert c.line().startswith("192.0.2.7 ")


def test_anybody_else_s_header_is_just_text() -> None:
    header = b"PROXY TCP4 192.0.2.7 127.0.0.1 5000 25\r\n"
    with (
        serving([service()]) as server,
        closing(Client(server.ports["echo"], header)) as c,
    ):
        assert c.line() == "hello echo"
        assert c.line() == header.decode().strip()


def test_a_trusted_peer_without_a_header_speaks_for_itself(
    settings: Settings,
) -> None:
    settings.MAILHOST_TRUSTED_PROXIES = ["127.0.0.0/8"]
    with (
        serving([service()]) as server,
        closing(Client(server.ports["echo"], b"WHO\r\n")) as c,
    ):
        assert c.line() == "hello echo"
        assert c.line().startswith("127.0.0.1 ")


def test_a_broken_header_ends_the_connection(settings: Settings) -> None:
    settings.MAILHOST_TRUSTED_PROXIES = ["127.0.0.0/8"]
    with (
        serving([service()]) as server,
        closing(Client(server.ports["echo"], b"PROXY TCP4 me you 1 2\r\n")) as c,
    ):
        assert c.rest() == b""


def test_one_too_many_is_told_and_room_comes_back(settings: Settings) -> None:
    settings.MAILHOST_MAX_CONNECTIONS_PER_ADDRESS = 1
    with serving([service()]) as server:
        port = server.ports["echo"]
        with closing(Client(port)) as first, closing(Client(port)) as second:
            assert first.line() == "hello echo"
            assert second.line() == "BUSY"
            assert second.line() == ""
        until(lambda: server.server is not None and server.server.connections == 0)
        with closing(Client(port)) as third:
            assert third.line() == "hello echo"


def test_a_protocol_that_forgets_is_swept() -> None:
    with serving([service(made="Forgetful")]) as server:
        assert server.server is not None
        with closing(Client(server.ports["echo"])) as c:
            assert c.line() == "hello echo"
            assert server.server.connections == 1
        until(lambda: sweep(server.server) == 0)


def sweep(server: object) -> int:
    server._forget_closed()  # type: ignore[attr-defined]
    return int(server.connections)  # type: ignore[attr-defined]


def test_draining_says_goodbye() -> None:
    with serving([service()]) as server, closing(Client(server.ports["echo"])) as c:
        assert c.line() == "hello echo"
        server.stop()
        assert c.line() == "bye"
        assert c.line() == ""


def test_draining_ends_who_stays(settings: Settings) -> None:
    settings.MAILHOST_DRAIN_SECONDS = 0.1
    with (
        serving([service(made="Stubborn")]) as server,
        closing(Client(server.ports["echo"])) as c,
    ):
        assert c.line() == "hello echo"
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 2
        assert c.line() == "no"


def test_a_handshake_in_progress_does_not_hold_the_end() -> None:
    with (
        serving([service(tls=Tls.IMPLICIT)]) as server,
        closing(Client(server.ports["echo"])),
    ):
        until(lambda: server.server is not None and server.server.connections == 1)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 2


def test_a_timeout_comes() -> None:
    with serving([service()]) as server, closing(Client(server.ports["echo"])) as c:
        c.line()
        assert c.ask("LATER") == "timeout"


def test_old_tls_is_refused() -> None:
    context = client_tls()
    with (
        serving([service(tls=Tls.IMPLICIT)]) as server,
        closing(Client(server.ports["echo"])) as c,
    ):
        tls = context.wrap_socket(c.sock, server_hostname="localhost")
        assert tls.version() in {"TLSv1.2", "TLSv1.3"}
        c.sock = tls
    assert ssl.HAS_TLSv1_2


async def test_nothing_is_read_before_the_handshake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What arrives right behind the go-ahead belongs to the handshake."""
    calls: list[str] = []
    over = asyncio.Event()

    class Transport(asyncio.Transport):
        @override
        def pause_reading(self) -> None:
            calls.append("paused")

        @override
        def abort(self) -> None:
            calls.append("aborted")

    class Lost(Echo):
        @override
        def connection_lost(self, exc: Exception | None) -> None:
            calls.append(f"lost: {exc}")
            over.set()

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no handshake")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "start_tls", broken)
    context = a_context()
    start_tls(Transport(), Lost(context), context)
    assert calls == ["paused"]
    await over.wait()
    assert calls == ["paused", "aborted", "lost: no handshake"]


def a_context() -> ConnectionContext:
    return ConnectionContext(
        connection_id="c",
        service="echo",
        peer="192.0.2.1",
        peer_port=1,
        local_port=2,
        tls=False,
        ssl_context=certificate().ssl_context,
        allow_plaintext_login=False,
        hostname="localhost",
        limits=Limits.from_settings(),
        wheel=TimerWheel(),
    )
