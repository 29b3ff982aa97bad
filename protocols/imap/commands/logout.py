"""LOGOUT. RFC 9051 §6.1.3."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Logout:
    """End the session."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        session.ended = True
        yield session.say("Goodbye", "", "BYE")
        return ""
