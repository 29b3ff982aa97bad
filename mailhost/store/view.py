"""A folder's messages as columns in memory, shared by the sessions of a process.

A `Generation` never changes: a session keeps the one that it has told its client, and
learns what is new as the difference of two. Bringing a view up to date reads only rows
and tombstones with a higher modseq. Call `views.get` in a reader thread.
"""

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings

from mailhost.store import sql
from mailhost.store.errors import NoSuchFolder
from mailhost.store.reading import NotBrief, held, here

OCTETS_A_ROW = 8 + 2 + 8 + 8 + 8
REMEMBERED = 16  # steps between generations
REMEMBERED_UIDS = 1_000  # of one step; after a larger one all rows are looked at
MOST_ROWS = 1 << 62
BRIEF_ROWS = 256  # changed, that the event loop reads itself


@dataclass(frozen=True, slots=True)
class Generation:
    """A folder at one modseq: columns in ascending order of UID."""

    folder_id: int
    uid_validity: int
    modseq: int
    uids: "array[int]"  # "Q"
    flags: "array[int]"  # "H", bits of store.flags
    modseqs: "array[int]"  # "Q"
    sizes: "array[int]"  # "Q", octets
    dates: "array[int]"  # "q", seconds since 1970, UTC
    keywords: dict[int, str] = field(default_factory=dict)  # only where there are any
    # (modseq before, UIDs changed) of the last steps, oldest first.
    steps: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def index(self, uid: int) -> int | None:
        """Return where this UID stands, or None."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def changed_since(self, modseq: int) -> list[int]:
        """Return where the rows with a higher modseq stand, ascending.

        The last steps are remembered: a small change in a large folder costs little.
        """
        modseqs = self.modseqs
        if not self.steps or self.steps[0][0] > modseq:
            return [at for at, one in enumerate(modseqs) if one > modseq]
        uids: set[int] = set()
        for before, some in reversed(self.steps):
            uids.update(some)
            if before <= modseq:
                break
        found = (self.index(uid) for uid in uids)
        return sorted(at for at in found if at is not None and modseqs[at] > modseq)


@dataclass(frozen=True, slots=True)
class Difference:
    """What happened between two generations; UIDs ascending."""

    gone: tuple[int, ...]
    new: tuple[int, ...]
    changed: tuple[int, ...]  # of those in both


def difference(old: Generation, new: Generation) -> Difference:
    """Return what a session that was told `old` has yet to hear."""
    if old is new or (old.modseq == new.modseq and old.uids == new.uids):
        return Difference((), (), ())
    last = old.uids[-1] if old.uids else 0
    fresh = tuple(new.uids[bisect_left(new.uids, last + 1) :])
    kept = len(new.uids) - len(fresh)
    gone: tuple[int, ...] = ()
    if kept != len(old.uids):
        gone = tuple(sorted(set(old.uids).difference(new.uids[:kept])))
    changed = tuple(new.uids[i] for i in new.changed_since(old.modseq) if i < kept)
    return Difference(gone, fresh, changed)


@dataclass(slots=True)
class _Held:
    generation: Generation
    lock: threading.Lock = field(default_factory=threading.Lock)


class Views:
    """The views of one process, least recently used first to go."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: OrderedDict[int, _Held] = OrderedDict()
        # Called by `clear`: what others keep by folder.
        self.cleared: list[Callable[[], None]] = []

    def get(self, folder_id: int) -> Generation:
        """Return the folder as of now. Runs SQL. Raises NoSuchFolder."""
        found = sql.rows(STATE, [folder_id])
        if not found:
            self.forget(folder_id)
            raise NoSuchFolder("The folder is gone")
        return self.at(folder_id, *found[0])

    def at(
        self, folder_id: int, uid_validity: int, modseq: int, pruned: int
    ) -> Generation:
        """Return the folder as its state, just read, says that it is. Runs SQL.

        Raises NotBrief on the event loop when there is much to read.
        """
        entry = self._entry(folder_id)
        if entry is not None:
            with held(entry.lock):
                old = entry.generation
                if old.uid_validity == uid_validity and old.modseq >= modseq:
                    # Another thread was further, or nothing happened.
                    return old
                if old.uid_validity == uid_validity and pruned <= old.modseq:
                    entry.generation = _advance(old, modseq)
                    return entry.generation
        if here.brief:
            raise NotBrief
        made = _load(folder_id, uid_validity, modseq)
        self._keep(folder_id, made)
        return made

    def current(self, folder_id: int) -> Generation | None:
        """Return the newest generation held, without SQL; None if none is."""
        held = self._entry(folder_id)
        return held.generation if held else None

    def put_after(self, old: Generation, new: Generation) -> None:
        """Hold `new` in the place of `old`, unless somebody went on from there."""
        entry = self._entry(old.folder_id)
        if entry is not None and entry.lock.acquire(blocking=False):
            if entry.generation is old:
                entry.generation = new
            entry.lock.release()

    def forget(self, folder_id: int) -> None:
        """Drop a view; the next `get` builds it anew."""
        with self._guard:
            self._held.pop(folder_id, None)

    def clear(self) -> None:
        """Drop all."""
        with self._guard:
            self._held.clear()
        for forget in self.cleared:
            forget()

    def _entry(self, folder_id: int) -> _Held | None:
        with self._guard:
            held = self._held.get(folder_id)
            if held is not None:
                self._held.move_to_end(folder_id)
            return held

    def _keep(self, folder_id: int, generation: Generation) -> None:
        limit = int(getattr(settings, "MAILHOST_VIEW_CACHE_MB", 256)) << 20
        with self._guard:
            self._held[folder_id] = _Held(generation)
            self._held.move_to_end(folder_id)
            used = sum(len(h.generation.uids) for h in self._held.values())
            while used * OCTETS_A_ROW > limit and len(self._held) > 1:
                _, dropped = self._held.popitem(last=False)
                used -= len(dropped.generation.uids)


