"""CAPA. RFC 2449 §5."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from django.conf import settings

from protocols.pop3.actions import Action, Pages
from protocols.pop3.commands.base import no_arguments
from protocols.pop3.replies import multi_line
from protocols.pop3.session import Session, State
from protocols.sasl import offered

ALWAYS = (
    "TOP",
    "UIDL",
    "RESP-CODES",  # RFC 2449 §6.4
    "AUTH-RESP-CODE",  # RFC 3206 §6
    "PIPELINING",  # RFC 2449 §6.6
    "UTF8 USER",  # RFC 6856 §2
    "LANG",  # RFC 6856 §3
    "IMPLEMENTATION mailhost",
)


@dataclass(frozen=True, slots=True)
class Capa:
    """List what this server can do for this client now."""

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        no_arguments(arguments)
        return cls()

    def run(self, session: Session) -> Action:
        return Pages(multi_line("Capability list follows", capabilities(session)))


def capabilities(session: Session) -> Iterator[str]:
    """Yield the tags; login is offered only where it is allowed. RFC 2595 §2.1."""
    yield from ALWAYS
    yield expire(session)
    if delay := settings.POP3_LOGIN_DELAY_SECONDS:
        yield f"LOGIN-DELAY {delay}"  # RFC 2449 §6.5
    if session.may_log_in:
        yield "USER"
        yield f"SASL {' '.join(offered(session.at))}"
    if session.offers_stls and session.state is State.AUTHORIZATION:
        yield "STLS"


def expire(session: Session) -> str:
    """Return how long mail stays; before the login, the least. RFC 2449 §6.7."""
    if session.maildrop is not None:
        removes = session.maildrop.policy.remove_downloaded
        return "EXPIRE 0" if removes else "EXPIRE NEVER"
    # An account may have a policy of its own; who it is, is not known yet.
    return "EXPIRE 0 USER"
