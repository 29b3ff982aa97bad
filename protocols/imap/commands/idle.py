"""IDLE. RFC 9051 §6.3.13, RFC 2177 §3."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import Await, Effect
from protocols.imap.errors import Bad
from protocols.imap.modseqs import highest
from protocols.imap.parser import Parser
from protocols.imap.responses import continues, untagged
from protocols.imap.session import Session
from protocols.imap.sync import recheck, refresh, tell_changes


@dataclass(frozen=True, slots=True)
class Idle:
    """Tell changes as they happen, until the client says DONE."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        yield from _tell(session)
        yield continues("idling")
        while True:
            line = yield Await(line=True, changes=session.selected is not None)
            if line is not None:
                break
            if session.stale:
                if session.shares():
                    yield from recheck(session)
                yield from refresh(session)
            yield from _tell(session)
        if line.upper() != b"DONE":
            raise Bad("Expected DONE")
        return ""


def _tell(session: Session) -> Generator[bytes | Effect, Any, None]:
    yield from tell_changes(session, expunges=True)
    if told := highest(session):
        yield untagged(f"OK [{told}] Highest")
