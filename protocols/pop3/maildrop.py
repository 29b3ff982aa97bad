"""The folders of an account as one session sees them: fixed at login. RFC 1939 §4.

What other sessions expunge can still be read here: the store keeps content for a grace
time. Nothing is locked meanwhile, and nothing leaves the store before QUIT.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from accounts.known import Login
from mailhost.store.errors import NoSuchFolder
from mailhost.store.folders import folder_by_role, open_folder
from mailhost.store.read import message_rows
from mailhost.store.values import FolderInfo
from mailhost.store.view import views
from protocols.common.wording import say
from protocols.pop3.errors import Refused
from protocols.pop3.models import OldUidl
from protocols.pop3.policy import Policy, may_come_again, policy_of
from protocols.pop3.standing import Standing

Row: TypeAlias = tuple[int, int, int, int]  # place, UID, content, size
Uids: TypeAlias = tuple[tuple[int, tuple[int, ...]], ...]  # (folder, UIDs), …


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that messages come from; `names`: UIDLs that an old server gave."""

    folder_id: int
    uid_validity: int
    names: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Maildrop:
    """Parallel columns in message order; number n stands at n - 1."""

    standing: Standing
    policy: Policy
    places: tuple[Place, ...]
    place_of: "array[int]"  # index into places; empty: there is one place
    uids: "array[int]"
    contents: "array[int]"
    sizes: "array[int]"
    deleted: set[int] = field(default_factory=set)  # numbers
    downloaded: set[int] = field(default_factory=set)  # numbers

    def __len__(self) -> int:
        """How many messages there were at login."""
        return len(self.uids)

    def numbers(self) -> Iterator[int]:
        """Yield the numbers that are not marked as deleted."""
        return (n for n in range(1, len(self) + 1) if n not in self.deleted)

    def check(self, number: int) -> int:
        """Return the number, or refuse one that is not there. RFC 1939 §5."""
        if not 1 <= number <= len(self):
            raise Refused("No such message")
        if number in self.deleted:
            raise Refused(say("Message {} is deleted", number))
        return number

    def size(self, number: int) -> int:
        """Return the octets of a message."""
        return self.sizes[number - 1]

    def uidl(self, number: int) -> str:
        """Return what names a message for ever. RFC 1939 §7."""
        place, uid = self._place(number), self.uids[number - 1]
        return place.names.get(uid) or f"{place.uid_validity:x}.{uid:x}"

    def after(self, number: int, most: int) -> list[tuple[int, int]]:
        """Return (content, octets) of the next messages that are not deleted."""
        numbers = range(number + 1, min(number + most, len(self)) + 1)
        return [
            (self.contents[n - 1], self.sizes[n - 1])
            for n in numbers
            if n not in self.deleted
        ]

    def totals(self) -> tuple[int, int]:
        """Return count and octets of what is not marked as deleted."""
        gone = sum(self.size(n) for n in self.deleted)
        return len(self) - len(self.deleted), sum(self.sizes) - gone

    def reset(self) -> None:
        """Forget what was marked and downloaded. RFC 1939 §5."""
        self.deleted.clear()
        self.downloaded.clear()

    def gone(self) -> Uids:
        """Return what QUIT removes; RFC 2449 §6.7 allows an implicit DELE."""
        more = self.downloaded if self.policy.remove_downloaded else set()
        return self._by_folder(self.deleted | more)

    def seen(self) -> Uids:
        """Return what QUIT marks as seen, beside what it removes."""
        marks = self.policy.mark_seen and not self.policy.remove_downloaded
        return self._by_folder(self.downloaded - self.deleted if marks else ())

    def _place(self, number: int) -> Place:
        return self.places[self.place_of[number - 1] if self.place_of else 0]

    def _by_folder(self, numbers: Iterable[int]) -> Uids:
        found: dict[int, list[int]] = {}
        for n in sorted(numbers):
            found.setdefault(self._place(n).folder_id, []).append(self.uids[n - 1])
        return tuple((folder, tuple(uids)) for folder, uids in found.items())


def open_drop(login: Login) -> Maildrop:
    """Take the snapshot for who has logged in. Runs SQL.

    Raises StoreError, Refused.
    """
    may_come_again(login.account_id)
    return snapshot(Standing(login))


def snapshot(standing: Standing) -> Maildrop:
    """Return what the account offers, as it is now. Raises NoSuchFolder."""
    account_id = standing.login.account_id
    policy = policy_of(account_id)
    offered = _folders(account_id, policy)
    rows = _ordered(offered, policy)
    places = tuple(Place(f.id, f.uid_validity, _names(f.id)) for f in offered)
    one = len(places) == 1
    return Maildrop(
        standing,
        policy,
        places,
        array("H", () if one else (row[0] for row in rows)),
        array("q", (row[1] for row in rows)),
        array("q", (row[2] for row in rows)),
        array("q", (row[3] for row in rows)),
    )


def _folders(account_id: int, policy: Policy) -> list[FolderInfo]:
    """Return the folders that are offered and there; at least the INBOX."""
    found: dict[int, FolderInfo] = {}
    for name in policy.folders:
        try:
            folder = open_folder(account_id, name)
        except NoSuchFolder:
            continue
        found[folder.id] = folder
    if not found and (inbox := folder_by_role(account_id, "inbox")) is not None:
        found[inbox.id] = inbox
    if not found:
        raise NoSuchFolder("There is no INBOX")
    return list(found.values())


def _ordered(folders: Sequence[FolderInfo], policy: Policy) -> list[Row]:
    """Return what is offered, oldest first unless the policy differs."""
    rows = _of_one(folders[0]) if len(folders) == 1 else _of_several(folders)
    if policy.most_messages:
        rows = rows[-policy.most_messages :]
    return rows[::-1] if policy.newest_first else rows


def _of_one(folder: FolderInfo) -> list[Row]:
    """Return its messages as they came."""
    rows = message_rows(folder.id, views.get(folder.id).uids, ("content_id", "size"))
    return [(0, uid, *rows[uid]) for uid in sorted(rows)]


def _of_several(folders: Sequence[FolderInfo]) -> list[Row]:
    """Return their messages by date."""
    columns = ("internal_date", "content_id", "size")
    dated: list[tuple[Any, ...]] = []
    for place, folder in enumerate(folders):
        rows = message_rows(folder.id, views.get(folder.id).uids, columns)
        dated += ((row[0], place, uid, *row[1:]) for uid, row in rows.items())
    dated.sort()
    return [(place, uid, *rest) for _date, place, uid, *rest in dated]


def _names(folder_id: int) -> dict[int, str]:
    rows = OldUidl.objects.filter(folder_id=folder_id)
    return dict(rows.values_list("uid", "uidl"))
