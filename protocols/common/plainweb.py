"""The small server for plain HTTP: what an authority asks, and the way to https://.

A process of its own, which knows no session and reads one table. One request a
connection; octets, seconds and connections are bounded.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import h11
import uvloop
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from mailhost.certificates import challenges
from mailhost.store.gate import gate

log = logging.getLogger(__name__)

SECONDS = 10.0  # for all of a request
MOST_OCTETS = 8192  # of its head
MOST_CONNECTIONS = 256


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: HTTPStatus
    body: str = ""
    location: str = ""


NOTHING = Reply(HTTPStatus.NOT_FOUND, "Not found\n")


def serve(listening: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM."""
    uvloop.run(_until_told(listening))


async def _until_told(listening: Sequence[socket.socket]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve_until(stop, listening)
    await gate.close()


async def serve_until(stop: asyncio.Event, listening: Sequence[socket.socket]) -> None:
    """Serve on these sockets until `stop`."""
    room = asyncio.Semaphore(MOST_CONNECTIONS)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if room.locked():
            writer.transport.abort()
            return
        async with room:
            await _talk(reader, writer)

    servers = [
        await asyncio.start_server(talk, sock=sock, limit=MOST_OCTETS)
        for sock in listening
    ]
    await stop.wait()
    for server in servers:
        server.close()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    wire = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_OCTETS)
    try:
        async with asyncio.timeout(SECONDS):
            request = await _request(wire, reader)
            if request is not None:
                reply = await answer(request)
                writer.write(_octets(wire, reply, whole=request.method != b"HEAD"))
                await writer.drain()
    except (h11.ProtocolError, OSError, TimeoutError):
        pass  # not HTTP, gone, or too slow
    except Exception:
        log.exception("a request for plain HTTP was not answered")
    finally:
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()


async def _request(
    wire: h11.Connection, reader: asyncio.StreamReader
) -> h11.Request | None:
    """Return the head of the request; None: there comes none."""
    while True:
        event = wire.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        wire.receive_data(await reader.read(MOST_OCTETS))


async def answer(request: h11.Request) -> Reply:
    """Return the answer to a challenge, a way to https://, or nothing."""
    target = request.target.decode("ascii", "replace")
    if request.method not in {b"GET", b"HEAD"}:
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET\n")
    if target.startswith(challenges.PATH):
        found = await gate.read(challenges.answer_to, target)
        return NOTHING if found is None else Reply(HTTPStatus.OK, found)
    fields = dict(request.headers)
    host = fields.get(b"host", b"").decode("ascii", "replace")
    return _elsewhere(host, target) if settings.MAILHOST_WEB_HTTPS else NOTHING


def _elsewhere(host: str, target: str) -> Reply:
    """Lead to the same place with TLS, at names of ours alone."""
    name, _port = split_domain_port(host)
    ours = bool(name) and validate_host(name, settings.ALLOWED_HOSTS)
    if not ours or not target.startswith("/") or not target.isprintable():
        return NOTHING
    port = settings.MAILHOST_WEB_TLS_PORT
    authority = name if port in {0, 443} else f"{name}:{port}"
    return Reply(HTTPStatus.PERMANENT_REDIRECT, location=f"https://{authority}{target}")


def _octets(wire: h11.Connection, reply: Reply, *, whole: bool) -> bytes:
    body = reply.body.encode("ascii")
    headers = [
        ("Content-Type", "text/plain; charset=us-ascii"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
    ]
    if reply.location:
        headers.append(("Location", reply.location))
    parts = [
        wire.send(h11.Response(status_code=reply.status, headers=headers)),
        wire.send(h11.Data(data=body if whole else b"")),
        wire.send(h11.EndOfMessage()),
    ]
    return b"".join(part or b"" for part in parts)
