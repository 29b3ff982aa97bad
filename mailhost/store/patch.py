"""A view brought up to a commit of this process by what was written, not read again.

Inside the transaction `newest` gives the view if it is of this very moment; the patch
is applied after the commit, unless somebody was faster. Where there is no such view
nothing is done: `views.get` reads what changed.
"""

import functools
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from django.db import transaction

from mailhost.store import sql
from mailhost.store.view import Generation, remember, views

Columns = tuple[
    "array[int]", "array[int]", "array[int]", "array[int]", "array[int]"
]  # as a Generation has them
Marked = tuple[int, str, Sequence[int]]  # flags, keywords, UIDs ascending


def newest(folder_id: int) -> Generation | None:
    """Return the view held of the folder, if nothing was written since. Runs SQL."""
    base = views.current(folder_id)
    if base is None:
        return None
    state = sql.row(
        "SELECT modseq FROM mail_folderstate WHERE folder_id = %s", [folder_id]
    )
    return base if state == (base.modseq,) else None


def on_commit(
    base: Generation | None,
    modseq: int,
    *,
    marked: Sequence[Marked] = (),
    gone: Sequence[int] = (),
) -> None:
    """Give the view of `base` these flags, without these messages, once committed."""
    if base is not None:
        transaction.on_commit(functools.partial(_apply, base, modseq, marked, gone))


def _apply(
    base: Generation, modseq: int, marked: Sequence[Marked], gone: Sequence[int]
) -> None:
    new = patched(base, modseq, marked, gone)
    views.put_after(base, new)


def patched(
    base: Generation, modseq: int, marked: Sequence[Marked], gone: Sequence[int]
) -> Generation:
    """Return the generation after `base`; every UID is one of its own."""
    flags, modseqs = base.flags, base.modseqs
    if marked:
        flags, modseqs = flags[:], modseqs[:]
    for bits, _, uids in marked:
        for start, end in _spans(base, uids):
            flags[start:end] = array("H", [bits]) * (end - start)
            modseqs[start:end] = array("Q", [modseq]) * (end - start)
    keywords = base.keywords
    if keywords or any(words for _, words, _ in marked):
        keywords = _keywords(base, marked, gone)
    columns = (base.uids, flags, modseqs, base.sizes, base.dates)
    if gone:
        columns = _without(columns, list(_spans(base, gone)))
    steps = remember(base, [uid for _, _, uids in marked for uid in uids])
    return Generation(
        base.folder_id, base.uid_validity, modseq, *columns, keywords, steps
    )


def _spans(base: Generation, uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the [start, end) of rows that these UIDs are, ascending."""
    for first, last in sql.runs(uids):
        start = bisect_left(base.uids, first)
        yield start, start + last - first + 1


def _without(columns: Columns, spans: Sequence[tuple[int, int]]) -> Columns:
    uids, flags, modseqs, sizes, dates = (_kept(one, spans) for one in columns)
    return uids, flags, modseqs, sizes, dates


def _kept(column: "array[int]", spans: Iterable[tuple[int, int]]) -> "array[int]":
    kept = array(column.typecode)
    at = 0
    for start, end in spans:
        kept.extend(column[at:start])
        at = end
    kept.extend(column[at:])
    return kept


def _keywords(
    base: Generation, marked: Sequence[Marked], gone: Sequence[int]
) -> dict[int, str]:
    keywords = dict(base.keywords)
    for _, words, uids in marked:
        if words:
            keywords.update(dict.fromkeys(uids, words))
        else:
            for uid in uids:
                keywords.pop(uid, None)
    for uid in gone:
        keywords.pop(uid, None)
    return keywords
