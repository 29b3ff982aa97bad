r"""STORE and UID STORE. RFC 9051 §6.4.6; UNCHANGEDSINCE is RFC 7162 §3.1.3."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from mailhost.store import change
from mailhost.store.values import FlagResult
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import Bad, No
from protocols.imap.flagtext import flag_lists
from protocols.imap.messagelimit import coded, limited
from protocols.imap.modseqs import make_aware
from protocols.imap.parser import Parser, split_flags
from protocols.imap.selected import NEVER_RECENT, Selected, require_some
from protocols.imap.sequence import SequenceSet, written
from protocols.imap.session import Session
from protocols.imap.sync import ROWS, fetched, refresh
from protocols.imap.wording import say

WORD = re.compile(rb"([+-]?)FLAGS(\.SILENT)?", re.IGNORECASE)
OPERATIONS: dict[str, Callable[..., FlagResult]] = {
    "+": change.add_flags,
    "-": change.remove_flags,
}


@dataclass(frozen=True, slots=True)
class Store:
    """Change the flags of these messages."""

    chosen: SequenceSet
    operation: str  # "", "+" or "-"
    silent: bool
    flags: int
    keywords: tuple[str, ...]
    unchanged_since: int | None = None
    by_uid: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        chosen = p.sequence_set()
        p.sp()
        since = _unchanged_since(p) if p.takes(b"(") else None
        word = p.match(WORD, "FLAGS")
        p.sp()
        names = p.flag_list() if p.next() == b"(" else _bare_flags(p)
        p.crlf()
        bits, keywords = split_flags(names)
        operation = word[1].decode("ascii")
        return cls(chosen, operation, bool(word[2]), bits, keywords, since)

    @classmethod
    def parse_uid(cls, p: Parser) -> Self:
        return replace(cls.parse(p), by_uid=True)

    def run(self, session: Session) -> Run:
        selected = session.writable("swt")
        if self.unchanged_since is not None:
            yield from make_aware(session)
        spans = selected.positions(self.chosen, by_uid=self.by_uid)
        if not self.by_uid:
            require_some(selected, spans)
        spans, limit = limited(session, selected, spans)
        asked = selected.chosen_uids(spans)
        if not asked:
            return ""
        folder = selected.folder
        fn, marks = self._how(folder.rights)
        arguments = (folder.account_id, folder.id, asked, *marks, self.unchanged_since)
        done = yield Write((folder.account_id,), fn, arguments, soft=True)
        if done.changed:
            session.mark(done.modseq)
            yield from refresh(session)
            # Silence is for what the client knows. RFC 9051 §6.4.6
            if not self.silent or done.was <= selected.told_modseq:
                selected.own.update(dict.fromkeys(done.changed, done.modseq))
        uids = self._to_tell(session, asked, done)
        failed, starts = set(done.failed), range(0, len(uids), ROWS)
        # RFC 9738 §3.1: under a limit, from the highest UID to the lowest
        for start in reversed(starts) if limit else starts:
            some = uids[start : start + ROWS]
            told = self._told(session, selected, some, failed)
            yield b"".join(reversed(told) if limit else told)
        missing = 0 if self.by_uid else selected.missing(spans)
        if missing and done.failed:
            yield session.say("Some of these messages are gone", "EXPUNGEISSUED")
        code = self._code(selected, done) or ("EXPUNGEISSUED" if missing else "")
        yield from coded(session, code, limit)
        return code or limit

    def _how(self, held: str) -> tuple[Callable[..., FlagResult], tuple[Any, ...]]:
        """Return the store function and the flags for it, as far as the rights go.

        Raises No where none of them may be changed; one is enough. RFC 4314 §4.
        """
        marks = change.permitted(self.flags, self.keywords, held)
        if (self.flags or self.keywords) and not any(marks):
            raise No("You may not change these flags", "NOPERM")
        if self.operation:
            return OPERATIONS[self.operation], marks
        return change.set_permitted, (marks, held)

    def _to_tell(
        self, session: Session, asked: Sequence[int], done: FlagResult
    ) -> Sequence[int]:
        """Return the messages to be told; SILENT with CONDSTORE still tells MODSEQ.

        What UNCHANGEDSINCE let pass is told even if it was so before, what it kept is
        told whole, so that the client can try again. RFC 7162 §3.1.3.
        """
        if not self.silent:
            return asked
        if not session.condstore:
            return ()
        return done.changed if self.unchanged_since is None else asked

    def _told(
        self,
        session: Session,
        selected: Selected,
        uids: Sequence[int],
        failed: set[int],
    ) -> list[bytes]:
        """Return the FETCH responses of some messages."""
        now = selected.now
        rows = [(u, i) for u in uids if (i := now.index(u)) is not None]
        recent_from = NEVER_RECENT if session.rev2 else selected.recent_from
        texts = flag_lists(now, [i for _, i in rows], recent_from)
        names_uid = self.by_uid or session.condstore
        told = []
        for (uid, i), flags in zip(rows, texts, strict=True):
            items = [b"MODSEQ (%d)" % now.modseqs[i]] if session.condstore else []
            if not self.silent or uid in failed:
                selected.own[uid] = now.modseqs[i]
                items.append(b"FLAGS " + flags)
            position = selected.position(uid) or 0
            told.append(fetched(session, position, uid, items, names_uid=names_uid))
        return told

    def _code(self, selected: Selected, done: FlagResult) -> str:
        """RFC 7162 §3.1.3: what UNCHANGEDSINCE kept, numbers or UIDs as asked."""
        if not done.failed:
            return ""
        if self.by_uid:
            return f"MODIFIED {written(done.failed)}"
        numbers = [(selected.position(uid) or 0) + 1 for uid in done.failed]
        return f"MODIFIED {written(numbers)}"


def _bare_flags(p: Parser) -> list[str]:
    found = [p.flag()]
    while p.takes(b" "):
        found.append(p.flag())
    return found


def _unchanged_since(p: Parser) -> int:
    name = p.atom().upper()
    if name != "UNCHANGEDSINCE":
        raise Bad(say("Unknown modifier {}", name[:40]))
    p.sp()
    since = p.mod_sequence()
    p.literally(b") ")
    return since
