"""QRESYNC: what a client that comes back has missed. RFC 7162 §3.2.5, §3.2.6."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from mailhost.store import history
from mailhost.store.view import Generation
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.selected import Selected
from protocols.imap.sequence import SequenceSet, merged, written_spans
from protocols.imap.session import Session

EVERYTHING = SequenceSet(((1, None),))
SPANS = 2_000  # ranges told in one line
Span = tuple[int, int]  # [start, end) of UIDs


@dataclass(frozen=True, slots=True)
class Known:
    """What the client remembers: the QRESYNC parameter of SELECT.

    `numbers` and `uids_of` are as many, both ascending: message n had that UID.
    """

    uid_validity: int
    modseq: int
    uids: SequenceSet = EVERYTHING
    numbers: SequenceSet | None = None
    uids_of: SequenceSet | None = None

    @classmethod
    def parse(cls, p: Parser) -> Self:
        """Read what follows QRESYNC. RFC 7162 §7, select-param."""
        p.literally(b" (")
        uid_validity = p.number32()
        p.sp()
        modseq = p.mod_sequence()
        if not uid_validity or not modseq:
            raise Bad("Expected a number above 0")
        uids, numbers, uids_of = EVERYTHING, None, None
        has_more = p.takes(b" ")
        if has_more and p.next() != b"(":
            uids = _plain_set(p)
            has_more = p.takes(b" ")
        if has_more:
            p.literally(b"(")
            numbers = _plain_set(p)
            p.sp()
            uids_of = _plain_set(p)
            p.literally(b")")
            if _ascending(numbers) != _ascending(uids_of):
                raise Bad("As many numbers as UIDs are expected")
        p.literally(b")")
        return cls(uid_validity, modseq, uids, numbers, uids_of)

    def floor(self, now: Generation) -> int:
        """Return the UID up to which the client knows of all expunges, or 0.

        RFC 7162 §3.2.5.2: where a message has the number that it had, nothing below
        it has gone unnoticed. The cost follows the ranges, not what they span.
        """
        if self.numbers is None or self.uids_of is None:
            return 0
        uids = now.uids
        pairs = list(_side_by_side(self.numbers.ranges, self.uids_of.ranges))
        for number, uid, length in reversed(pairs):
            # uids[n - 1] - n never falls: find the last n that has the wanted one.
            start, end = number - 1, min(number - 1 + length, len(uids))
            if start >= end:
                continue
            apart = uid - number
            at = bisect_right(
                range(len(uids)), apart, start, end, key=lambda i: uids[i] - i - 1
            )
            if at > start and uids[at - 1] - at == apart:
                return uids[at - 1]
        return 0


def _plain_set(p: Parser) -> SequenceSet:
    """Read a set without "*" and "$"."""
    found = p.sequence_set()
    if found.saved or any(None in ends for ends in found.ranges):
        raise Bad("Only numbers are allowed here")
    return found


def _ascending(numbers: SequenceSet) -> int:
    """Return how many numbers there are. Raises Bad unless they ascend."""
    last = count = 0
    for low, high in numbers.ranges:
        if low is None or high is None or not last < low <= high:
            raise Bad("The numbers must ascend")
        last = high
        count += high - low + 1
    return count


Ranges = Sequence[tuple[int | None, int | None]]


def _side_by_side(numbers: Ranges, uids: Ranges) -> Iterator[tuple[int, int, int]]:
    """Yield (first number, first UID, length) where both rise by one together."""
    i = j = 0
    used_i = used_j = 0  # of the ranges the two are in
    while i < len(numbers) and j < len(uids):
        a, b = numbers[i]
        c, d = uids[j]
        assert a is not None
        assert b is not None
        assert c is not None
        assert d is not None
        left_i, left_j = b - a + 1 - used_i, d - c + 1 - used_j
        length = min(left_i, left_j)
        yield a + used_i, c + used_j, length
        used_i, used_j = used_i + length, used_j + length
        if length == left_i:
            i, used_i = i + 1, 0
        if length == left_j:
            j, used_j = j + 1, 0


@dataclass(frozen=True, slots=True)
class Missed:
    """What the client has not heard of: spans of UIDs that left, rows that changed."""

    gone: Sequence[Span]
    changed: Sequence[int]  # rows of the generation, ascending


NOTHING = Missed((), ())


def missed(now: Generation, known: Known) -> Missed:
    """Return what happened to the known UIDs since. Runs SQL.

    A client that knows another UIDVALIDITY has missed nothing: RFC 7162 §3.2.5.
    """
    if known.uid_validity != now.uid_validity:
        return NOTHING
    gone = vanished(now.folder_id, now.uids, known.modseq, known.uids, known.floor(now))
    uids = history.changed_since(now.folder_id, known.modseq)
    if uids is None:
        changed = now.changed_since(known.modseq)
    else:
        changed = [at for uid in uids if (at := now.index(uid)) is not None]
    if known.uids is not EVERYTHING:
        rows = known.uids.spans(now.uids)
        changed = [at for a, b in rows for at in _between(changed, a, b)]
    return Missed(gone, changed)


def vanished(
    folder_id: int,
    present: Sequence[int],
    modseq: int,
    asked: SequenceSet,
    floor: int = 0,
) -> list[Span]:
    """Return which of the asked UIDs, above `floor`, left after `modseq`. Runs SQL.

    `present`: UIDs, ascending, that are there or of which the client hears otherwise.
    "*" is the highest UID ever given. Of expunges too long ago all that are absent are
    returned: RFC 7162 §3.2.6.
    """
    expunges = history.expunged_since(folder_id, modseq)
    spans = asked.bounded(expunges.last_uid)
    if expunges.uids is None:
        return absent(present, [(max(a, floor + 1), b) for a, b in spans])
    uids = expunges.uids
    chosen = [
        uid
        for a, b in spans
        for uid in _between(uids, a, b)
        if uid > floor and not _has(present, uid)
    ]
    return merged((uid, uid + 1) for uid in chosen)


def absent(present: Sequence[int], spans: Sequence[Span]) -> list[Span]:
    """Return the spans without those present (ascending)."""
    found: list[Span] = []
    for start, end in spans:
        at = start
        for uid in _between(present, start, end):
            if uid > at:
                found.append((at, uid))
            at = uid + 1
        if at < end:
            found.append((at, end))
    return found


def _between(numbers: Sequence[int], start: int, end: int) -> Sequence[int]:
    return numbers[bisect_left(numbers, start) : bisect_left(numbers, end)]


def _has(numbers: Sequence[int], number: int) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number


def tell_earlier(gone: Sequence[Span]) -> Iterator[bytes]:
    """Yield VANISHED (EARLIER). RFC 7162 §3.2.10.1."""
    for start in range(0, len(gone), SPANS):
        uids = written_spans(gone[start : start + SPANS])
        yield f"* VANISHED (EARLIER) {uids}\r\n".encode()


def present_to(selected: Selected) -> Sequence[int]:
    """Return what is there, and what the client is yet to be told is gone."""
    if selected.aligned:
        return selected.now.uids
    return sorted({*selected.now.uids, *selected.uids})


def require_qresync(session: Session) -> None:
    """Raise Bad unless the client has enabled QRESYNC. RFC 7162 §3.2.3."""
    if "QRESYNC" not in session.enabled:
        raise Bad("ENABLE QRESYNC first", "CLIENTBUG")
