"""AUTH [mechanism [initial-response]]. RFC 5034 §4."""

from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass, field
from typing import Self

from protocols.pop3.actions import Action, Authenticate, Pages, Say
from protocols.pop3.errors import Refused
from protocols.pop3.replies import challenge, multi_line
from protocols.pop3.session import Session
from protocols.sasl import MECHANISMS, Challenge, SaslError, start


@dataclass(frozen=True, slots=True)
class Auth:
    """Log in by SASL; without a mechanism, list those there are."""

    mechanism: str | None
    initial: bytes | None = field(repr=False)  # decoded; None: the client waits

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        words = arguments.split()
        if not words:
            return cls(None, None)
        if len(words) > 2:
            raise Refused("Wants a mechanism and at most one response")
        initial = None if len(words) == 1 else decode(words[1])
        return cls(words[0].decode("ascii", "replace"), initial)

    def run(self, session: Session) -> Action:
        if not session.may_log_in:
            raise Refused("Begin TLS before you log in")
        if self.mechanism is None:
            return Pages(multi_line("Mechanisms follow", MECHANISMS))
        session.mechanism = start(self.mechanism)
        if session.mechanism is None:
            raise Refused("No such mechanism")
        return step(session, self.initial)


def respond(session: Session, line: bytes) -> Action:
    """Go on with what the client answered to a challenge; "*" ends it."""
    if line == b"*":
        session.mechanism = None
        raise Refused("Cancelled")
    try:
        return step(session, decode(line))
    except Refused:
        session.mechanism = None
        raise


def step(session: Session, response: bytes | None) -> Action:
    """Hand a response to the mechanism."""
    assert session.mechanism is not None
    try:
        found = session.mechanism.step(response)
    except SaslError as error:
        session.mechanism = None
        raise Refused(f"Not understood: {error}") from None
    if isinstance(found, Challenge):
        return Say(challenge(b64encode(found.octets)))
    session.mechanism = None
    return Authenticate(found.login, found.password)


def decode(word: bytes) -> bytes:
    """Read base64; "=" is a response of no octets."""
    if word == b"=":
        return b""
    try:
        return b64decode(word, validate=True)
    except (Error, ValueError):
        raise Refused("That is not base64") from None
