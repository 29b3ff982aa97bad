"""THREAD: ORDEREDSUBJECT, REFERENCES and REFS. RFC 5256 §3."""

from array import array
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from mailhost.store.sorting import keys
from mailhost.store.sorting.forest import Forest
from mailhost.store.sorting.order import sent_dates, uids_of
from mailhost.store.sorting.references import Links
from mailhost.store.sorting.results import Kept
from mailhost.store.view import Generation


@dataclass(frozen=True, slots=True)
class Threads:
    """Threads as THREAD writes them, with a %d for each message of `order`.

    `order` are positions in the rows that were threaded.
    """

    template: bytes
    order: "array[int]"


def _weight(key: Hashable, found: Threads) -> int:
    assert isinstance(key, tuple)
    return len(key[-1]) + len(found.template) + 4 * len(found.order) + 200


results: Kept[Threads] = Kept(_weight, 0.1)


def thread(now: Generation, rows: Sequence[int], algorithm: str) -> Threads:
    """Thread `rows` (indexes of `now`, ascending) by a name of ALGORITHMS.

    Runs SQL for keys it has not seen.
    """
    uids = uids_of(now, rows)
    place = now.folder_id, now.uid_validity, algorithm, uids.tobytes()
    found = results.get(place)
    if found is None:
        template, order = ALGORITHMS[algorithm](now, rows, uids).written()
        found = Threads(template, array("I", order))
        results.put(place, found)
    return found


def _ordered_subject(
    now: Generation, rows: Sequence[int], uids: "array[int]"
) -> Forest:
    dates = sent_dates(now, rows)
    (subjects,) = keys.columns(now, uids, ("subject",))
    by_date = sorted(range(len(rows)), key=dates.__getitem__)
    first: dict[str, int] = {}
    children: dict[int, list[int]] = {-1: []}
    for message in by_date:
        root = first.setdefault(subjects[message], message)
        children.setdefault(-1 if root == message else root, []).append(message)
    return Forest(children, dates)


def _references(now: Generation, rows: Sequence[int], uids: "array[int]") -> Forest:
    subjects, replies, ids, references = keys.columns(
        now, uids, ("subject", "reply", "id", "references")
    )
    forest = Forest(Links(ids, references).families(), sent_dates(now, rows))
    forest.sort()
    forest.join(subjects, replies)
    forest.sort()
    return forest


def _refs(now: Generation, rows: Sequence[int], uids: "array[int]") -> Forest:
    """As REFERENCES without step 5; draft-ietf-morg-inthread."""
    ids, references = keys.columns(now, uids, ("id", "references"))
    forest = Forest(Links(ids, references).families(), sent_dates(now, rows))
    forest.sort_by_newest()
    return forest


ALGORITHMS: dict[str, Callable[[Generation, Sequence[int], "array[int]"], Forest]] = {
    "ORDEREDSUBJECT": _ordered_subject,
    "REFERENCES": _references,
    "REFS": _refs,
}
