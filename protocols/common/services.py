"""The services: name, port, how TLS begins, and who makes the protocol."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import TypeAlias

from protocols.common.context import ConnectionContext

log = logging.getLogger(__name__)

Factory: TypeAlias = Callable[[ConnectionContext], asyncio.BaseProtocol]


class Tls(Enum):
    """When a connection becomes encrypted."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"  # RFC 8314 §3
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Service:
    """One listening port."""

    name: str
    group: str  # what --only calls it
    port: int  # MAILHOST_PORT_OFFSET is added
    tls: Tls
    factory: str  # module:function
    busy: bytes  # said to one connection too many; TLS ports just close
    loopback_only: bool = False


SMTP_BUSY = b"421 4.7.0 Too many connections, try again later\r\n"
IMAP_BUSY = b"* BYE [UNAVAILABLE] Too many connections, try again later\r\n"
POP3_BUSY = b"-ERR [SYS/TEMP] Too many connections, try again later\r\n"
MX = "protocols.smtp.server:mx_factory"
SUBMISSION = "protocols.smtp.server:submission_factory"
LMTP = "protocols.smtp.server:lmtp_factory"
IMAP = "protocols.imap.server:factory"
POP3 = "protocols.pop3.server:factory"

SERVICES: tuple[Service, ...] = (
    Service("smtp", "smtp", 25, Tls.STARTTLS, MX, SMTP_BUSY),
    Service("submission", "smtp", 587, Tls.STARTTLS, SUBMISSION, SMTP_BUSY),
    Service("submissions", "smtp", 465, Tls.IMPLICIT, SUBMISSION, SMTP_BUSY),
    # RFC 2033 §5: not for the internet.
    Service("lmtp", "smtp", 24, Tls.NEVER, LMTP, SMTP_BUSY, loopback_only=True),
    Service("imap", "imap", 143, Tls.STARTTLS, IMAP, IMAP_BUSY),
    Service("imaps", "imap", 993, Tls.IMPLICIT, IMAP, IMAP_BUSY),
    Service("pop3", "pop3", 110, Tls.STARTTLS, POP3, POP3_BUSY),
    Service("pop3s", "pop3", 995, Tls.IMPLICIT, POP3, POP3_BUSY),
)


def chosen(names: Iterable[str] | None = None) -> list[Service]:
    """Return the services of these names or groups (None: all).

    Raises KeyError with a name that is neither.
    """
    wanted = None if names is None else set(names)
    known = {s.name for s in SERVICES} | {s.group for s in SERVICES}
    if wanted is not None and (unknown := wanted - known):
        raise KeyError(min(unknown))
    return [s for s in SERVICES if wanted is None or {s.name, s.group} & wanted]


def load(service: Service) -> Factory:
    """Import a service's factory."""
    module, _, name = service.factory.partition(":")
    factory: Factory = getattr(import_module(module), name)
    return factory
