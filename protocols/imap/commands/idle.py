"""IDLE. RFC 9051 §6.3.13, RFC 2177 §3; what NOTIFY asked for, RFC 5465 §4."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import Await
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.pushing import push
from protocols.imap.responses import continues
from protocols.imap.session import Session
from protocols.imap.wording import in_language


@dataclass(frozen=True, slots=True)
class Idle:
    """Tell changes as they happen, until the client says DONE."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        yield from push(session, expunges=True)
        yield continues(in_language(session.language, "idling"))
        while True:
            listens = session.selected is not None or session.notified is not None
            line = yield Await(line=True, changes=listens)
            if line is not None:
                break
            yield from push(session, expunges=True)
        if line.upper() != b"DONE":
            raise Bad("Expected DONE")
        return ""
