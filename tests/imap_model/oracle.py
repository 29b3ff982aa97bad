"""What all clients together have been told, and so cannot be otherwise any more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from tests.imap_client.picture import Violation

Place = tuple[int, int]  # UIDVALIDITY and UID: once and for ever one message


def digest(octets: bytes) -> bytes:
    return sha256(octets).digest()


@dataclass
class Oracle:
    """Raises Violation where something contradicts what was told before."""

    contents: dict[Place, bytes] = field(default_factory=dict)  # -> digest
    copies: list[tuple[Place, Place]] = field(default_factory=list)
    issued: set[Place] = field(default_factory=set)  # by APPENDUID and COPYUID
    # UIDVALIDITY -> highest UIDNEXT told.
    next_uid: dict[int, int] = field(default_factory=dict)
    # (UIDVALIDITY, UID, MODSEQ) -> flags; only since the last checkpoint.
    flags: dict[tuple[int, int, int], frozenset[str]] = field(default_factory=dict)
    deleted: bool = False  # whether any mailbox was ever deleted

    def holds(self, place: Place, octets_digest: bytes) -> None:
        """The octets of a message were told."""
        if self.contents.setdefault(place, octets_digest) != octets_digest:
            raise Violation(f"the octets of {place} are not what they were")

    def issue(self, validity: int, uids: Sequence[int], floor: int) -> None:
        """Somebody was told that new messages have these UIDs.

        `floor`: the UIDNEXT known before the command was sent.
        """
        if list(uids) != sorted(uids):
            raise Violation(f"new UIDs out of order: {uids}")
        for uid in uids:
            if (validity, uid) in self.issued:
                raise Violation(f"UID {uid} of {validity} was given away before")
            if uid < floor:
                raise Violation(f"new UID {uid} of {validity} is below UIDNEXT {floor}")
            self.issued.add((validity, uid))

    def copied(self, pairs: Iterable[tuple[Place, Place]]) -> None:
        self.copies += pairs

    def told_next(self, validity: int, uid_next: int) -> None:
        self.next_uid[validity] = max(uid_next, self.next_uid.get(validity, 0))

    def told_flags(self, place: Place, modseq: int, flags: frozenset[str]) -> None:
        """Two clients never see other flags under the same MODSEQ."""
        key = (*place, modseq)
        if self.flags.setdefault(key, flags) != flags:
            raise Violation(f"{key} has {sorted(flags)} and {sorted(self.flags[key])}")

    def settle(self) -> None:
        """Hold copies against their originals; nothing is under way."""
        for source, target in self.copies:
            if (known := self.contents.get(source)) is not None:
                self.holds(target, known)
        self.copies.clear()
        self.flags.clear()
