"""What every mechanism takes and gives. RFC 4422 §3.

A mechanism is a generator: it yields a Challenge and is sent the client's response, or
yields a claim (accounts.claims) and is sent what accounts says of it: a Login, or for
Salted its Parameters; a refusal is thrown in. It returns the Login.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from accounts.claims import Claim, Salted
from accounts.known import Login

MAX_RESPONSE = 4096  # octets of one decoded response; passwords are far shorter


class SaslError(Exception):
    """The response does not follow the mechanism's grammar."""


@dataclass(frozen=True)
class Challenge:
    """Octets for the client, before base64."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class At:
    """What a mechanism may know of its connection."""

    protocol: str = "imap"  # one of apppasswords.SCOPES
    tls: bool = False
    loopback: bool = False
    emails: tuple[str, ...] = ()  # of the client's verified certificate


Steps: TypeAlias = Generator[Challenge | Claim | Salted, Any, Login]


def text(octets: bytes) -> str:
    """Read UTF-8 without NUL. RFC 4616 §2."""
    if len(octets) > MAX_RESPONSE:
        raise SaslError("the response is too long")
    try:
        found = octets.decode()
    except UnicodeDecodeError:
        raise SaslError("the response is not UTF-8") from None
    if "\0" in found:
        raise SaslError("the response has a NUL")
    return found


def same_user(authorize_as: str, login: str) -> None:
    """Refuse an authorization identity that is not the login's own.

    Nobody may act as another user here; shared accounts are reached by rights.
    """
    if authorize_as and authorize_as.casefold() != login.casefold():
        raise SaslError("acting as another user is not possible")
