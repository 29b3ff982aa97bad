"""Plain values that the store takes and gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a message was put."""

    account_id: int
    folder_id: int
    uid_validity: int
    uid: int
    email_id: int
    modseq: int


@dataclass(frozen=True, slots=True)
class Target:
    """One account that a message is delivered to; `folder_id` None is the INBOX."""

    account_id: int
    folder_id: int | None = None
    flags: int = 0
    keywords: tuple[str, ...] = ()
    internal_date: datetime | None = None
    delivered_to: str = ""
    mail_from: str = ""
    peer: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """A folder and its counters at one moment; `rights` are letters of RFC 4314."""

    id: int
    account_id: int
    name: str
    role: str
    uid_validity: int
    uid_next: int
    mailbox_id: str
    modseq: int
    messages: int
    unseen: int
    deleted: int
    bytes: int
    recent_uid: int
    subscribed: bool
    rights: str


@dataclass(frozen=True, slots=True)
class Copied:
    """What COPY or MOVE did: the UIDs copied, ascending, and the first new UID.

    The new ones follow each other.
    """

    uid_validity: int
    uids: Sequence[int]
    modseq: int
    first: int = 0
    to_folder_id: int = 0

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Return (source UID, new UID) pairs."""
        return tuple((uid, self.first + n) for n, uid in enumerate(self.uids))


@dataclass(frozen=True, slots=True)
class FlagResult:
    """UIDs whose flags differ now, those that `unchanged_since` kept, the modseq.

    `was`: none of `changed` had a higher modseq before.
    """

    changed: tuple[int, ...]
    failed: tuple[int, ...]
    modseq: int
    was: int = 0


@dataclass(frozen=True, slots=True)
class Expunged:
    """UIDs that are gone, ascending, and the modseq that tells of it."""

    uids: Sequence[int]
    modseq: int


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account that a user may see."""

    id: int
    kind: str
    name: str
    owner_id: int | None
    rights: str


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a message stands in a list by date: its date, and its row's number."""

    date: datetime
    id: int
