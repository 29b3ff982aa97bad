"""UNAUTHENTICATE. RFC 8437 §3."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.capabilities import capabilities
from protocols.imap.commands.base import Run
from protocols.imap.effects import Decompress, Listen, LoggedOut, Watch
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.wording import say


@dataclass(frozen=True, slots=True)
class Unauthenticate:
    """Be as nobody had logged in; TLS stays, compression ends behind the OK."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        if not session.at.may_log_out:
            raise Bad(say("Unknown command {}", "UNAUTHENTICATE"))
        was_compressed = session.compressed
        session.log_out()
        yield Watch(None)
        yield Listen(())
        yield LoggedOut()
        if was_compressed:
            session.then = Decompress()
        return f"CAPABILITY {' '.join(capabilities(session))}"
