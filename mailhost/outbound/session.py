"""One connection to one server, from its greeting to QUIT, with all that was said."""

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass, field, replace
from typing import Any

import aiosmtplib
from aiosmtplib import SMTPResponse
from aiosmtplib.errors import (
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from django.conf import settings
from typing_extensions import override

from mailhost.outbound.dialogue import Dialogue
from mailhost.outbound.routing import Hop, is_near
from mailhost.outbound.security import (
    Kind,
    Security,
    Untrusted,
    context_for,
    verify,
)
from mailhost.outbound.wire import Wire

CONNECT_SECONDS = 30.0
REPLY_SECONDS = 300.0  # RFC 5321 §4.5.3.2: five minutes for most
FAREWELL_SECONDS = 5.0


class NoConnection(Exception):
    """This address cannot be spoken with; the next one may."""

    def __init__(
        self, text: str, failure: str = "", lines: list[str] | None = None
    ) -> None:
        super().__init__(text)
        self.failure = failure  # RFC 8460 §4.3; empty: not about TLS
        self.lines = lines or []


class Client(aiosmtplib.SMTP):
    """aiosmtplib's client, which notes what is said."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dialogue = Dialogue()
        self._secret = False

    @override
    async def execute_command(self, *args: bytes, timeout: Any = None) -> SMTPResponse:
        self.dialogue.client(*((args[0], b"***") if self._secret else args))
        try:
            response = await super().execute_command(*args, timeout=timeout)
        except (SMTPException, OSError) as error:
            self.dialogue.note(said(error))
            raise
        self.dialogue.server(response.code, response.message)
        return response

    @override
    async def login(self, *args: Any, **kwargs: Any) -> SMTPResponse:
        self._secret = True
        try:
            return await super().login(*args, **kwargs)
        finally:
            self._secret = False


@dataclass(slots=True)
class Session:
    """An open connection, ready for MAIL."""

    client: Client
    wire: Wire
    hop: Hop
    address: str
    security: str  # for people: "TLSv1.3, DANE"
    failure: str = ""  # a TLS failure that did not keep us from sending. RFC 8460 §4.3
    messages: int = 0
    idle_since: float = field(default=0.0)
    must_reset: bool = False  # the last transaction was left without DATA

    @property
    def is_open(self) -> bool:
        """Whether it can be written to."""
        return self.wire.is_open

    @property
    def pipelines(self) -> bool:
        """Whether commands may be sent together. RFC 2920 §3."""
        return self.client.supports_extension("pipelining")

    async def close(self) -> None:
        """Say goodbye."""
        if self.wire.is_open:
            with contextlib.suppress(SMTPException, OSError):
                self.wire.ask([b"QUIT"])
                await self.wire.reply(FAREWELL_SECONDS)
        self.wire.close()
        self.client.close()


async def connect(hop: Hop, address: str) -> Session:
    """Open a connection as secure as the hop wants; raises NoConnection.

    Where TLS is opportunistic and fails, it is done without (RFC 7435 §3), where a
    policy is in mode testing, without verifying; the failure is kept for the report.
    """
    failure, lines = "", list[str]()
    ways = _ways(hop.security)
    for number, (security, tls) in enumerate(ways):
        try:
            session = await _greeted(replace(hop, security=security), address, tls=tls)
        except NoConnection as error:
            if not error.failure or number + 1 == len(ways):
                raise
            failure, lines = failure or error.failure, error.lines
            continue
        session.hop, session.failure = hop, failure
        if lines:
            session.client.dialogue.note("before, with more security: " + lines[-1])
            session.client.dialogue.opened()
        return session
    raise AssertionError("the last way returns or raises")


def _ways(wanted: Security) -> list[tuple[Security, bool]]:
    """Return what is tried, one after another: (what is asked, whether TLS is)."""
    ways = [(replace(wanted, kind=Kind.PKIX), True)] if wanted.testing else []
    ways.append((wanted, True))
    return ways if wanted.is_required else [*ways, (wanted, False)]


async def _greeted(hop: Hop, address: str, *, tls: bool) -> Session:
    client = Client(
        hostname=hop.host,
        port=None,
        sock=await _socket(hop, address),
        local_hostname=settings.MAILHOST_HOSTNAME,
        timeout=CONNECT_SECONDS,
        start_tls=False,
        use_tls=hop.implicit_tls,
        tls_context=context_for(hop.security),
    )
    client.dialogue.note(f"{hop.host} [{address}]:{hop.port}")
    try:
        greeting = await client.connect()
        client.dialogue.server(greeting.code, greeting.message)
        await client.ehlo(timeout=REPLY_SECONDS)
        security = await _secured(client, hop, address, tls=tls)
        if hop.login:
            await client.login(hop.login, hop.password)
    except NoConnection as error:
        client.close()
        error.lines = client.dialogue.lines()
        raise
    except ssl.SSLError as error:
        client.close()
        raise _untrusted(client, error) from error
    except (SMTPException, OSError, ValueError, UnicodeError) as error:
        client.close()
        client.dialogue.note(said(error))
        raise NoConnection(said(error), lines=client.dialogue.lines()) from error
    client.dialogue.opened()
    assert client.protocol is not None
    wire = Wire(client.transport, client.protocol)
    return Session(client, wire, hop, address, security)


async def _socket(hop: Hop, address: str) -> socket.socket:
    # By ourselves: with a name as well, aiosmtplib would look it up again.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.sock_connect(made, (address, hop.port))
    except (OSError, TimeoutError) as error:
        made.close()
        note = f"* {hop.host} [{address}]:{hop.port}: {said(error)}"
        raise NoConnection(said(error), lines=[note]) from error
    except BaseException:
        made.close()
        raise
    return made


async def _secured(client: Client, hop: Hop, address: str, *, tls: bool) -> str:
    """Start TLS as the hop wants it; return what was reached, for people."""
    wanted = hop.security
    if not hop.implicit_tls:
        offered = client.supports_extension("starttls")
        if not offered and wanted.is_required and not _near_by(wanted.kind, address):
            raise NoConnection("TLS is not offered", "starttls-not-supported")
        if not offered or not tls:
            return "" if offered else "no TLS offered"
        await _start_tls(client, hop)
    tls_object = client.get_transport_info("ssl_object")
    try:
        trust = verify(wanted, hop.host, tls_object)
    except Untrusted as error:
        raise NoConnection(f"TLS: {error}", error.failure) from error
    return f"{tls_object.version()}{trust and ', ' + trust}"


async def _start_tls(client: Client, hop: Hop) -> None:
    client.dialogue.client(b"STARTTLS")
    try:
        await client.starttls(server_hostname=hop.host, timeout=CONNECT_SECONDS)
    except ssl.SSLError as error:
        raise _untrusted(client, error) from error
    except (SMTPException, OSError, ValueError) as error:
        client.dialogue.note(said(error))
        raise NoConnection(
            f"TLS failed: {said(error)}", "validation-failure"
        ) from error
    try:
        await client.ehlo(timeout=REPLY_SECONDS)
    except (SMTPException, OSError) as error:
        raise NoConnection(
            f"TLS failed: {said(error)}", "validation-failure"
        ) from error


def _near_by(kind: Kind, address: str) -> bool:
    # A smarthost on this machine needs no TLS for its password.
    return kind is Kind.PKIX_OR_NEAR and is_near(address)


def _untrusted(client: Client, error: ssl.SSLError) -> NoConnection:
    failure = "validation-failure"
    if isinstance(error, ssl.SSLCertVerificationError):
        # OpenSSL's X509_V_ERR_*: 10 expired, 62 and 64 not this name or address.
        failures = {10: "certificate-expired", 62: "certificate-host-mismatch"}
        failures |= {64: "certificate-host-mismatch"}
        failure = failures.get(error.verify_code, "certificate-not-trusted")
    client.dialogue.note(said(error))
    return NoConnection(f"TLS failed: {said(error)}", failure, client.dialogue.lines())


def said(error: Exception) -> str:
    """Return what the other side said, or what went wrong."""
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    if isinstance(error, SMTPServerDisconnected):
        return "The connection was lost"
    return str(error) or type(error).__name__
