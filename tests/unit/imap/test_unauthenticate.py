"""UNAUTHENTICATE over a socket: compression ends, nobody is watched or remembered."""

import zlib
from typing import TYPE_CHECKING

import pytest

from accounts.signals import credential_revoked
from mailhost.store import changes
from protocols.common.presence import sessions
from tests.conftest import PASSWORD
from tests.unit.imap.test_compression import Packed, packed
from tests.unit.imap.test_server import Client, World, client, put, world

if TYPE_CHECKING:
    from accounts.models import User

__all__ = ["world"]
pytestmark = pytest.mark.django_db(transaction=True)
LOGIN = f'LOGIN alice@example.test "{PASSWORD}"'


async def test_nothing_of_the_user_is_left(world: World, alice: "User") -> None:
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        done = await one.do("NOTIFY SET (personal (MessageNew MessageExpunge))")
        assert done[-1].startswith(b"a OK")
        assert changes.hub.watched()
        await one.do("UNAUTHENTICATE")
        (protocol,) = world.protocols
        assert not changes.hub.watched()
        assert protocol._connection.session.notified is None
        assert protocol not in dict(sessions.all())
        # their other sessions end, this one is nobody's
        credential_revoked.send(None, user_id=alice.pk)
        assert (await one.do("NOOP"))[-1] == b"a OK NOOP completed\r\n"
        await put(alice)
        assert await one.do("NOOP") == [b"a OK NOOP completed\r\n"]
        assert (await one.do(LOGIN))[-1].startswith(b"a OK [CAPABILITY")
        assert protocol in dict(sessions.all())


async def test_the_time_to_log_in_begins_anew(world: World, alice: "User") -> None:
    async with client(world) as one:
        await one.login()
        world.clock.now += 1_000
        world.wheel.tick()
        await one.do("UNAUTHENTICATE")
        await one.do("NOOP")
        world.clock.now += 62
        world.wheel.tick()
        assert await one.line() == b"* BYE Idle for too long\r\n"


async def test_guesses_are_counted_on(world: World, alice: "User") -> None:
    async with client(world) as one:
        await one.login()
        (protocol,) = world.protocols
        protocol._connection.session.failed_logins = 4
        await one.do("UNAUTHENTICATE")
        assert protocol._connection.session.failed_logins == 4


async def finished(below: Client, one: Client) -> bytes:
    """Return what came in the end of the compressed stream, and behind it in plain."""
    pair: Packed = one.reader  # type: ignore[assignment]
    while not pair._in.eof:
        pair._unread += pair._in.decompress(await below.reader.read(65_536))
    return pair._unread + pair._in.unused_data


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FINISH])
async def test_compression_ends(world: World, alice: "User", flush: int) -> None:
    async with client(world) as below:
        one = await packed(below)
        pair: Packed = one.writer  # type: ignore[assignment]
        pair.flush = flush
        pair.write(b"b UNAUTHENTICATE\r\n")
        said = await finished(below, one)
        assert said.startswith(b"b OK [CAPABILITY ")
        assert said.endswith(b"] UNAUTHENTICATE completed\r\n")
        assert (await below.do(LOGIN))[-1].startswith(b"a OK [CAPABILITY")
        done = (await below.do("COMPRESS DEFLATE"))[-1]
        assert done == b"a OK COMPRESS completed\r\n"
        stream = Packed(below)
        stream.write(b"c NOOP\r\n")
        assert await stream.readline() == b"c OK NOOP completed\r\n"


async def test_what_follows_the_stream_is_plain(world: World, alice: "User") -> None:
    async with client(world) as below:
        one = await packed(below)
        pair: Packed = one.writer  # type: ignore[assignment]
        end = pair._out.compress(b"b UNAUTHENTICATE\r\n")
        end += pair._out.flush(zlib.Z_FINISH)
        below.writer.write(end + f"c {LOGIN}\r\nd SELECT INBOX\r\n".encode())
        said = await finished(below, one)
        while b"\r\nd " not in said:
            said += await below.reader.read(65_536)
        assert b"\r\nc OK [CAPABILITY" in said
        assert said.endswith(b"d OK [READ-WRITE] SELECT completed\r\n")


async def test_a_stream_that_ends_early_holds_little(
    world: World, alice: "User"
) -> None:
    """Behind the last block of DEFLATE there is nothing to read."""
    async with client(world) as below:
        one = await packed(below)
        pair: Packed = one.writer  # type: ignore[assignment]
        pair.flush = zlib.Z_FINISH
        pair.write(b"b NOOP\r\n")
        assert await one.line() == b"b OK NOOP completed\r\n"
        below.writer.write(b"x" * 1_000_000)
        assert await one.line() == b"* BYE The compressed stream is over\r\n"
