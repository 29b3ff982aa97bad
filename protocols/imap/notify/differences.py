"""What is to be told when accounts are not as they were. Values in, values out.

RFC 5465 §5.1 to §5.6, §5.9.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mailhost.store.annotations import EntryChange
from mailhost.store.values import FolderInfo
from protocols.imap.metadata import SPECIAL_USE, Name
from protocols.imap.notify.events import Event, events_for
from protocols.imap.notify.notified import Notified, Seen, Told

Accounts = Mapping[int, Told]


@dataclass(frozen=True, slots=True)
class Change:
    """A folder as it was and as it is; None: not there for the user."""

    folder_id: int
    before: Told
    old: Seen | None
    new: Seen | None
    is_own: bool

    @property
    def renames(self) -> tuple[str, str] | None:
        if self.old is None or self.new is None or self.old.name == self.new.name:
            return None
        return self.old.name, self.new.name


@dataclass(slots=True)
class News:
    """What to tell: LIST with its OLDNAME, STATUS with its items, METADATA."""

    listed: dict[str, str | None] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)  # of those: there, and forbidden
    statuses: list[tuple[str, FolderInfo, list[str]]] = field(default_factory=list)
    entries: dict[str, dict[Name, None]] = field(default_factory=dict)


@dataclass
class Difference:
    """From `before` to `after`. `selected_id`: the folder that others tell of."""

    notified: Notified
    before: Accounts
    after: Accounts
    own_id: int
    condstore: bool
    selected_id: int | None = None
    news: News = field(default_factory=News)

    def find(self) -> News:
        """Return what to tell, but for entries."""
        changes = list(self._changes())
        renames = {one.renames for one in changes} - {None}
        vacant = {one.old.name for one in changes if one.old and not one.new}
        for one in changes:
            self._name(one, renames)
            self._messages(one, vacant)
            self._use(one)
        self._doubts()
        self._subscriptions()
        return self.news

    def add_entries(self, account_id: int, changed: Iterable[EntryChange]) -> None:
        """Take in what changed of the METADATA of an account. §5.6, §5.7."""
        account = self.after[account_id]
        for one in changed:
            name = Name(one.shared, one.name)
            if one.modseq > account.roster.modseq:
                continue  # told the next time
            if one.folder_id is None:
                if self.notified.wants(Event.SERVER_METADATA_CHANGE) and account.is_own:
                    self._entry("", name)
            elif (seen := account.seen(one.folder_id)) is not None:
                self._entry_of(seen, name, is_own=account.is_own)

    @cached_property
    def subscribed(self) -> frozenset[str]:
        """What the user is, or was just now, subscribed to."""
        before = self.before[self.own_id].roster.subscribed
        after = self.after[self.own_id].roster.subscribed
        return after if after is before else before | after

    @cached_property
    def there(self) -> dict[str, Seen]:
        """Every folder that the user sees, by name."""
        seen = (one for account in self.after.values() for one in account.all_seen())
        return {one.name: one for one in seen}

    def wants(self, event: Event, name: str, *, is_own: bool) -> bool:
        return event in self.events(name, is_own=is_own)

    def events(self, name: str, *, is_own: bool) -> frozenset[Event]:
        """Return what is told of a mailbox. `is_own`: it is the user's."""
        groups = self.notified.groups
        return events_for(groups, name, self.subscribed, is_own=is_own)

    def _changes(self) -> Iterator[Change]:
        for account_id, after in self.after.items():
            before = self.before[account_id]
            if before is after and not self.notified.owed:
                continue
            ids = {*after.changed_since(before)}
            ids |= self.notified.owed & after.roster.folders.keys()
            for folder_id in sorted(ids):
                old, new = before.seen(folder_id), after.seen(folder_id)
                if old is not None or new is not None:
                    yield Change(folder_id, before, old, new, after.is_own)

    # Names.

    def _name(self, one: Change, renames: set[tuple[str, str] | None]) -> None:
        """RFC 5465 §5.4: made, gone or renamed; §5.9: seen, or not any more."""
        old, new = one.old, one.new
        if old is None and new is not None:
            self._appeared(new.name, is_own=one.is_own)
        elif old is not None and new is None:
            folders = self.after[old.folder.account_id].roster.folders
            if one.folder_id in folders:
                self.news.revoked.add(old.name)
            self._went(old.name, is_own=one.is_own)
        elif one.renames is not None:
            if not _goes_along(one.renames, renames):
                self._renamed(*one.renames, is_own=one.is_own)
        elif old is not None and new is not None and old.readable != new.readable:
            self._list(new.name, is_own=one.is_own)

    def _appeared(self, name: str, *, is_own: bool) -> None:
        if self.notified.named.get(name) is not True:
            self._list(name, is_own=is_own)
            self._list(name.rpartition("/")[0], is_own=is_own)

    def _went(self, name: str, *, is_own: bool) -> None:
        if self.notified.named.get(name) is not False:
            self._list(name, is_own=is_own)
            self._list(name.rpartition("/")[0], is_own=is_own)

    def _renamed(self, old: str, new: str, *, is_own: bool) -> None:
        named = self.notified.named
        if named.get(old) is False and named.get(new) is True:
            return
        wanted = [
            self.wants(Event.MAILBOX_NAME, name, is_own=is_own) for name in (old, new)
        ]
        if any(wanted):
            self.news.listed[new] = old

    def _list(self, name: str, *, is_own: bool) -> None:
        if name and self.wants(Event.MAILBOX_NAME, name, is_own=is_own):
            self.news.listed.setdefault(name, None)

    def _doubts(self) -> None:
        """What the client did was undone before we looked: it has to know."""
        for name, exists in self.notified.named.items():
            if exists != (name in self.there):
                self._list(name, is_own=not _is_shared(name, self.after))

    def _subscriptions(self) -> None:
        """RFC 5465 §5.5."""
        now = self.after[self.own_id].roster.subscribed
        for name in sorted(self.before[self.own_id].roster.subscribed ^ now):
            if self.notified.subscribed.get(name) is (name in now):
                continue
            is_own = not _is_shared(name, self.after)
            if self.wants(Event.SUBSCRIPTION_CHANGE, name, is_own=is_own):
                self.news.listed.setdefault(name, None)

    # Messages.

    def _messages(self, one: Change, vacant: set[str]) -> None:
        """RFC 5465 §5.1 to §5.3, for a mailbox that is not selected."""
        new = one.new
        if new is None or not new.readable or one.folder_id == self.selected_id:
            return
        wanted = self.events(new.name, is_own=one.is_own)
        if Event.MESSAGE_NEW not in wanted:
            return
        old = one.old.folder if one.old is not None and one.old.readable else None
        items = self._items(old, new.folder, wanted)
        if one.folder_id in self.notified.owed or (old is None and new.name in vacant):
            items |= dict.fromkeys(("MESSAGES", "UIDNEXT", "UIDVALIDITY"))
        if items and not self._did(one, wanted):
            ordered = [name for name in ORDER if name in items]
            self.news.statuses.append((new.name, new.folder, ordered))

    def _items(
        self, old: FolderInfo | None, new: FolderInfo, wanted: frozenset[Event]
    ) -> dict[str, None]:
        """Return the items of the STATUS that tells how these differ."""
        items: dict[str, None] = {}
        flags = Event.FLAG_CHANGE in wanted
        if old is None:
            if new.uid_next == 1:
                return items
            items = dict.fromkeys(("MESSAGES", "UIDNEXT", "UIDVALIDITY"))
        elif counts(old) != counts(new):
            items = dict.fromkeys(("MESSAGES", "UIDNEXT", "UIDVALIDITY"))
        elif old.modseq != new.modseq and flags and self.condstore:
            items = {"UIDVALIDITY": None}
        if flags and (old is None or old.unseen != new.unseen):
            items |= {"UIDVALIDITY": None, "UNSEEN": None}
        if items and self.condstore:
            items["HIGHESTMODSEQ"] = None
        return items

    def _did(self, one: Change, wanted: frozenset[Event]) -> bool:
        """Tell whether the client brought this about, and nobody else had a part."""
        if one.folder_id not in self.notified.filled or not one.old or not one.new:
            return False
        count, modseq = self.notified.filled[one.folder_id]
        old, new = one.old.folder, one.new.folder
        if new.modseq != modseq or new.uid_next - old.uid_next != count:
            return False
        if new.messages - old.messages != count:
            return False
        return Event.FLAG_CHANGE not in wanted or one.before.roster.modseq == modseq - 1

    # Entries.

    def _use(self, one: Change) -> None:
        """What a mailbox is for is an entry too. RFC 6154 §4."""
        if one.old is None or one.new is None or not one.is_own:
            return
        if one.old.folder.role != one.new.folder.role:
            self._entry_of(one.new, SPECIAL_USE, is_own=True)

    def _entry_of(self, seen: Seen, name: Name, *, is_own: bool) -> None:
        event = Event.MAILBOX_METADATA_CHANGE
        if seen.readable and self.wants(event, seen.name, is_own=is_own):
            self._entry(seen.name, name)

    def _entry(self, mailbox: str, name: Name) -> None:
        if (mailbox, name) not in self.notified.annotated:
            self.news.entries.setdefault(mailbox, {})[name] = None


ORDER: Sequence[str] = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ")


def counts(folder: FolderInfo) -> tuple[int, int, int]:
    """Return what differs after each arrival and expunge."""
    return folder.uid_validity, folder.uid_next, folder.messages


def _goes_along(rename: tuple[str, str], renames: set[tuple[str, str] | None]) -> bool:
    """Tell whether a mailbox was renamed with one above it, which is told instead."""
    (old, _, a), (new, _, b) = (name.rpartition("/") for name in rename)
    return a == b and (old, new) in renames


def _is_shared(name: str, accounts: Accounts) -> bool:
    return any(one.prefix and name.startswith(one.prefix) for one in accounts.values())
