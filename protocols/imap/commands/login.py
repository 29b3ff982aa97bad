"""LOGIN. RFC 9051 §6.2.3."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Self

from accounts.auth import Login, LoginRefused
from accounts.claims import Claim, Password, Salted
from protocols.imap.capabilities import capabilities
from protocols.imap.commands.base import Run
from protocols.imap.effects import Check, Effect, LoggedIn, Pause
from protocols.imap.errors import Fatal, No
from protocols.imap.parser import Parser
from protocols.imap.session import Session

FAILED_SECONDS = 1.0  # each guess costs its connection that long
MOST_FAILED = 5


@dataclass(frozen=True, slots=True)
class LoginCommand:
    """Authenticate with a name and a password."""

    name: str
    password: str = field(repr=False)  # never in a log

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.astring()
        p.sp()
        password = p.astring()
        p.crlf()
        return cls(name, password)

    def run(self, session: Session) -> Run:
        if not session.at.may_log_in:
            raise No("Start TLS first", "PRIVACYREQUIRED")
        login = yield from check(session, Password(self.name, self.password))
        return (yield from logged_in(session, login))


def check(
    session: Session, claim: Claim | Salted
) -> Generator[bytes | Effect, Any, Any]:
    """Have a claim checked; LOGIN and AUTHENTICATE alike. A refusal takes its time."""
    try:
        return (yield Check(claim))
    except LoginRefused:
        session.failed_logins += 1
        yield Pause(FAILED_SECONDS)
        if session.failed_logins >= MOST_FAILED:
            raise Fatal("Too many failed logins") from None
        raise


def logged_in(session: Session, login: Login) -> Run:
    """Note who is there."""
    session.login = login
    yield LoggedIn(login)
    # RFC 9051 §7.1: saves the client a CAPABILITY.
    return f"CAPABILITY {' '.join(capabilities(session))}"
