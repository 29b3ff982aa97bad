"""The INBOX as one session sees it: fixed at login, whatever others do. RFC 1939 §4.

What other sessions expunge can still be read here: the store keeps content for a grace
time. Nothing is locked meanwhile, and nothing leaves the store before QUIT.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from accounts.auth import authenticate
from mailhost.store.errors import NoSuchFolder
from mailhost.store.folders import folder_by_role
from mailhost.store.read import message_rows
from mailhost.store.view import views
from protocols.pop3.errors import Refused
from protocols.pop3.standing import Standing, version_of


@dataclass(slots=True)
class Maildrop:
    """Parallel columns in message order; number n stands at n - 1."""

    standing: Standing
    folder_id: int
    uid_validity: int
    uids: "array[int]"
    contents: "array[int]"
    sizes: "array[int]"
    deleted: set[int] = field(default_factory=set)  # numbers

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
            raise Refused(f"Message {number} is deleted")
        return number

    def size(self, number: int) -> int:
        """Return the octets of a message."""
        return self.sizes[number - 1]

    def uidl(self, number: int) -> str:
        """Return what names a message for ever. RFC 1939 §7."""
        return f"{self.uid_validity:x}.{self.uids[number - 1]:x}"

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

    def deleted_uids(self) -> tuple[int, ...]:
        """Return what QUIT removes."""
        return tuple(self.uids[n - 1] for n in sorted(self.deleted))


def log_in(login: str, password: str, address: str) -> Maildrop:
    """Check the credentials and take the snapshot; in a reader thread.

    Raises accounts.auth.LoginRefused, StoreError.
    """
    who = authenticate(login, password, protocol="pop3", address=address)
    return snapshot(Standing(who, version_of(who)))


def snapshot(standing: Standing) -> Maildrop:
    """Return the account's INBOX as it is now. Raises NoSuchFolder."""
    inbox = folder_by_role(standing.login.account_id, "inbox")
    if inbox is None:
        raise NoSuchFolder("There is no INBOX")
    view = views.get(inbox.id)
    rows = message_rows(inbox.id, view.uids, ("content_id", "size"))
    uids = sorted(rows)
    return Maildrop(
        standing,
        inbox.id,
        inbox.uid_validity,
        array("q", uids),
        array("q", (rows[uid][0] for uid in uids)),
        array("q", (rows[uid][1] for uid in uids)),
    )
