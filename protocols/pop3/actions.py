"""What a command asks of the server: values, done one after the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from accounts.claims import Claim, Salted
from accounts.known import Login
from protocols.pop3.standing import Standing
from protocols.sasl import Exchange


@dataclass(frozen=True, slots=True)
class Say:
    """Send octets; `close` ends the connection behind them."""

    octets: bytes
    close: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """Send a multi-line response piece by piece, as fast as the client reads."""

    pieces: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Have a claim checked; then tell the exchange it belongs to, if it is one's."""

    claim: Claim | Salted
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """Open the maildrop of who has logged in; then tell the connection."""

    login: Login


@dataclass(frozen=True, slots=True)
class Fetch:
    """Send `first` and a message; of its body only `lines` if that is not None.

    `raw_headers`: what becomes of 8-bit header fields: send, surrogate or refuse. The
    standing is checked again: a session ends with what it logged in with.
    """

    standing: Standing
    first: bytes
    number: int
    content_id: int
    size: int
    lines: int | None = None
    raw_headers: str = "send"


@dataclass(frozen=True, slots=True)
class Update:
    """Remove messages and mark others as seen, then say `done` and close.

    `gone` and `seen`: UIDs by folder.
    """

    standing: Standing
    gone: tuple[tuple[int, tuple[int, ...]], ...]
    seen: tuple[tuple[int, tuple[int, ...]], ...]
    done: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Send octets in the clear, then begin the handshake."""

    octets: bytes


Action: TypeAlias = Say | Pages | Authenticate | Open | Fetch | Update | StartTls
