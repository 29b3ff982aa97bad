"""What a session wants to hear of, and what it has been told. RFC 5465.

Nothing is queued: what is new is the difference between the rosters that were told and
those that are. So a client that does not read costs no memory, and hears it in one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mailhost.store.rights import ALL
from mailhost.store.roster import Roster
from mailhost.store.values import FolderInfo
from protocols.imap.metadata import Name
from protocols.imap.names import SHARED
from protocols.imap.notify.events import NOTHING, Event, Group, Wishes
from protocols.imap.selected import Selected

WHATEVER = 1 << 62  # a modseq that nobody has: look, whatever was heard


@dataclass(frozen=True, slots=True)
class Seen:
    """A folder as the user sees it. `readable`: else they know that it is there."""

    name: str
    folder: FolderInfo
    readable: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One account at one moment: its folders, and what the user may do with them.

    `prefix` stands before the names of folders: nothing, or `Shared/<account>/`.
    `held` are rights on all of them, `more` on single ones.
    """

    prefix: str
    roster: Roster
    held: str = ALL
    more: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        return not self.prefix

    def seen(self, folder_id: int) -> Seen | None:
        """Return a folder; None: there is none, as far as the user may know."""
        folder = self.roster.folders.get(folder_id)
        held = self.held + self.more.get(folder_id, "")
        if folder is None or "l" not in held:
            return None
        return Seen(self.prefix + folder.name, folder, "r" in held)

    def all_seen(self) -> list[Seen]:
        found = map(self.seen, self.roster.folders)
        return [one for one in found if one is not None]

    def changed_since(self, old: "Told") -> Iterable[int]:
        """Return the folders that differ for the user, or may."""
        changed = self.roster.changed_since(old.roster)
        if (self.prefix, self.held) != (old.prefix, old.held):
            return sorted(old.roster.folders.keys() | self.roster.folders.keys())
        if self.more == old.more:
            return changed
        rights = self.more.keys() | old.more.keys()
        return sorted({
            *changed, *(i for i in rights if self.more.get(i) != old.more.get(i)),
        })  # fmt: skip


@dataclass(slots=True)
class Notified:
    """The last NOTIFY of a session. Without groups nothing is told of others."""

    wishes: Wishes = NOTHING
    groups: tuple[Group, ...] = ()
    told: Mapping[int, Told] = field(default_factory=dict)  # by account
    moved: dict[int, int] = field(default_factory=dict)  # account -> modseq heard of
    # What the client did itself, and so is not told of, if it is as it thinks:
    named: dict[str, bool] = field(default_factory=dict)  # name -> whether it exists
    subscribed: dict[str, bool] = field(default_factory=dict)
    annotated: set[tuple[str, Name]] = field(default_factory=set)
    filled: dict[int, tuple[int, int]] = field(default_factory=dict)  # -> count, modseq
    # Folders that were selected, and left before all was told.
    owed: set[int] = field(default_factory=set)

    @property
    def reaches_shares(self) -> bool:
        """Whether mailboxes of others may be among those asked for."""
        return any(
            group.kind == "SUBSCRIBED"
            or any(f"{name}/".startswith(f"{SHARED}/") for name in group.names)
            for group in self.groups
        )

    def wants(self, event: Event) -> bool:
        """Tell whether an event is asked for anywhere."""
        return any(event in group.events for group in self.groups)

    def hear(self, account_id: int, modseq: int) -> None:
        """Note that an account has moved on; also one that is just being looked at."""
        told = self.told.get(account_id)
        if told is None or modseq > told.roster.modseq:
            self.moved[account_id] = max(modseq, self.moved.get(account_id, 0))

    def take(self, told: Mapping[int, Told]) -> None:
        """Note what the client has been told; what was heard beyond it is news."""
        self.told = told
        self.moved = {
            i: modseq
            for i, modseq in self.moved.items()
            if i in told and modseq > told[i].roster.modseq
        }

    def left(self, selected: Selected) -> None:
        """Note that a mailbox is selected no more: it is one of the others again."""
        folder = selected.folder
        told = self.told.get(folder.account_id)
        if told is None or folder.id not in told.roster.folders:
            return
        if told.roster.folders[folder.id].modseq > selected.whole_modseq:
            self.owed.add(folder.id)
            self.moved[folder.account_id] = WHATEVER

    def forget_deeds(self) -> None:
        """What the client did has been taken into account."""
        for deeds in (self.named, self.subscribed, self.annotated, self.filled):
            deeds.clear()
        self.owed.clear()
