"""Plain values that outbound takes and gives."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address to reach, and what the sender wants to know of it."""

    address: str
    notify: str = ""  # NEVER, or of SUCCESS,FAILURE,DELAY; empty: failures
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a message should arrive. RFC 2852 §4."""

    when: datetime
    returns: bool  # too late: it goes back; else its sender is told of the delay
    traces: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """What goes around the octets.

    `tls`: "required" (REQUIRETLS), "optional" (TLS-Required: No, no policy of the
    recipient's counts), or empty. RFC 8689 §4.1.
    """

    mail_from: str
    recipients: tuple[Recipient, ...]
    ret: str = ""
    envid: str = ""
    smtputf8: bool = False
    sender_id: int | None = None
    tls: str = ""
    priority: int = 0  # RFC 6710: -9 to 9
    deliver_by: Deadline | None = None
    quarantine: str = ""  # why it is junk, and waits to be released


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message's octets, read piece by piece as they are sent."""

    size: int
    pieces: Callable[[], AsyncIterator[bytes]]

    @classmethod
    def whole(cls, octets: bytes) -> "Outgoing":
        """Return what is in memory already."""

        async def pieces() -> AsyncIterator[bytes]:
            yield octets

        return cls(len(octets), pieces)


class Verdict(Enum):
    """How an attempt ended for one recipient."""

    SENT = "sent"
    LATER = "later"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt brought for one recipient."""

    verdict: Verdict
    status: str  # RFC 3463: 2.0.0, 4.4.1, …
    reply: str  # what the other side said, or what went wrong here
    host: str = ""
    relayed: bool = False


@dataclass(frozen=True, slots=True)
class TlsSession:
    """How TLS went on one connection, for the report of RFC 8460."""

    policy_type: str  # sts, tlsa or no-policy-found
    policy: tuple[tuple[str, Any], ...] = ()
    failure: str = ""  # RFC 8460 §4.3; empty: it worked
    host: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What one attempt brought, and how it went."""

    results: tuple[Result, ...]  # in the order of the recipients
    host: str = ""
    address: str = ""
    security: str = ""
    dialogue: str = ""
    sessions: tuple[TlsSession, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """Recipients of one message and one domain, claimed by one runner."""

    message_id: int
    domain: str
    envelope: Envelope
    recipient_ids: tuple[int, ...]  # in the order of envelope.recipients
    created_at: datetime
    expires_at: datetime
    size: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient, for a report."""

    address: str
    action: str  # failed, delayed, delivered or relayed. RFC 3464 §2.3.3
    status: str
    reply: str = ""
    host: str = ""
    orcpt: str = ""
    last_attempt_at: datetime | None = None
    retried_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A report to be delivered, and the recipient rows that it settles."""

    to: str
    octets: bytes
    recipient_ids: tuple[int, ...]
    is_delay: bool = False
    smtputf8: bool = False