STATE = """
    SELECT f.uid_validity, s.modseq, s.pruned_modseq
    FROM mail_folderstate s JOIN mail_folder f ON f.id = s.folder_id
    WHERE s.folder_id = %s
"""
COLUMNS = "uid, flags, modseq, size, internal_date, keywords"
CHANGED = f"""
    SELECT {COLUMNS} FROM mail_message
    WHERE folder_id = %s AND modseq > %s ORDER BY modseq LIMIT %s
"""  # noqa: S608 - only our constant is formatted in
GONE = """
    SELECT uid FROM mail_tombstone
    WHERE folder_id = %s AND modseq > %s ORDER BY modseq LIMIT %s
"""


def _load(folder_id: int, uid_validity: int, modseq: int) -> Generation:
    rows = sql.rows(
        f"SELECT {COLUMNS} FROM mail_message WHERE folder_id = %s ORDER BY uid",  # noqa: S608
        [folder_id],
    )
    # A row committed after the state was read has a higher modseq: what it says is
    # newer, and reading it again later does no harm.
    empty = Generation(
        folder_id, uid_validity, modseq,
        array("Q"), array("H"), array("Q"), array("Q"), array("q"),
    )  # fmt: skip
    _extend(empty, rows)
    return empty


def _extend(generation: Generation, rows: list[tuple]) -> None:  # type: ignore[type-arg]
    if not rows:
        return
    uids, flags, modseqs, sizes, dates, keywords = zip(*rows, strict=True)
    generation.uids.extend(uids)
    generation.flags.extend(flags)
    generation.modseqs.extend(modseqs)
    generation.sizes.extend(sizes)
    generation.dates.extend(map(seconds, dates))
    generation.keywords.update(
        (uid, words) for uid, words in zip(uids, keywords, strict=True) if words
    )


def seconds(date: datetime | str) -> int:
    """Return a date as the database gave it in seconds since 1970."""
    # SQLite gives its text to a plain cursor: "2026-01-31 12:34:56.789", in UTC.
    if isinstance(date, str):
        date = datetime.fromisoformat(date if "+" in date else date + "+00:00")
    return int(date.timestamp())


def _advance(old: Generation, modseq: int) -> Generation:
    """Return the generation at `modseq`, from what changed since `old`."""
    since = [old.folder_id, old.modseq, BRIEF_ROWS if here.brief else MOST_ROWS]
    rows = sorted(sql.rows(CHANGED, since))
    gone = [uid for (uid,) in sql.rows(GONE, since)]
    if here.brief and max(len(rows), len(gone)) >= BRIEF_ROWS:
        raise NotBrief
    last = old.uids[-1] if old.uids else 0
    new = replace(
        old,
        modseq=modseq,
        flags=old.flags[:],
        modseqs=old.modseqs[:],
        keywords=dict(old.keywords),
        steps=remember(old, [row[0] for row in rows]),
    )
    if gone or (rows and rows[-1][0] > last):
        # Other messages: only then is what cannot change of them not shared.
        new = replace(new, uids=old.uids[:], sizes=old.sizes[:], dates=old.dates[:])
        if gone:
            _drop(new, set(gone))
    for row in rows:
        if (at := new.index(row[0])) is not None:
            _overwrite(new, at, row)
    _extend(new, [row for row in rows if row[0] > last])
    return new


def remember(
    old: Generation, uids: list[int]
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return the steps of the generation after `old`, in which these changed."""
    if len(uids) > REMEMBERED_UIDS:
        return ()
    return (*old.steps[1 - REMEMBERED :], (old.modseq, tuple(uids)))


def _overwrite(new: Generation, at: int, row: tuple) -> None:  # type: ignore[type-arg]
    uid, flags, modseq, _size, _date, keywords = row
    new.flags[at] = flags
    new.modseqs[at] = modseq
    if keywords:
        new.keywords[uid] = keywords
    else:
        new.keywords.pop(uid, None)


def _drop(new: Generation, dead: set[int]) -> None:
    found = sorted(at for uid in dead if (at := new.index(uid)) is not None)
    for column in (new.uids, new.flags, new.modseqs, new.sizes, new.dates):
        kept = array(column.typecode)
        start = 0
        for at in found:
            kept.extend(column[start:at])
            start = at + 1
        kept.extend(column[start:])
        column[:] = kept
    for uid in dead:
        new.keywords.pop(uid, None)


views = Views()
