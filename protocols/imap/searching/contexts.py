"""Searches whose result is kept up to date: RETURN (UPDATE). RFC 5267 §4.3.

A context knows what its client holds: the matching UIDs. What is expunged leaves it
before the EXPUNGE is told, what came or changed is judged anew after it was told.
"""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailhost.store.sorting import Criterion, order
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad
from protocols.imap.fetching.items import Wanted
from protocols.imap.responses import quoted, untagged
from protocols.imap.searching.evaluate import search, spans_of
from protocols.imap.searching.keys import All, Among, Key, Not, mapped
from protocols.imap.searching.program import RELEVANCY, Program
from protocols.imap.selected import Selected
from protocols.imap.sequence import SequenceSet, written
from protocols.imap.session import Session

MOST_CONTEXTS = 10  # of a session
MOST_RESULTS = 1_000_000  # of all its contexts together
MOST_SORTED = 20_000  # results of a sorted one: they are sorted again as mail comes

# (position, UIDs) as ADDTO and REMOVEFROM tell them. The first position is 1; 0 is
# "where they belong", of an unsorted result.
Pair = tuple[int, list[int]]


@dataclass(slots=True)
class Context:
    """One search and its result. `results` are UIDs in the order asked for."""

    tag: str
    key: Key
    by_uid: bool
    criteria: tuple[Criterion, ...] | None
    results: "array[int]"
    modseq: int  # changes up to here have been judged
    attributes: tuple[Wanted, ...] = ()  # told of what is new; RFC 5465 §7

    def holds(self, uid: int) -> bool:
        """Tell whether an unsorted result has this UID."""
        at = bisect_left(self.results, uid)
        return at < len(self.results) and self.results[at] == uid

    def without(self, gone: Collection[int]) -> list[Pair]:
        """Take UIDs out; return the pairs of REMOVEFROM.

        From the end to the beginning, so that each position holds when it is read.
        """
        if self.criteria is None:
            some = [uid for uid in sorted(gone) if self.holds(uid)]
            at = [bisect_left(self.results, uid) for uid in some]
        else:
            at = [n for n, uid in enumerate(self.results) if uid in gone]
        if not at:
            return []
        runs = list(_runs((n, self.results[n]) for n in at))
        for start, uids in reversed(runs):
            del self.results[start : start + len(uids)]
        if self.criteria is None:
            return [(0, [uid for _, uids in runs for uid in uids])]
        return [(start + 1, uids) for start, uids in reversed(runs)]

    def with_more(self, new: Sequence[int]) -> list[Pair]:
        """Take more UIDs into an unsorted result; return the pairs of ADDTO."""
        self.results = array("Q", sorted([*self.results, *new]))
        return [(0, list(new))]

    def replaced(self, results: Sequence[int]) -> list[Pair]:
        """Take a sorted result with more UIDs in it; return the pairs of ADDTO."""
        known = set(self.results)
        new = [(n, uid) for n, uid in enumerate(results) if uid not in known]
        self.results = array("Q", results)
        return [(start + 1, uids) for start, uids in _runs(new)]


def _runs(pairs: Iterable[tuple[int, int]]) -> Iterator[Pair]:
    """Join (position, UID) pairs at neighbouring positions; ascending."""
    start, uids = 0, list[int]()
    for position, uid in pairs:
        if uids and position == start + len(uids):
            uids.append(uid)
            continue
        if uids:
            yield start, uids
        start, uids = position, [uid]
    if uids:
        yield start, uids


@dataclass(frozen=True, slots=True)
class Judged:
    """What one context has to tell; `added` are UIDs that match now and did not."""

    context: Context
    line: bytes
    added: frozenset[int]


def check_tag(selected: Selected, program: Program, tag: str) -> None:
    """Raise Bad for a tag that names a context already. RFC 5267 §4.3."""
    options = program.options
    if options is not None and "UPDATE" in options and tag in selected.contexts:
        raise Bad("This tag names a search that is being updated")


