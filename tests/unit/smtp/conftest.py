"""The three services on loopback sockets, and a client that speaks line by line."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from protocols.common.context import ConnectionContext, Limits
from protocols.common.wheel import TimerWheel
from protocols.smtp import server
from tests.conftest import PASSWORD
from tests.unit.smtp import inbox


@dataclass
class Client:
    """One connection; `say` returns the whole reply."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def reply(self) -> str:
        lines: list[str] = []
        while True:
            line = await asyncio.wait_for(self.reader.readuntil(b"\r\n"), 10)
            lines.append(line.decode().rstrip("\r\n"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    async def say(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        return await self.reply()

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def message(self, sender: str, recipients: list[str], octets: bytes) -> str:
        """One transaction; returns the last reply."""
        for line in (f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients)):
            said = await self.say(line)
            if said[0] != "2":
                return said
        assert (await self.say("DATA"))[:3] == "354"
        await self.send(octets + b"\r\n.\r\n")
        return await self.reply()

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(1), 10) == b""


@dataclass
class Services:
    """Connects clients to services of its own."""

    ssl_context: ssl.SSLContext
    max_message_bytes: int = 52_428_800
    servers: list[asyncio.Server] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    protocols: list[asyncio.BaseProtocol] = field(default_factory=list)

    def context(self, *, tls: bool, plaintext: bool) -> ConnectionContext:
        return ConnectionContext(
            connection_id="test",
            service="smtp",
            peer="192.0.2.7",
            peer_port=1,
            local_port=25,
            tls=tls,
            ssl_context=None if tls else self.ssl_context,
            allow_plaintext_login=plaintext,
            hostname="mail.example.test",
            limits=Limits(60, 1800, 5, self.max_message_bytes),
            wheel=TimerWheel(),
        )

    async def connect(
        self,
        factory: Callable[[ConnectionContext], asyncio.BaseProtocol],
        *,
        tls: bool = False,
        plaintext: bool = False,
    ) -> Client:
        def made() -> asyncio.BaseProtocol:
            protocol = factory(self.context(tls=tls, plaintext=plaintext))
            self.protocols.append(protocol)
            return protocol

        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            made, "127.0.0.1", 0, ssl=self.ssl_context if tls else None
        )
        self.servers.append(listening)
        port = listening.sockets[0].getsockname()[1]
        client = Client(
            *await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusting() if tls else None
            )
        )
        self.clients.append(client)
        return client

    async def submission(self, login: str = "", *, tls: bool = True) -> Client:
        client = await self.connect(server.submission_factory, tls=tls)
        await client.reply()
        await client.say("EHLO client.example")
        if login:
            said = await client.say(f"AUTH PLAIN {plain(login, PASSWORD)}")
            assert said == "235 2.7.0 Authentication successful"
        return client

    async def mx(self) -> Client:
        client = await self.connect(server.mx_factory)
        assert await client.reply() == "220 mail.example.test ESMTP mailhost"
        return client

    async def greeted_mx(self) -> Client:
        client = await self.mx()
        await client.say("EHLO client.example")
        return client

    async def close(self) -> None:
        for client in self.clients:
            client.writer.close()
        for listening in self.servers:
            listening.close()
        await asyncio.sleep(0)


def plain(login: str, password: str) -> str:
    return base64.b64encode(f"\0{login}\0{password}".encode()).decode()


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture(scope="session")
def ssl_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
async def services(ssl_context: ssl.SSLContext) -> AsyncIterator[Services]:
    found = Services(ssl_context)
    yield found
    await found.close()
    await inbox.close()
