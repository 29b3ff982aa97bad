r"""The selected mailbox: what this client has been told of it, and how it is now.

`uids[n - 1]` is the UID of message number n as the client counts. It lags behind `now`
until the client has been told (RFC 9051 §7.5.1), so it never changes in silence. Where
nothing is untold it is the very array of `now`, shared by all sessions.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailhost.store.rights import require_on
from mailhost.store.values import FolderInfo
from mailhost.store.view import Generation
from protocols.imap.errors import Bad, No
from protocols.imap.sequence import SequenceSet

if TYPE_CHECKING:
    from protocols.imap.searching.contexts import Context

Span = tuple[int, int]  # [start, end) of positions in Selected.uids
NEVER_RECENT = 1 << 62  # a UID that there is not


@dataclass(slots=True)
class Selected:
    """One session's selection."""

    folder: FolderInfo
    now: Generation
    read_only: bool
    recent_from: int  # UIDs from here on are \Recent to this session
    uids: "array[int]"
    told_modseq: int  # changes of flags up to here have been told
    whole_modseq: int  # all changes up to here have been told, expunges too
    # UID -> modseq of changes that the client made and knows of.
    own: dict[int, int] = field(default_factory=dict)
    saved: tuple[int, ...] = ()  # "$", RFC 5182
    aligned: bool = True  # whether `uids` is the beginning of `now.uids`
    told_gone: bool = False  # expunges were told, and not yet the modseq above them
    contexts: dict[str, "Context"] = field(default_factory=dict)  # by tag; RFC 5267
    # UIDs [first, last + 1) that the client put here and was not told of yet.
    made: list[Span] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the client has been told all that is known here."""
        now = self.now
        return (
            self.aligned
            and self.told_modseq == now.modseq
            and len(self.uids) == len(now.uids)
        )

    def update(self, now: Generation) -> None:
        """Take a newer generation; the client is not told by this."""
        self.now = now
        kept = self.kept()
        self.aligned = kept == len(self.uids)

    def kept(self) -> int:
        """Return how many of `now` the client knows of; what follows is new."""
        return bisect_right(self.now.uids, self.uids[-1]) if self.uids else 0

    def gone(self) -> list[int]:
        """Return the positions whose messages are no more; ascending."""
        if self.aligned:
            return []
        alive = set(self.now.uids[: self.kept()])
        return [n for n, uid in enumerate(self.uids) if uid not in alive]

    def at(self, position: int) -> int | None:
        """Return where the message stands in `now`; None: it is gone."""
        return position if self.aligned else self.now.index(self.uids[position])

    def missing(self, spans: Iterable[Span]) -> int:
        """Return how many messages of these spans are gone."""
        if self.aligned:
            return 0
        return sum(self.at(n) is None for span in spans for n in range(*span))

    def position(self, uid: int) -> int | None:
        """Return the position of a UID, or None."""
        n = bisect_left(self.uids, uid)
        return n if n < len(self.uids) and self.uids[n] == uid else None

    def number(self, uid: int) -> int:
        """Return the message number of a UID that the client knows."""
        return bisect_left(self.uids, uid) + 1

    def positions(self, chosen: SequenceSet, *, by_uid: bool) -> list[Span]:
        """Return the spans that a set names. Raises Bad for a number there is not."""
        if chosen.saved:
            return spans_of(self._saved_positions())
        if by_uid:
            return chosen.spans(self.uids)
        self._check_numbers(chosen)
        return chosen.spans(range(1, len(self.uids) + 1))

    def chosen_uids(self, spans: Iterable[Span]) -> "array[int]":
        """Return the UIDs of these spans, ascending."""
        found = array("Q")
        for start, end in spans:
            found.extend(self.uids[start:end])
        return found

    def _saved_positions(self) -> list[int]:
        found = (self.position(uid) for uid in self.saved)
        return [n for n in found if n is not None]

    def _check_numbers(self, chosen: SequenceSet) -> None:
        # RFC 9051 §9, seq-number. "1:*" of an empty mailbox is let pass: it is what
        # clients write for "all".
        count = len(self.uids)
        for ends in chosen.ranges:
            highest = max((end for end in ends if end is not None), default=0)
            if highest > count and not (count == 0 and ends in {(1, None), (None, 1)}):
                raise Bad("There is no message of this number")


def select(
    folder: FolderInfo, now: Generation, *, read_only: bool, recent_from: int
) -> Selected:
    """Return a selection of which all of `now` is told."""
    return Selected(
        folder, now, read_only, recent_from, now.uids, now.modseq, now.modseq
    )


def spans_of(positions: Sequence[int]) -> list[Span]:
    """Join ascending positions into spans."""
    spans: list[Span] = []
    for n in positions:
        if spans and spans[-1][1] == n:
            spans[-1] = (spans[-1][0], n + 1)
        else:
            spans.append((n, n + 1))
    return spans


def require_right(folder: FolderInfo, rights: str) -> None:
    """Raise NotPermitted, or NoSuchFolder, unless all of these are held."""
    require_on(folder, rights)


def require_some(selected: Selected, spans: Sequence[Span]) -> int:
    """Return how many of these messages are gone, untold. Raises No for all of them.

    RFC 2180 §4.1.2, RFC 5530 §3 (EXPUNGEISSUED).
    """
    missing = selected.missing(spans)
    if missing and missing == sum(end - start for start, end in spans):
        raise No("These messages are gone", "EXPUNGEISSUED")
    return missing
