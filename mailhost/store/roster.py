"""An account's folders and their counters in memory, shared by a process's sessions.

A `Roster` never changes: who tells of changes keeps the one that was told, and learns
what is new as the difference of two. Bringing one up to date asks for the rows that
changed. The process keeps the newest of each account for as long as somebody holds it.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from mailhost.store import sql
from mailhost.store.errors import NoSuchFolder
from mailhost.store.folders import BRIEF_FOLDERS, OPEN, info, subscriptions
from mailhost.store.reading import NotBrief, here
from mailhost.store.values import FolderInfo
from mailhost.store.view import views

REMEMBERED = 16  # steps between rosters
MOST_ROWS = 1 << 62

STATE = """
    SELECT s.modseq, s.subscribed_modseq, s.rights_modseq, a.owner_id
    FROM mail_accountstate s JOIN accounts_account a ON a.id = s.account_id
    WHERE s.account_id = %s
"""
GONE = """
    SELECT mailbox_id FROM mail_foldertombstone WHERE account_id = %s AND modseq > %s
"""
LISTED = f"{OPEN} WHERE f.account_id = %s AND s.modseq > %s LIMIT %s"


@dataclass(frozen=True, slots=True)
class State:
    """Where an account stands."""

    modseq: int
    subscribed_modseq: int | None  # when its owner's subscriptions last changed
    rights_modseq: int | None  # when what is shared with the owner, or by it, did
    owner_id: int | None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Roster:
    """The folders of an account at one modseq, as its owner sees them."""

    account_id: int
    state: State
    folders: Mapping[int, FolderInfo] = field(default_factory=dict)  # by id
    subscribed: frozenset[str] = frozenset()  # names, of the owner
    # (modseq before, folders changed) of the last steps, oldest first.
    steps: tuple[tuple[int, frozenset[int]], ...] = ()

    @property
    def modseq(self) -> int:
        return self.state.modseq

    def changed_since(self, old: "Roster") -> Iterable[int]:
        """Return the folders that differ from an older roster, or may; ascending."""
        if old.modseq == self.modseq:
            return ()
        found: set[int] = set()
        for before, some in reversed(self.steps):
            found |= some
            if before <= old.modseq:
                return sorted(found)
        both = old.folders.keys() | self.folders.keys()
        return sorted(i for i in both if old.folders.get(i) != self.folders.get(i))


class Rosters:
    """The newest roster of each account that somebody holds."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: WeakValueDictionary[int, Roster] = WeakValueDictionary()

    def current(self, account_id: int) -> Roster | None:
        """Return the newest one held, without SQL; None if none is."""
        with self._guard:
            return self._held.get(account_id)

    def get(self, account_id: int) -> Roster:
        """Return the roster as of now. Runs SQL. Raises NoSuchFolder for no account.

        Raises NotBrief on the event loop where there are many folders.
        """
        row = sql.row(STATE, [account_id])
        if row is None:
            raise NoSuchFolder("The account is gone")
        state, old = State(*row), self.current(account_id)
        if old is not None and old.state == state:
            return old
        if old is None or old.modseq > state.modseq:
            made = _load(account_id, state)
        else:
            made = _advance(old, state)
        with self._guard:
            newest = self._held.get(account_id)
            if newest is None or newest is old or newest.modseq <= made.modseq:
                self._held[account_id] = made
        return made

    def clear(self) -> None:
        """Forget all."""
        with self._guard:
            self._held.clear()


def _load(account_id: int, state: State) -> Roster:
    most = BRIEF_FOLDERS if here.brief else MOST_ROWS
    rows = sql.rows(LISTED, [account_id, -1, most])
    if here.brief and len(rows) == most:
        raise NotBrief
    # What was committed after the state was read is newer; read again, it is the same.
    folders = {row[0]: info(row) for row in rows}
    return Roster(account_id, state, folders, _subscribed(state))


def _advance(old: Roster, state: State) -> Roster:
    """Return the roster at `state`, from what changed since `old`."""
    if here.brief and len(old.folders) >= BRIEF_FOLDERS:
        raise NotBrief
    since = [old.account_id, old.modseq]
    # Tombstones first: a folder renamed in between then has a row that says so.
    dead = {mailbox_id for (mailbox_id,) in sql.rows(GONE, since)}
    folders = dict(old.folders)
    fresh = {row[0]: info(row) for row in sql.rows(LISTED, [*since, MOST_ROWS])}
    folders.update(fresh)
    gone = (
        {i for i, one in folders.items() if one.mailbox_id in dead and i not in fresh}
        if dead
        else set()
    )
    for folder_id in gone:
        del folders[folder_id]
    subscribed = old.subscribed
    if state.subscribed_modseq != old.state.subscribed_modseq:
        subscribed = _subscribed(state)
    step = (old.modseq, frozenset(fresh.keys() | gone))
    steps = (*old.steps[1 - REMEMBERED :], step)
    return Roster(old.account_id, state, folders, subscribed, steps)


def _subscribed(state: State) -> frozenset[str]:
    return frozenset(() if state.owner_id is None else subscriptions(state.owner_id))


rosters = Rosters()
views.cleared.append(rosters.clear)
