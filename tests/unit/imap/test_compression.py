"""COMPRESS over a socket: no reply waits, nothing large holds the loop or memory."""

import asyncio
import random
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.unit.imap.test_server import Client, World, client, put, world

if TYPE_CHECKING:
    from accounts.models import User

__all__ = ["world"]
pytestmark = pytest.mark.django_db(transaction=True)


class Packed:
    """A client's stream pair over DEFLATE."""

    def __init__(self, below: Client, flush: int = zlib.Z_SYNC_FLUSH) -> None:
        self.below = below
        self.flush = flush
        self._in = zlib.decompressobj(-15)
        self._out = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._unread = b""

    def write(self, octets: bytes) -> None:
        self.below.writer.write(
            self._out.compress(octets) + self._out.flush(self.flush)
        )

    async def readline(self) -> bytes:
        while b"\n" not in self._unread:
            octets = await self.below.reader.read(65_536)
            if not octets:
                break
            self._unread += self._in.decompress(octets)
        line, end, self._unread = self._unread.partition(b"\n")
        return line + end


async def packed(below: Client, flush: int = zlib.Z_SYNC_FLUSH) -> Client:
    """Return the client, logged in and compressed."""
    await below.login()
    assert (await below.do("COMPRESS DEFLATE"))[-1] == b"a OK COMPRESS completed\r\n"
    stream = Packed(below, flush)
    return Client(stream, stream)  # type: ignore[arg-type] # all that it uses


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_PARTIAL_FLUSH])
async def test_no_reply_waits(world: World, alice: "User", flush: int) -> None:
    async with client(world) as below:
        one = await packed(below, flush)
        for _ in range(5):
            assert (await one.do("NOOP"))[-1] == b"a OK NOOP completed\r\n"
        await one.do("SELECT INBOX")
        one.writer.write(b"b IDLE\r\n")
        assert await one.line() == b"+ idling\r\n"
        await put(alice)
        assert await one.line() == b"* 1 EXISTS\r\n"
        assert await one.line() == b"* 1 RECENT\r\n"
        one.writer.write(b"DONE\r\n")
        assert await one.line() == b"b OK IDLE completed\r\n"
        again = (await one.do("COMPRESS DEFLATE"))[-1]
        assert again.startswith(b"a NO [COMPRESSIONACTIVE]")
        one.writer.write(b"c LOGOUT\r\n")
        assert (await one.line()).startswith(b"* BYE")
        assert await one.line() == b"c OK LOGOUT completed\r\n"
        assert await one.line() == b""


async def test_what_was_sent_ahead_is_compressed(world: World, alice: "User") -> None:
    async with client(world) as below:
        await below.login()
        pair = Packed(below)
        below.writer.write(
            b"a COMPRESS DEFLATE\r\n" + pair._out.compress(b"b NOOP\r\n")
        )
        pair.write(b"c NOOP\r\n")
        assert await below.line() == b"a OK COMPRESS completed\r\n"
        assert await pair.readline() == b"b OK NOOP completed\r\n"
        assert await pair.readline() == b"c OK NOOP completed\r\n"


async def test_plain_text_ends_the_connection(world: World, alice: "User") -> None:
    async with client(world) as below:
        one = await packed(below)
        below.writer.write(b"b NOOP\r\n" * 20)
        assert await one.line() == b"* BYE What you sent is not DEFLATE\r\n"
        assert await one.line() == b""


async def test_a_line_that_unfolds_is_too_long(world: World, alice: "User") -> None:
    async with client(world) as below:
        one = await packed(below)
        one.writer.write(b"b " + b"x" * (1 << 26))
        assert await one.line() == b"* BYE [TOOBIG] Command line too long\r\n"
        assert await one.line() == b""


async def test_pipelined_commands_that_unfold_wait_for_their_turn(
    world: World, alice: "User"
) -> None:
    async with client(world) as below, client(world) as other:
        await other.login()
        one = await packed(below)
        count = 40_000
        one.writer.write(b"b NOOP\r\n" * count)
        assert (await other.do("NOOP"))[-1] == b"a OK NOOP completed\r\n"
        (protocol, _) = world.protocols
        assert protocol._connection.framer.waiting_octets < 200_000
        for _ in range(count):
            assert await one.line() == b"b OK NOOP completed\r\n"


async def test_a_large_fetch_and_append_pass(world: World, alice: "User") -> None:
    big = b"Subject: big\r\n\r\n" + (b"y" * 78 + b"\r\n") * 12_000
    async with client(world) as below:
        one = await packed(below)
        one.writer.write(b"b APPEND INBOX {%d+}\r\n%b\r\n" % (len(big), big))
        assert b" OK [APPENDUID" in await one.line()
        await one.do("SELECT INBOX")
        said = b"".join(await one.do("FETCH 1 BODY.PEEK[]"))
        assert said == b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\na OK FETCH completed\r\n" % (
            len(big), big,
        )  # fmt: skip


async def test_a_client_that_does_not_read_holds_little(
    world: World, alice: "User"
) -> None:

    noise = random.Random(1).randbytes(100_000).replace(b"\0", b"\1")
    await put(alice, b"A: b\r\n\r\n" + noise, times=200)
    async with client(world) as below:
        one = await packed(below)
        await one.do("SELECT INBOX")
        one.writer.write(b"c FETCH 1:* BODY.PEEK[]\r\n")
        await asyncio.sleep(0.5)
        (protocol,) = world.protocols
        transport = protocol._transport
        assert transport is not None
        assert transport.get_write_buffer_size() < 8_000_000
        while not (line := await one.line()).startswith(b"c "):
            pass
        assert line == b"c OK FETCH completed\r\n"


async def test_half_close_behind_what_unfolds(world: World, alice: "User") -> None:
    async with client(world) as below:
        one = await packed(below)
        one.writer.write(b"b NOOP\r\n" * 30_000)
        below.writer.write_eof()
        for _ in range(30_000):
            assert await one.line() == b"b OK NOOP completed\r\n"
        assert await one.line() == b""
