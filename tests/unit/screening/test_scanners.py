"""rspamd and ClamAV, played by small servers on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from mailhost.screening.checks.clamav import ClamAv, ClamAvError
from mailhost.screening.checks.rspamd import Rspamd, RspamdError
from mailhost.screening.values import Action
from tests.unit.screening.making import GOOD, incoming

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, socket: Path | None = None) -> AsyncIterator[str]:
    if socket is not None:
        server = await asyncio.start_unix_server(handler, str(socket))
        where = str(socket)
    else:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield where


def clamd(answer: bytes, seen: list[bytes]) -> Handler:
    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        octets = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            octets += await reader.readexactly(size)
        seen.append(octets)
        writer.write(answer)
        writer.close()

    return handle


async def test_clamav_on_its_socket(settings: Settings, tmp_path: Path) -> None:
    seen: list[bytes] = []
    big = GOOD + b"x" * 200_000
    async with serving(clamd(b"stream: OK\0", seen), tmp_path / "s") as where:
        settings.MAILHOST_CLAMAV = where
        assert ClamAv().is_on()
        assert await ClamAv().look(incoming(big)) is None
    assert seen == [big]


async def test_clamav_finds_something(settings: Settings) -> None:
    answer = b"stream: Eicar-Test-Signature FOUND\0"
    async with serving(clamd(answer, [])) as settings.MAILHOST_CLAMAV:
        found = await ClamAv().look(incoming())
    assert found is not None
    assert found.action is Action.REFUSE
    assert found.reason == "It holds a virus (Eicar-Test-Signature)"


@pytest.mark.parametrize(
    "answer", [b"INSTREAM size limit exceeded. ERROR\0", b"", b"\xff\xfe"]
)
async def test_clamav_that_could_not_look(settings: Settings, answer: bytes) -> None:
    async with serving(clamd(answer, [])) as settings.MAILHOST_CLAMAV:
        with pytest.raises(ClamAvError):
            await ClamAv().look(incoming())


def http(status: str, answer: bytes, seen: list[bytes]) -> Handler:
    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        length = next(
            int(line.split(b":")[1])
            for line in seen[0].split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        seen.append(await reader.readexactly(length))
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(answer)}\r\n\r\n"
        writer.write(head.encode() + answer)
        writer.close()

    return handle


async def rspamd(settings: Settings, status: str, answer: Any) -> tuple[Any, Any]:
    seen: list[bytes] = []
    octets = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    async with serving(http(status, octets, seen)) as where:
        settings.MAILHOST_RSPAMD = f"http://{where}"
        return await Rspamd().look(incoming(helo="a\r\nEvil: 1")), seen


async def test_rspamd(settings: Settings) -> None:
    answer = {
        "score": 7.5,
        "action": "add header",
        "symbols": {"BAD": {"score": 7}, "MEH": {"score": 0.5}, "ODD": 3},
    }
    found, (head, body) = await rspamd(settings, "200 OK", answer)
    assert (found.score, found.reason) == (7.5, "rspamd: BAD, MEH")
    assert found.action is Action.ACCEPT
    assert body == GOOD
    assert b"POST /checkv2 HTTP/1.1\r\n" in head
    assert b"\r\nIP: 192.0.2.1\r\n" in head
    assert b"\r\nHelo: aEvil: 1\r\n" in head


async def test_rspamd_with_nothing_to_say(settings: Settings) -> None:
    assert (await rspamd(settings, "200 OK", {"score": 0, "symbols": {}}))[0] is None


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("500 No", {}),
        ("200 OK", b"nonsense"),
        ("200 OK", []),
        ("200 OK", {"score": "x"}),
    ],
)
async def test_rspamd_that_is_ill(settings: Settings, status: str, answer: Any) -> None:
    with pytest.raises((RspamdError, ValueError)):
        await rspamd(settings, status, answer)
