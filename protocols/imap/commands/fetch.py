r"""FETCH and UID FETCH. RFC 9051 §6.4.5.

CHANGEDSINCE is RFC 7162 §3.1.4, VANISHED §3.2.6; UIDFETCH is RFC 9586.
"""

from bisect import bisect_left
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from mailhost.store import flags as store_flags
from mailhost.store.change import add_flags
from protocols.imap.commands.base import Run
from protocols.imap.effects import Effect, Read, Write
from protocols.imap.errors import Bad
from protocols.imap.fetching.grammar import fetch_attributes
from protocols.imap.fetching.items import Body, Item, Wanted
from protocols.imap.fetching.modifiers import Modifiers, fetch_modifiers
from protocols.imap.fetching.plan import Plan, plan
from protocols.imap.fetching.telling import Rows, tell_rows
from protocols.imap.messagelimit import coded, limited, require_range
from protocols.imap.modseqs import make_aware
from protocols.imap.parser import Parser
from protocols.imap.resync import present_to, require_qresync, tell_earlier, vanished
from protocols.imap.selected import Selected, Span, require_some, spans_of
from protocols.imap.sequence import SequenceSet
from protocols.imap.session import Session
from protocols.imap.sync import refresh

REMEMBERED = 1_000  # octets of the items of a FETCH


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of each message. The same value serves all who ask the same."""

    todo: Plan
    asks_modseq: bool
    sets_seen: bool
    names_uid: bool  # in so many words
    modifiers: Modifiers


@dataclass(frozen=True, slots=True)
class Fetch:
    """Tell the items of these messages."""

    chosen: SequenceSet
    asked: Asked
    by_uid: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        return cls._parse(p, by_uid=False)

    @classmethod
    def parse_uid(cls, p: Parser) -> Self:
        return cls._parse(p, by_uid=True)

    @classmethod
    def _parse(cls, p: Parser, *, by_uid: bool) -> Self:
        p.sp()
        chosen = p.sequence_set()
        p.sp()
        rest = p.octets[p.offset :]
        if len(rest) > REMEMBERED or b"{" in rest:
            return cls(chosen, _asked(p, by_uid=by_uid), by_uid)
        try:
            return cls(chosen, _remembered(rest, by_uid), by_uid)
        except Bad:  # to be told where, it is read where it stands
            return cls(chosen, _asked(p, by_uid=by_uid), by_uid)

    def run(self, session: Session) -> Run:
        selected, asked, todo = session.view(), self.asked, self.asked.todo
        if asked.modifiers.vanished:
            yield from self._tell_vanished(session, selected)
        if asked.asks_modseq:
            yield from make_aware(session)
        spans = selected.positions(self.chosen, by_uid=self.by_uid)
        missing = 0 if self.by_uid else require_some(selected, spans)
        require_range(session, asked.modifiers.partial)
        spans = asked.modifiers.within(spans)
        spans, limit = self._limited(session, selected, spans)
        seen: dict[int, int] = {}
        if asked.sets_seen and _may_set_seen(selected):
            since = asked.modifiers.changed_since
            seen = yield from _set_seen(session, selected, spans, since)
        if seen or session.uid_only:
            todo = plan(*self._as_told(session, has_seen=bool(seen)))
        rows = _rows(selected, spans, asked.modifiers.changed_since)
        if limit:
            rows = rows.backwards()  # RFC 9738 §3.1
        missing += yield from tell_rows(session, selected, rows, todo)
        selected.own.update(seen)
        code = "EXPUNGEISSUED" if missing else ""
        yield from coded(session, code, limit)
        return code or limit

    def _limited(
        self, session: Session, selected: Selected, spans: list[Span]
    ) -> tuple[list[Span], str]:
        """Return what one command may tell of, and the code if that is not all."""
        since = self.asked.modifiers.changed_since
        if since is not None and len(selected.uids) > session.at.message_limit > 0:
            spans = spans_of(_rows(selected, spans, since).positions)
        return limited(session, selected, spans)

    def _tell_vanished(
        self, session: Session, selected: Selected
    ) -> Generator[bytes | Effect, Any, None]:
        """Yield what left of the chosen UIDs, before any FETCH. RFC 7162 §3.2.6."""
        require_qresync(session)
        since = self.asked.modifiers.changed_since
        if not self.by_uid or since is None:
            raise Bad("VANISHED goes with UID FETCH and CHANGEDSINCE")
        place = (selected.folder.id, present_to(selected), since)
        gone = yield Read(vanished, (*place, self.chosen), brief=True)
        yield from tell_earlier(gone)

    def _as_told(
        self, session: Session, *, has_seen: bool
    ) -> tuple[tuple[Wanted, ...], bytes]:
        r"""Return the items, and with which word they are told.

        Where \Seen was set, more is told: RFC 7162 §3.2.4. UIDFETCH has the UID in
        front of it: RFC 9586.
        """
        wanted = list(self.asked.todo.wanted)
        if has_seen:
            wanted.append(Item("FLAGS"))
            if session.condstore:
                wanted += [Item("MODSEQ"), Item("UID")]
        if not session.uid_only:
            return tuple(dict.fromkeys(wanted)), b"FETCH"
        if not self.asked.names_uid:
            wanted = [one for one in wanted if one != Item("UID")]
        return tuple(dict.fromkeys(wanted)), b"UIDFETCH"


@lru_cache(maxsize=512)
def _remembered(octets: bytes, by_uid: bool) -> Asked:  # noqa: FBT001 - a cache's key
    """Do as `_asked`: clients ask for the same again and again."""
    return _asked(Parser(octets), by_uid=by_uid)


def _asked(p: Parser, *, by_uid: bool) -> Asked:
    """Read what follows the sequence set, and add what goes without saying."""
    wanted = list(fetch_attributes(p))
    modifiers = fetch_modifiers(p)
    p.crlf()
    asks_modseq = Item("MODSEQ") in wanted or modifiers.changed_since is not None
    if asks_modseq and Item("MODSEQ") not in wanted:
        wanted.append(Item("MODSEQ"))
    names_uid = Item("UID") in wanted
    if by_uid and not names_uid:
        wanted.insert(0, Item("UID"))
    sets_seen = any(isinstance(one, Body) and not one.peek for one in wanted)
    return Asked(plan(wanted), asks_modseq, sets_seen, names_uid, modifiers)


def _may_set_seen(selected: Selected) -> bool:
    return not selected.read_only and "s" in selected.folder.rights


def _set_seen(
    session: Session, selected: Selected, spans: Sequence[Span], since: int | None
) -> Generator[bytes | Effect, Any, dict[int, int]]:
    r"""Flag the messages \Seen where they are not; return {UID: modseq} of those."""
    now = selected.now
    unseen = [
        now.uids[i]
        for i in _rows(selected, spans, since).at
        if not now.flags[i] & store_flags.SEEN
    ]
    if not unseen:
        return {}
    folder = selected.folder
    done = yield Write(
        (folder.account_id,),
        add_flags,
        (folder.account_id, folder.id, unseen, store_flags.SEEN),
        soft=True,
    )
    session.mark(done.modseq)
    yield from refresh(session)
    return dict.fromkeys(done.changed, done.modseq)


def _rows(selected: Selected, spans: Sequence[Span], since: int | None) -> Rows:
    """Return the messages of the spans, without those gone or not changed since."""
    if since is not None and selected.aligned:
        changed = selected.now.changed_since(since)
        some = [i for span in spans for i in _between(changed, *span)]
        return Rows(some, some)
    positions: Sequence[int] = range(*spans[0]) if spans else ()
    if len(spans) > 1:
        positions = [n for span in spans for n in range(*span)]
    at = positions
    if not selected.aligned:
        found = [(n, i) for n in positions if (i := selected.at(n)) is not None]
        positions, at = [n for n, _ in found], [i for _, i in found]
    if since is not None:
        modseqs = selected.now.modseqs
        kept = [k for k, i in enumerate(at) if modseqs[i] > since]
        positions, at = [positions[k] for k in kept], [at[k] for k in kept]
    return Rows(positions, at)


def _between(numbers: Sequence[int], start: int, end: int) -> Sequence[int]:
    return numbers[bisect_left(numbers, start) : bisect_left(numbers, end)]
