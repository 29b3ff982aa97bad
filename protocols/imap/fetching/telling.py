"""Tell the items of some messages, a batch at a time."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.imap.effects import Effect, Read
from protocols.imap.fetching.batch import Batch, picked
from protocols.imap.fetching.load import load
from protocols.imap.fetching.plan import Plan, lines
from protocols.imap.fetching.stream import stream
from protocols.imap.selected import NEVER_RECENT, Selected
from protocols.imap.session import Session

VIEW_ROWS = 4_000  # messages told in one piece when no SQL is needed
ROWS = 300  # messages read in one query
OCTETS = 1024 * 1024  # of whole messages read in one query
# What is read so fast that the event loop does it itself.
BRIEF_ROWS = 64
BRIEF_OCTETS = 256 * 1024  # read from the database
BRIEF_SIZES = 2 * 1024 * 1024  # of the messages, of which less is read


@dataclass(frozen=True, slots=True)
class Rows:
    """Some messages: positions as the client counts, and where they are in `now`."""

    positions: Sequence[int]
    at: Sequence[int]

    def cut(self, start: int, end: int) -> "Rows":
        return Rows(self.positions[start:end], self.at[start:end])

    def backwards(self) -> "Rows":
        return Rows(list(reversed(self.positions)), list(reversed(self.at)))


def tell_rows(
    session: Session, selected: Selected, rows: Rows, todo: Plan
) -> Generator[bytes | Effect, Any, int]:
    """Yield the FETCH responses of these messages; return how many are gone."""
    missing = 0
    for some in _batches(selected, rows, todo):
        batch = _batch(session, selected, some)
        if todo.needs_octets and selected.now.sizes[some.at[0]] > OCTETS:
            yield from stream(session, batch, todo, selected.folder.id)
            continue
        if not todo.from_view:
            brief = _is_brief(selected, some, todo)
            batch = yield Read(load, (batch, todo, selected.folder.id), brief)
        missing += len(some.at) - len(batch.uids)
        if batch.uids:
            yield lines(batch, todo)
    return missing


def _batches(selected: Selected, rows: Rows, todo: Plan) -> Iterator[Rows]:
    """Yield as many messages as are read or told at once."""
    most = VIEW_ROWS if todo.from_view else ROWS
    for start in range(0, len(rows.at), most):
        batch = rows.cut(start, start + most)
        if todo.needs_octets:
            yield from _by_octets(selected, batch)
        else:
            yield batch


def _by_octets(selected: Selected, rows: Rows) -> Iterator[Rows]:
    """Cut so that few octets are held at once; a very large message comes alone."""
    sizes = selected.now.sizes
    start = octets = 0
    for k, i in enumerate(rows.at):
        if octets + sizes[i] > OCTETS and k > start:
            yield rows.cut(start, k)
            start, octets = k, 0
        octets += sizes[i]
    yield rows.cut(start, len(rows.at))


def _is_brief(selected: Selected, rows: Rows, todo: Plan) -> bool:
    if len(rows.at) > BRIEF_ROWS or todo.message:
        return False
    octets = sum(picked(selected.now.sizes, rows.at))
    return octets <= (BRIEF_OCTETS if todo.needs_octets else BRIEF_SIZES)


def _batch(session: Session, selected: Selected, rows: Rows) -> Batch:
    now, at, positions = selected.now, rows.at, rows.positions
    recent_from = NEVER_RECENT if session.rev2 else selected.recent_from
    numbers: Sequence[int]
    if session.uid_only:
        numbers = picked(now.uids, at)
    elif isinstance(positions, range):
        numbers = range(positions.start + 1, positions.stop + 1)
    else:
        numbers = [n + 1 for n in positions]
    return Batch(now, recent_from, numbers, picked(now.uids, at), at)
