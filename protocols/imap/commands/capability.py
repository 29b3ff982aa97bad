"""CAPABILITY. RFC 9051 §6.1.1, §7.2.2."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.capabilities import capabilities
from protocols.imap.commands.base import Run
from protocols.imap.parser import Parser
from protocols.imap.responses import untagged
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Capability:
    """Say what the server can do."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        yield untagged(f"CAPABILITY {' '.join(capabilities(session))}")
        return ""
