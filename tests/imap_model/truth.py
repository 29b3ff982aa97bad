"""The rows of an account, as the clients ought to see them."""

from collections import defaultdict
from dataclasses import dataclass, field

from mailhost.mail.models import Folder, Message
from mailhost.store import flags as store_flags


@dataclass
class FolderTruth:
    """One folder."""

    uid_validity: int
    uid_next: int
    modseq: int
    mailbox_id: str
    # UID -> (flags, modseq)
    messages: dict[int, tuple[frozenset[str], int]] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    counted: tuple[int, int, int, int] = (0, 0, 0, 0)

    def count(self, flag: str) -> int:
        return sum(flag in flags for flags, _ in self.messages.values())


def folders(email: str) -> dict[str, FolderTruth]:
    """Return the folders of a user's own account by name; checks the counters."""
    found: dict[str, FolderTruth] = {}
    by_id: dict[int, FolderTruth] = {}
    mine = Folder.objects.filter(account__owner__email=email).select_related("state")
    for folder in mine:
        state = folder.state
        truth = found[folder.name] = by_id[folder.pk] = FolderTruth(
            folder.uid_validity, state.uid_next, state.modseq, folder.mailbox_id
        )
        truth.counted = (state.messages, state.unseen, state.deleted, state.bytes)
    rows = Message.objects.filter(account__owner__email=email).values_list(
        *("folder_id", "uid", "modseq", "flags", "keywords", "size", "content__sha256")
    )
    for folder_id, uid, modseq, bits, keywords, size, sha in rows:
        truth = by_id[folder_id]
        flags = frozenset((*store_flags.names(bits), *keywords.split()))
        truth.messages[uid] = (flags, modseq)
        truth.sizes[uid] = size
        truth.digests[uid] = bytes(sha)
    for name, truth in found.items():
        _check(name, truth)
    _check_copies(found)
    return found


def _check(name: str, truth: FolderTruth) -> None:
    """The counters are what they count."""
    total = len(truth.messages)
    counted = (
        total, total - truth.count("\\Seen"), truth.count("\\Deleted"),
        sum(truth.sizes.values()),
    )  # fmt: skip
    assert truth.counted == counted, f"{name}: counters {truth.counted}, rows {counted}"
    assert max(truth.messages, default=0) < truth.uid_next, name
    highest = max((modseq for _, modseq in truth.messages.values()), default=0)
    assert highest <= truth.modseq, f"{name}: modseq {truth.modseq} under {highest}"


def _check_copies(found: dict[str, FolderTruth]) -> None:
    """No two folders share a UIDVALIDITY."""
    seen: dict[int, list[str]] = defaultdict(list)
    for name, truth in found.items():
        seen[truth.uid_validity].append(name)
    assert all(len(names) == 1 for names in seen.values()), seen
