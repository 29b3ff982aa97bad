"""LOGIN. RFC 9051 §6.2.3."""

from dataclasses import dataclass, field
from typing import Self

from accounts.auth import Login, LoginRefused, authenticate
from protocols.imap.capabilities import capabilities
from protocols.imap.commands.base import Run
from protocols.imap.effects import LoggedIn, Pause, Read
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
        return (yield from log_in(session, self.name, self.password))


def log_in(session: Session, name: str, password: str) -> Run:
    """Check the password and note who is there; LOGIN and AUTHENTICATE alike."""
    if not session.at.may_log_in:
        raise No("Start TLS first", "PRIVACYREQUIRED")
    try:
        login = yield Read(_check, (name, password, session.at.peer))
    except LoginRefused:
        session.failed_logins += 1
        yield Pause(FAILED_SECONDS)
        if session.failed_logins >= MOST_FAILED:
            raise Fatal("Too many failed logins") from None
        raise
    session.login = login
    yield LoggedIn(login.user_id, login.app_password_id)
    # RFC 9051 §7.1: saves the client a CAPABILITY.
    return f"CAPABILITY {' '.join(capabilities(session))}"


def _check(name: str, password: str, peer: str) -> Login:
    return authenticate(name, password, protocol="imap", address=peer)
