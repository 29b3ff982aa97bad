"""STARTTLS. RFC 9051 §6.2.1."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import StartTls
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Starttls:
    """Begin TLS behind the tagged OK; what the client sent ahead of it is dropped."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        if not session.at.offers_starttls:
            raise Bad("TLS is not to be had here")
        session.then = StartTls()
        yield from ()
        return ""
