"""The asyncio protocol over a socket pair: push, backpressure, goodbyes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from accounts.signals import credential_revoked
from mailhost.store import append, changes, folders, patch, read
from mailhost.store.content import prepare
from mailhost.store.gate import gate
from mailhost.store.view import views
from protocols.common.context import ConnectionContext, Limits
from protocols.common.wheel import TimerWheel
from protocols.imap.server import ImapProtocol
from tests.conftest import PASSWORD

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)
HELLO = b"Subject: hello\r\n\r\nhello\r\n"


class Clock:
    """A wheel's time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class World:
    """A server on a free port, and who is connected to it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock)
        self.protocols: list[ImapProtocol] = []
        self.port = 0

    def protocol(self) -> ImapProtocol:
        made = ImapProtocol(
            ConnectionContext(
                connection_id="c",
                service="imap",
                peer="127.0.0.1",
                peer_port=1,
                local_port=143,
                tls=False,
                ssl_context=None,
                allow_plaintext_login=True,
                hostname="localhost",
                limits=Limits(60, 1800, 1, 1 << 20),
                wheel=self.wheel,
            )
        )
        self.protocols.append(made)
        return made


class Client:
    """One client, line by line."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def line(self) -> bytes:
        async with asyncio.timeout(10):
            return await self.reader.readline()

    async def do(self, command: str) -> list[bytes]:
        self.writer.write(f"a {command}\r\n".encode())
        lines = [await self.line()]
        while lines[-1] and not lines[-1].startswith(b"a "):
            lines.append(await self.line())
        return lines

    async def login(self) -> None:
        found = await self.do(f'LOGIN alice@example.test "{PASSWORD}"')
        assert found[-1].startswith(b"a OK")


@pytest.fixture
async def world(transactional_db: None) -> AsyncIterator[World]:
    views.clear()
    made = World()
    server = await asyncio.get_running_loop().create_server(
        made.protocol, "127.0.0.1", 0
    )
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await gate.close()


@asynccontextmanager
async def client(world: World) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    made = Client(reader, writer)
    assert (await made.line()).startswith(b"* OK")
    yield made
    writer.close()
    await asyncio.sleep(0.01)


async def put(user: "User", octets: bytes = HELLO, times: int = 1) -> None:
    account = await gate.read(lambda: user.account.pk)
    box = await gate.read(folders.open_folder, account, "INBOX")
    items = [(prepare(octets), 0, (), None)] * times
    await gate.write([account], append.append_many, account, box.id, items)


async def test_idle_is_told_of_a_delivery(world: World, alice: "User") -> None:
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        one.writer.write(b"b IDLE\r\n")
        assert await one.line() == b"+ idling\r\n"
        await put(alice)
        assert await one.line() == b"* 1 EXISTS\r\n"
        assert await one.line() == b"* 1 RECENT\r\n"
        one.writer.write(b"DONE\r\n")
        assert await one.line() == b"b OK IDLE completed\r\n"


async def test_no_literal_holds_nul(world: World, alice: "User") -> None:
    small = b"A: \0\r\n\r\nb\0c\r\n"
    large = b"A: \0\r\n\r\n" + (b"x" * 60 + b"\0\r\n") * 30_000
    await put(alice, small)
    await put(alice, large)
    items = (
        "BODY[]",
        "BODY[TEXT]",
        "BODY[HEADER]",
        "BODY[HEADER.FIELDS (A)]",
        "RFC822",
    )
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        for item in items:
            told = b"".join(await one.do(f"FETCH 1:2 ({item})"))
            assert b"\0" not in told, item
            header = 0 if "TEXT" in item else 2
            text = 0 if "HEADER" in item else 30_001
            assert told.count(b"\x80") == header + text, item
        told = b"".join(await one.do("FETCH 1 (BINARY[])"))
        assert b"BINARY[] ~{%d}\r\n%b" % (len(small), small) in told


