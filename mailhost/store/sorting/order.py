"""SORT. RFC 5256 §3; the display keys are RFC 5957 §3, relevancy RFC 6203 §6."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from mailhost.store.sorting import keys
from mailhost.store.sorting.results import Kept
from mailhost.store.view import Generation


@dataclass(frozen=True, slots=True)
class Criterion:
    """A key to sort by.

    arrival, size, date, subject, from, to, cc, displayfrom, displayto, relevancy.
    """

    key: str
    reverse: bool = False


Positions = Sequence[int]
PART = 8_192  # messages sorted at one go
SAMPLE = 1_024  # of them show where to part


def _weight(key: Hashable, found: "array[int]") -> int:
    assert isinstance(key, tuple)
    return len(key[-1]) + 4 * len(found) + 200


results: Kept["array[int]"] = Kept(_weight, 0.15)


def order(
    now: Generation,
    rows: Sequence[int],
    criteria: Sequence[Criterion],
    scores: Mapping[int, int] | None = None,
) -> Sequence[int]:
    """Return `rows` (indexes of `now`, ascending) in the order of these criteria.

    What is equal keeps the order of the mailbox. `scores` of rows are what relevancy
    looks at. Runs SQL for keys it has not seen.
    """
    if scores is not None:
        return [rows[n] for n in _sorted(now, rows, criteria, scores)]
    uids = uids_of(now, rows)
    place = now.folder_id, now.uid_validity, tuple(criteria), uids.tobytes()
    found = results.get(place)
    if found is None:
        found = array("I", _sorted(now, rows, criteria, {}))
        results.put(place, found)
    return found if len(rows) == len(now.uids) else [rows[n] for n in found]


def uids_of(now: Generation, rows: Sequence[int]) -> "array[int]":
    """Return the UIDs of ascending rows."""
    if len(rows) == len(now.uids):
        return now.uids
    return array("Q", [now.uids[i] for i in rows])


def _sorted(
    now: Generation,
    rows: Sequence[int],
    criteria: Sequence[Criterion],
    scores: Mapping[int, int],
) -> Positions:
    positions = list(range(len(rows)))
    # From the last to the first: sorting is stable, in reverse too.
    for criterion in reversed(criteria):
        values = _values(now, rows, criterion.key, scores)
        positions = _in_order(positions, values, reverse=criterion.reverse)
    return positions


def _in_order(
    positions: list[int], values: Sequence[int] | Sequence[str], *, reverse: bool
) -> list[int]:
    """Return positions by their values; many of them in parts.

    One sort of 100,000 strings would keep all other threads waiting for 100 ms.
    """
    key: Callable[[int], int | str] = values.__getitem__
    if len(positions) <= PART:
        return sorted(positions, key=key, reverse=reverse)
    sample = sorted(map(key, positions[:: len(positions) // SAMPLE]))
    borders = sample[:: max(1, SAMPLE * PART // (2 * len(positions)))]
    parts: list[list[int]] = [[] for _ in range(len(borders) + 1)]
    for position in positions:
        parts[bisect_right(borders, values[position])].append(position)
    found: list[int] = []
    for part in reversed(parts) if reverse else parts:
        part.sort(key=key, reverse=reverse)
        found += part
    return found


def _values(
    now: Generation, rows: Sequence[int], key: str, scores: Mapping[int, int]
) -> Sequence[int] | Sequence[str]:
    match key:
        case "arrival":
            return [now.dates[i] for i in rows]
        case "size":
            return [now.sizes[i] for i in rows]
        case "relevancy":  # the highest first
            return [-scores.get(i, 0) for i in rows]
        case "date":
            return sent_dates(now, rows)
        case _:
            return keys.columns(now, uids_of(now, rows), (key,))[0]


def sent_dates(now: Generation, rows: Sequence[int]) -> list[int]:
    """Return the sent dates; the internal date where there is none. RFC 5256 §2.2."""
    (sent,) = keys.columns(now, uids_of(now, rows), ("date",))
    return [
        now.dates[i] if at is None else at for i, at in zip(rows, sent, strict=True)
    ]
