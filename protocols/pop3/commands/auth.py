"""AUTH [mechanism [initial-response]]. RFC 5034 §4."""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from accounts.known import Login
from protocols.common.wording import say
from protocols.pop3.actions import Action, Authenticate, Open, Pages, Say
from protocols.pop3.errors import Refused
from protocols.pop3.replies import challenge, multi_line
from protocols.pop3.session import Session
from protocols.sasl import Challenge, Exchange, Said, SaslError, offered, start


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
            return Pages(multi_line("Mechanisms follow", offered(session.at)))
        exchange = start(self.mechanism, session.at)
        if exchange is None:
            raise Refused("No such mechanism")
        return step(session, exchange, self.initial)


def respond(session: Session, line: bytes) -> Action:
    """Go on with what the client answered to a challenge; "*" ends it."""
    exchange, session.exchange = session.exchange, None
    assert exchange is not None
    if line == b"*":
        raise Refused("Cancelled")
    return step(session, exchange, decode(line))


def step(session: Session, exchange: Exchange, response: bytes | None) -> Action:
    """Hand a response to the mechanism."""
    return go_on(session, exchange, lambda: exchange.step(response))


def go_on(session: Session, exchange: Exchange, go: Callable[[], Said]) -> Action:
    """Do as the mechanism says. Raises Refused, or the refusal of the claim."""
    try:
        said = go()
    except SaslError as error:
        raise Refused(say("Not understood: {}", str(error))) from None
    if isinstance(said, Challenge):
        session.exchange = exchange
        return Say(challenge(b64encode(said.octets)))
    if isinstance(said, Login):
        return Open(said)
    return Authenticate(said, exchange)


def decode(word: bytes) -> bytes:
    """Read base64; "=" is a response of no octets."""
    if word == b"=":
        return b""
    try:
        return b64decode(word, validate=True)
    except (Error, ValueError):
        raise Refused("That is not base64") from None
