"""What every mechanism takes and gives. RFC 4422 §3."""

from dataclasses import dataclass, field
from typing import Protocol

MAX_RESPONSE = 4096  # octets of one decoded response; passwords are far shorter


class SaslError(Exception):
    """The response does not follow the mechanism's grammar."""


@dataclass(frozen=True)
class Challenge:
    """Octets for the client, before base64."""

    octets: bytes


@dataclass(frozen=True)
class Credentials:
    """What the client claims; nothing is checked yet."""

    login: str
    password: str = field(repr=False)
    authorize_as: str = ""


class Mechanism(Protocol):
    """A conversation in progress; the server keeps one per AUTH command."""

    def step(self, response: bytes | None) -> Challenge | Credentials:
        """Take a response (None: there was none yet); raises SaslError."""


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


def same_user(claimed: Credentials) -> Credentials:
    """Refuse an authorization identity that is not the login's own.

    Nobody may act as another user here; shared accounts are reached by rights.
    """
    if claimed.authorize_as and (
        claimed.authorize_as.casefold() != claimed.login.casefold()
    ):
        raise SaslError("acting as another user is not possible")
    return claimed
