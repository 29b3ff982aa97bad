"""THREAD and UID THREAD. RFC 5256 §3; REFS is draft-ietf-morg-inthread."""

from dataclasses import dataclass, replace
from typing import Self

from mailhost.store.sorting import ALGORITHMS, thread
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.errors import Bad
from protocols.imap.messagelimit import require_searchable
from protocols.imap.parser import Parser
from protocols.imap.searching.evaluate import matching
from protocols.imap.searching.keys import Key
from protocols.imap.searching.program import Program, search_criteria, settled
from protocols.imap.session import Session
from protocols.imap.wording import say


@dataclass(frozen=True, slots=True)
class Thread:
    """Find messages, and tell which answers which."""

    algorithm: str
    key: Key
    by_uid: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        algorithm = p.atom().upper()
        if algorithm not in ALGORITHMS:
            raise Bad(say("Unknown algorithm {}", algorithm[:40]))
        p.sp()
        key = search_criteria(p)
        p.crlf()
        return cls(algorithm, key)

    @classmethod
    def parse_uid(cls, p: Parser) -> Self:
        return replace(cls.parse(p), by_uid=True)

    def run(self, session: Session) -> Run:
        selected = session.view()
        require_searchable(session, len(selected.uids))
        key = yield from settled(session, Program(self.key))
        rows = yield from matching(selected, key)
        if not rows:
            yield b"* THREAD\r\n"
            return ""
        now = selected.now
        threads = yield Read(thread, (now, rows, self.algorithm))
        if self.by_uid:
            numbers = [now.uids[rows[n]] for n in threads.order]
        elif selected.aligned:
            numbers = [rows[n] + 1 for n in threads.order]
        else:
            numbers = [selected.number(now.uids[rows[n]]) for n in threads.order]
        yield b"* THREAD %b\r\n" % (threads.template % tuple(numbers))
        return ""