def keep(
    session: Session,
    selected: Selected,
    program: Program,
    key: Key,
    rows: Sequence[int],
) -> bytes:
    """Keep a result up to date from now on; return what refuses it, or nothing.

    RFC 5267 §4.3.1: a refusal is an untagged NO.
    """
    held = sum(len(one.results) for one in selected.contexts.values())
    is_sorted = program.criteria is not None
    by_score = any(one.key == RELEVANCY for one in program.criteria or ())
    if (
        len(selected.contexts) >= MOST_CONTEXTS
        or held + len(rows) > MOST_RESULTS
        or (is_sorted and (by_score or len(rows) > MOST_SORTED))
    ):
        return refused(session)
    selected.contexts[session.tag] = Context(
        session.tag,
        _frozen(selected, key),
        program.by_uid,
        program.criteria,
        array("Q", [selected.now.uids[i] for i in rows]),
        selected.now.modseq,
        program.options.attributes if program.options is not None else (),
    )
    return b""


def refused(session: Session) -> bytes:
    """Return the refusal of updates."""
    code = f"NOUPDATE {quoted(session.tag)}"
    return session.say("This result will not be updated", code, "NO")


def _frozen(selected: Selected, key: Key) -> Key:
    """Return a key that names UIDs where it named numbers, or the saved result.

    RFC 5267 §4.3: they are evaluated when the command is received.
    """

    def frozen(one: Key) -> Key:
        if not isinstance(one, Among) or (one.by_uid and not one.chosen.saved):
            return one
        uids = selected.chosen_uids(spans_of(selected, one.chosen, by_uid=one.by_uid))
        if not uids:
            return Not(All())
        ranges = [(run[0], run[-1]) for _, run in _runs((u, u) for u in uids)]
        return Among(SequenceSet(tuple(ranges)), by_uid=True)

    return mapped(key, frozen)


def tell_removed(selected: Selected) -> Iterator[bytes]:
    """Yield REMOVEFROM for what is expunged and was not told. RFC 5267 §4.3.4."""
    if not selected.contexts or selected.aligned:
        return
    gone = {selected.uids[n] for n in selected.gone()}
    for context in selected.contexts.values():
        pairs = context.without(gone)
        if pairs:
            yield _line(selected, context, [("REMOVEFROM", pairs)])


def judge(selected: Selected) -> Generator[bytes | Effect, Any, list[Judged]]:
    """Return the REMOVEFROM and ADDTO for what came or changed. RFC 5267 §4.3.2."""
    now = selected.now
    judged: list[Judged] = []
    for context in list(selected.contexts.values()):
        if context.modseq == now.modseq:
            continue
        rows = [
            i
            for i in now.changed_since(context.modseq)
            if selected.position(now.uids[i]) is not None
        ]
        context.modseq = now.modseq
        found = yield from search(selected, context.key, rows)
        matching = {now.uids[i] for i in found}
        told = []
        pairs = context.without({now.uids[i] for i in rows} - matching)
        if pairs:
            told.append(("REMOVEFROM", pairs))
        pairs = yield from _added(selected, context, matching)
        if pairs:
            told.append(("ADDTO", pairs))
        if told:
            added = frozenset(uid for _, uids in pairs for uid in uids)
            judged.append(Judged(context, _line(selected, context, told), added))
    return judged


def _added(
    selected: Selected, context: Context, matching: set[int]
) -> Generator[Effect, Any, list[Pair]]:
    """Take what matches now and did not into the result; return the pairs of ADDTO."""
    now = selected.now
    if context.criteria is None:
        new = [uid for uid in sorted(matching) if not context.holds(uid)]
        return context.with_more(new) if new else []
    known = set(context.results)
    if matching <= known:
        return []
    found = (now.index(uid) for uid in sorted(known | matching))
    rows = [i for i in found if i is not None]
    rows = yield Read(order, (now, rows, context.criteria))
    return context.replaced([now.uids[i] for i in rows])


def _line(
    selected: Selected,
    context: Context,
    told: Sequence[tuple[str, Sequence[Pair]]],
) -> bytes:
    parts = [f"ESEARCH (TAG {quoted(context.tag)})"]
    if context.by_uid:
        parts.append("UID")
    for name, pairs in told:
        shown = " ".join(
            f"{position} {written(_numbers(selected, context, uids))}"
            for position, uids in pairs
        )
        parts.append(f"{name} ({shown})")
    return untagged(" ".join(parts))


def _numbers(
    selected: Selected, context: Context, uids: Sequence[int]
) -> Sequence[int]:
    if context.by_uid:
        return uids
    found = (selected.position(uid) for uid in uids)
    return [n + 1 for n in found if n is not None]
