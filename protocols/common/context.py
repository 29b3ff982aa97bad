"""What every protocol factory is given: who is there, how, and within which limits.

`factory(context) -> asyncio.Protocol` is called once per accepted connection, after the
PROXY header and the implicit TLS handshake: `connection_made` follows at once, with a
transport that is ready to be written. What a protocol owes in return:

- `context.closed()` in its `connection_lost` (a sweep counts it out too, later);
- a method `drain()`: finish the running command, say goodbye, close;
- for STARTTLS, `protocols.common.tls.start_tls` and a method `tls_started`.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from django.conf import settings

from protocols.common.wheel import Timer, TimerWheel
from protocols.sasl import At


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings a protocol has to keep to."""

    login_timeout_seconds: float
    idle_timeout_seconds: float
    drain_seconds: float
    max_message_bytes: int
    max_line_bytes: int = 8192  # a command line with its CRLF, where no RFC says less

    @classmethod
    def from_settings(cls) -> Self:
        """Read them; once per process."""
        return cls(
            login_timeout_seconds=settings.MAILHOST_LOGIN_TIMEOUT_SECONDS,
            idle_timeout_seconds=settings.MAILHOST_IDLE_TIMEOUT_SECONDS,
            drain_seconds=settings.MAILHOST_DRAIN_SECONDS,
            max_message_bytes=settings.MAILHOST_MAX_MESSAGE_BYTES,
        )


class Slot:
    """One counted connection; released once."""

    __slots__ = ("_release",)

    def __init__(self, release: Callable[[], None] | None = None) -> None:
        self._release = release

    def release(self) -> None:
        """Count the connection out; more than once does no harm."""
        release, self._release = self._release, None
        if release is not None:
            release()


@dataclass(frozen=True, slots=True)
class ConnectionContext:
    """One accepted connection."""

    connection_id: str  # stands in every log line about it
    service: str  # the row of the registry: smtp, submission, imap, …
    peer: str  # address of the client, without its port; a proxy's word if trusted
    peer_port: int
    local_port: int
    tls: bool
    ssl_context: ssl.SSLContext | None  # for STARTTLS; None: do not offer it
    allow_plaintext_login: bool  # as set, or because the peer is on loopback
    hostname: str  # what this host calls itself in greetings
    limits: Limits
    wheel: TimerWheel  # the one timer of the process
    slot: Slot = field(default_factory=Slot, repr=False, compare=False)
    trusted_proxy: bool = False  # the socket's own peer may speak for others (XCLIENT)
    emails: tuple[str, ...] = ()  # in the client's certificate, verified by TLS

    @property
    def may_log_in(self) -> bool:
        """Whether a password may be asked for as the connection stands now."""
        return self.tls or self.allow_plaintext_login

    @property
    def offers_starttls(self) -> bool:
        """Whether to announce STARTTLS or STLS."""
        return not self.tls and self.ssl_context is not None

    def with_tls(self, transport: asyncio.BaseTransport) -> "ConnectionContext":
        """Return the context as it is after STARTTLS."""
        return replace(self, tls=True, ssl_context=None).on(transport)

    def on(self, transport: asyncio.BaseTransport) -> "ConnectionContext":
        """Return the context with what TLS knows of the client, once it is there."""
        if not (self.tls and settings.MAILHOST_CLIENT_CA):
            return self
        return replace(self, emails=emails_of(transport))

    def sasl(self, protocol: str) -> At:
        """Return what a SASL mechanism may know."""
        return At(protocol, self.tls, is_loopback(self.peer), self.emails)

    def timer(self, callback: Callable[[], None], seconds: float) -> Timer:
        """Call back once `seconds` after the last `touch()`, give or take a second."""
        return self.wheel.timer(callback, seconds)

    def closed(self) -> None:
        """Count the connection out."""
        self.slot.release()


def emails_of(transport: asyncio.BaseTransport) -> tuple[str, ...]:
    """Return the addresses in the client's certificate; its subject alone says none."""
    certificate = transport.get_extra_info("peercert") or {}
    names = certificate.get("subjectAltName", ())
    return tuple(value for kind, value in names if kind == "email")


def is_loopback(address: str) -> bool:
    """Tell whether a peer is on this machine; a peer without an address is."""
    if not address:  # a Unix socket
        return True
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback
