"""A command that lasts is said to be worked on, and never in the middle of a reply."""

import asyncio
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from accounts import auth
from mailhost.store import read
from protocols.imap import names
from protocols.imap.commands import lsub
from tests.unit.imap.test_server import Client, World, client, put, world

if TYPE_CHECKING:
    from accounts.models import User

__all__ = ["world"]
pytestmark = pytest.mark.django_db(transaction=True)
STILL = b'* OK [INPROGRESS ("b" NIL NIL)] Still working\r\n'


class Held:
    """A function whose caller waits until it is let go."""

    def __init__(self, fn: Any) -> None:
        self.fn = fn
        self.begun = threading.Event()
        self.released = threading.Event()

    def __call__(self, *args: Any) -> Any:
        self.begun.set()
        assert self.released.wait(10)
        return self.fn(*args)

    async def is_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 10)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    made = Held(names.all_folders)
    monkeypatch.setattr(lsub, "all_folders", made)
    yield made
    made.released.set()


def later(world: World, seconds: float) -> None:
    world.clock.now += seconds
    world.wheel.tick()


async def said(one: Client) -> list[bytes]:
    """Return what has come, without waiting for more."""
    await asyncio.sleep(0.05)
    octets = bytes(one.reader._buffer)  # type: ignore[attr-defined]
    one.reader._buffer.clear()  # type: ignore[attr-defined]
    return octets.splitlines(keepends=True)


async def test_it_is_told_every_ten_seconds(
    world: World, alice: "User", held: Held
) -> None:
    async with client(world) as one, client(world) as other:
        await one.login()
        await other.login()
        one.writer.write(b'b LSUB "" *\r\n')
        await held.is_begun()
        later(world, 8)
        assert await said(one) == []
        later(world, 3)
        assert await said(one) == [STILL]
        later(world, 8)
        assert await said(one) == []
        later(world, 4)
        assert await said(one) == [STILL]
        assert await said(other) == []
        held.released.set()
        lines = [await one.line()]
        while not lines[-1].startswith(b"b "):
            lines.append(await one.line())
        assert lines[-1] == b"b OK LSUB completed\r\n"
        later(world, 60)
        assert await said(one) == []


async def test_never_within_a_response(
    world: World, alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    big = b"Subject: big\r\n\r\n" + (b"y" * 78 + b"\r\n") * 30_000
    await put(alice, big)
    held = Held(read.octet_range)
    monkeypatch.setattr(read, "octet_range", held)
    async with client(world) as one:
        await one.login()
        await one.do("SELECT INBOX")
        one.writer.write(b"b FETCH 1 BODY.PEEK[]\r\n")
        await held.is_begun()
        later(world, 30)
        later(world, 30)
        held.released.set()
        async with asyncio.timeout(10):
            first = await one.reader.readline()
            assert first == b"* 1 FETCH (BODY[] {%d}\r\n" % len(big)
            assert await one.reader.readexactly(len(big)) == big
        assert await one.line() == b")\r\n"
        assert await one.line() == b"b OK FETCH completed\r\n"


async def test_nothing_is_told_before_a_login(
    world: World, alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(auth.check)
    monkeypatch.setattr(auth, "check", held)
    async with client(world) as one:
        one.writer.write(b"b LOGIN alice@example.test x\r\n")
        await held.is_begun()
        later(world, 30)
        assert await said(one) == []
        held.released.set()
        assert (await one.line()).startswith(b"b NO ")
