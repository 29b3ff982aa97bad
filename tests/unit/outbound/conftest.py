"""A server outside that does as a test tells it, and names that lead to it."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from mailhost.certificates.contexts import make_self_signed
from mailhost.outbound import routing
from tests.unit.smtp import inbox
from tests.unit.smtp.conftest import ssl_context
from tests.world.dns import SERVFAIL, World, Zone, dns_server

__all__ = ["ssl_context"]


ZONE: Zone = {
    "far.example": {"MX": "10 mx.far.example."},
    "other.example": {"MX": "10 mx.far.example."},
    "mx.far.example": {"A": "127.0.0.1"},
    "null.example": {"MX": "0 ."},
    "dns.example": SERVFAIL,
}


@dataclass
class Remote:
    """Speaks SMTP; `replies` answer a command line that begins so."""

    port: int = 0
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 60000000")
    replies: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    ssl_context: ssl.SSLContext | None = None
    tls_works: bool = True
    most_on_one: int = 1000  # messages; a connection hangs up when it is asked for more
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    world: World = field(default_factory=lambda: World({}))

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.converse(reader, writer)
        finally:
            self.at_once -= 1

    async def converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        greeting = self.replies.get("greeting", "220 remote.example ESMTP")
        writer.write(greeting.encode() + b"\r\n")
        secured, mails, takes = False, 0, False
        while line := (await reader.readline()).decode().strip():
            self.said.append(line)
            for start, event in list(self.held.items()):
                if line.startswith(start):
                    await event.wait()
            mails += line.startswith("MAIL")
            reply = self.reply(line, secured=secured, takes=takes)
            if reply == "hang up" or mails > self.most_on_one:
                break
            takes = line[:4] != "MAIL" and (takes or line[:4] + reply[:3] == "RCPT250")
            writer.write(reply.encode() + b"\r\n")
            if line == "DATA" and reply[:3] == "354" and not await self.took(reader):
                break
            if line + reply[:3] == "DATA354":
                writer.write(self.replies.get(".", "250 2.0.0 thanks").encode())
                writer.write(b"\r\n")
            if line + reply[:3] == "STARTTLS220":
                if not self.tls_works or self.ssl_context is None:
                    break
                await writer.start_tls(self.ssl_context)
                secured = True
        writer.close()

    async def took(self, reader: asyncio.StreamReader) -> bool:
        """Keep a message; tell whether the connection goes on."""
        lines = list[bytes]()
        while (octets := await reader.readline()) not in {b".\r\n", b""}:
            lines.append(octets)
        if octets:  # else it was cut off, and nothing was received
            self.messages.append(b"".join(lines))
        return bool(octets) and self.replies.get(".") != "hang up"

    def reply(self, line: str, *, secured: bool, takes: bool) -> str:
        for start, reply in self.replies.items():
            if line.upper().startswith(start.upper()):
                return reply
        if line.startswith("EHLO"):
            offered = [*self.extensions]
            if self.ssl_context and not secured:
                offered.append("STARTTLS")
            return "\r\n".join(
                ["250-remote.example", *(f"250-{x}" for x in offered)]
            ) + ("\r\n250 HELP")
        if line == "STARTTLS":
            return "220 go"
        if line == "DATA":
            return "354 go" if takes else "554 5.5.1 for nobody"
        return "250 2.1.0 OK"


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    """Close what asgiref's thread has open: PostgreSQL drops no database in use."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def trusted(settings: Any) -> ssl.SSLContext:
    """A certificate of mx.far.example's that clients trust."""
    folder = Path(tempfile.mkdtemp(prefix="mailhost-tls-"))
    chain, key = folder / "chain.pem", folder / "key.pem"
    make_self_signed(chain, key, "mx.far.example")
    settings.MAILHOST_OUTBOUND_CA_FILE = str(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


@pytest.fixture
async def remote(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Remote]:
    """Every domain of far.example leads to it."""
    found = Remote()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await found.talk(reader, writer)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**26)
    found.port = listening.sockets[0].getsockname()[1]
    settings.MAILHOST_OUTBOUND_PORT = found.port
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = True
    settings.MAILHOST_HOSTNAME = "mail.example.test"

    async def addresses_of(name: str) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(routing, "addresses_of", addresses_of)
    with dns_server(dict(ZONE)) as found.world:
        settings.MAILHOST_DNS_SERVERS = [found.world.server]
        yield found
    listening.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await inbox.close()
