"""A server outside that does as a test tells it, and names that lead to it."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailhost.outbound import routing
from protocols.common.certificate import make_self_signed
from tests.unit.smtp import inbox
from tests.unit.smtp.conftest import ssl_context

__all__ = ["ssl_context"]


@dataclass
class Remote:
    """Speaks SMTP; `replies` answer a command line that begins so."""

    port: int = 0
    extensions: tuple[str, ...] = ("8BITMIME", "SIZE 1000000")
    replies: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    ssl_context: ssl.SSLContext | None = None
    tls_works: bool = True
    connections: int = 0

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        greeting = self.replies.get("greeting", "220 remote.example ESMTP")
        writer.write(greeting.encode() + b"\r\n")
        while line := (await reader.readline()).decode().strip():
            self.said.append(line)
            reply = self.reply(line)
            if reply == "hang up":
                break
            writer.write(reply.encode() + b"\r\n")
            if line == "DATA" and reply[:3] == "354":
                octets = await reader.readuntil(b"\r\n.\r\n")
                self.messages.append(octets[:-3])
                writer.write(self.replies.get(".", "250 2.0.0 thanks").encode())
                writer.write(b"\r\n")
            if line == "STARTTLS" and reply[:3] == "220":
                if not self.tls_works or self.ssl_context is None:
                    break
                await writer.start_tls(self.ssl_context)
            if line == "QUIT":
                break
        writer.close()

    def reply(self, line: str) -> str:
        for start, reply in self.replies.items():
            if line.upper().startswith(start.upper()):
                return reply
        if line.startswith("EHLO"):
            offered = [*self.extensions]
            if self.ssl_context and "STARTTLS" not in self.said:
                offered.append("STARTTLS")
            return "\r\n".join(
                ["250-remote.example", *(f"250-{x}" for x in offered)]
            ) + ("\r\n250 HELP")
        if line == "STARTTLS":
            return "220 go"
        return "354 go" if line == "DATA" else "250 2.1.0 OK"


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate of mx.far.example's that clients trust."""
    folder = Path(tempfile.mkdtemp(prefix="mailhost-tls-"))
    chain, key = folder / "chain.pem", folder / "key.pem"
    make_self_signed(chain, key, "mx.far.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
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

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    found.port = listening.sockets[0].getsockname()[1]
    settings.MAILHOST_OUTBOUND_PORT = found.port
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = True
    settings.MAILHOST_HOSTNAME = "mail.example.test"

    async def exchanges(domain: str) -> list[str]:
        if domain == "null.example":
            raise routing.Unroutable("5.1.10", "The domain takes no mail")
        if domain == "dns.example":
            raise routing.Unroutable("4.4.3", "No answer from DNS")
        return ["mx.far.example"]

    async def addresses_of(name: str) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(routing, "exchanges", exchanges)
    monkeypatch.setattr(routing, "addresses_of", addresses_of)
    yield found
    listening.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await inbox.close()
