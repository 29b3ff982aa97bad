"""NOOP, and CHECK, which does as little. RFC 9051 §6.1.2; RFC 3501 §6.4.1."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Noop:
    """Do nothing; the connection tells the changes, as after any such command."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        yield from ()
        return ""