async def test_what_breaks_off_inside_a_literal_is_not_talked_into_it(
    world: World, alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (b"x" * 78 + b"\r\n") * 40_000
    await put(alice, b"A: b\r\n\r\n" + lines)
    whole = read.octet_range

    def breaks(content_id: int, start: int, end: int) -> bytes:
        if start:
            raise RuntimeError("the disk is gone")
        return whole(content_id, start, end)

    monkeypatch.setattr(read, "octet_range", breaks)
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        one.writer.write(b"a FETCH 1 (BODY.PEEK[])\r\n")
        async with asyncio.timeout(10):
            told = await one.reader.read()
    assert told.startswith(b"* 1 FETCH (BODY[] {")
    assert set(told.partition(b"A: b")[2]) <= set(b"x\r\n")


async def test_a_client_that_does_not_read_holds_little(
    world: World, alice: "User"
) -> None:
    await put(alice, b"A: b\r\n\r\n" + (b"x" * 78 + b"\r\n") * 1_250, times=100)
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        one.writer.write(b"c FETCH 1:* BODY.PEEK[]\r\n")
        await asyncio.sleep(0.5)
        (protocol,) = world.protocols
        transport = protocol._transport
        assert transport is not None
        assert transport.get_write_buffer_size() < 8_000_000
        count = 0
        while not (line := await one.line()).startswith(b"c "):
            count += line.startswith(b"* ")
        assert count == 100
        assert line == b"c OK FETCH completed\r\n"


async def test_pipelined_in_front_of_the_end(world: World, alice: "User") -> None:
    async with client(world) as one:
        login = f'a LOGIN alice@example.test "{PASSWORD}"'
        one.writer.write(f"{login}\r\nb STATUS INBOX (MESSAGES)\r\n".encode())
        one.writer.write_eof()
        rest = await one.reader.read()
        assert b"\r\nb OK STATUS completed\r\n" in rest


async def test_drain_says_goodbye(world: World, alice: "User") -> None:
    async with client(world) as one:
        world.protocols[0].drain()
        assert await one.line() == b"* BYE Server is going down\r\n"
        assert await one.line() == b""


async def test_revoked_credentials_end_the_session(world: World, alice: "User") -> None:
    async with client(world) as one:
        await one.login()
        credential_revoked.send(type(alice), user_id=alice.pk + 1, app_password_id=None)
        assert (await one.do("NOOP"))[-1] == b"a OK NOOP completed\r\n"
        credential_revoked.send(type(alice), user_id=alice.pk, app_password_id=None)
        assert await one.line() == b"* BYE Credentials revoked\r\n"


async def test_silence_ends_a_connection(world: World, alice: "User") -> None:
    async with client(world) as one, client(world) as two:
        await one.login()
        world.clock.now = 62
        world.wheel.tick()
        # not logged in: a minute is all
        assert await two.line() == b"* BYE Idle for too long\r\n"
        assert (await one.do("NOOP"))[-1] == b"a OK NOOP completed\r\n"
        world.clock.now = 62 + 1802
        world.wheel.tick()
        assert await one.line() == b"* BYE Idle for too long\r\n"


async def test_a_very_large_message_is_streamed(world: World, alice: "User") -> None:
    body = b"y" * 78 + b"\r\n"
    big = b"Subject: big\r\n\r\n" + body * 60_000
    await put(alice, big)
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        lines = await one.do("UID FETCH 1 (BODY.PEEK[] BODY.PEEK[TEXT]<80.80> FLAGS)")
        said = b"".join(lines)
        head = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % len(big)
        tail = b" BODY[TEXT]<80> {80}\r\n" + body + b" FLAGS (\\Recent))\r\n"
        assert said == head + big + tail + b"a OK UID FETCH completed\r\n"


async def test_an_unknown_encoding_is_refused_before_a_large_message_begins(
    world: World, alice: "User"
) -> None:
    odd = b"Content-Transfer-Encoding: frob\r\n\r\n" + b"y" * 4_500_000
    await put(alice, odd)
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        lines = await one.do("FETCH 1 (BODY.PEEK[]<0.1> BINARY.PEEK[1])")
        refusal = b"The part has an unknown transfer encoding\r\n"
        assert lines == [b"a NO [UNKNOWN-CTE] " + refusal]


async def test_what_one_moved_is_gone_before_any_news(
    world: World, alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(alice, times=2)
    monkeypatch.setattr(patch, "newest", lambda *_: None)
    monkeypatch.setattr(changes.hub, "heard", lambda *_: None)
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        said = await one.do("MOVE 1 INBOX")
    assert b"* 1 EXPUNGE\r\n" in said
    assert b"* 2 EXISTS\r\n" in said


async def test_old_mail_with_raw_headers_is_taken(world: World, alice: "User") -> None:
    async with client(world) as one:
        await one.login()
        said = await one.do("APPEND INBOX {16+}\r\nSubject: \xfc\r\n\r\nx")
        assert said[-1].startswith(b"a OK [APPENDUID")
