"""Find the rows that match a key: cheap keys first, texts only where still in doubt.

Rows are ascending indexes into `selected.now`. What the view answers costs no SQL.
"""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from protocols.imap.effects import Effect, Read
from protocols.imap.searching.fuzzy import scores
from protocols.imap.searching.keys import (
    All,
    Among,
    And,
    Arrived,
    Flags,
    Fuzzy,
    Key,
    Keyword,
    Not,
    ObjectId,
    Or,
    Recent,
    Saved,
    Sent,
    Since,
    Size,
    cost,
)
from protocols.imap.searching.texts import MATCHERS, query_of, with_texts
from protocols.imap.selected import Selected, Span
from protocols.imap.sequence import SequenceSet

Rows = Sequence[int]
Search = Generator[bytes | Effect, Any, list[int]]

HEADERS_AT_ONCE = 1_000  # messages of one query


def all_rows(selected: Selected) -> Rows:
    """Return the rows of what the client knows of and is still there."""
    if selected.aligned:
        return range(len(selected.uids))
    found = (selected.now.index(uid) for uid in selected.uids)
    return [i for i in found if i is not None]


def matching(selected: Selected, key: Key) -> Generator[bytes | Effect, Any, Rows]:
    """Return the rows that match, ascending."""
    rows = all_rows(selected)
    if isinstance(key, All):
        return rows
    return (yield from search(selected, key, rows))


def search(selected: Selected, key: Key, rows: Rows) -> Search:
    """Return those of `rows` that match."""
    texts = query_of(key)
    if texts is not None:
        return (yield from with_texts(selected, texts, rows))
    match key:
        case And(keys):
            left = list(rows)
            for one in sorted(_with_texts_as_one(keys), key=cost):
                if not left:
                    break
                left = yield from search(selected, one, left)
            return left
        case Or(keys):
            return (yield from _any(selected, keys, rows))
        case Not(inner):
            found = set((yield from search(selected, inner, rows)))
            return [i for i in rows if i not in found]
        case Fuzzy(inner):
            scored = yield from scores(search, selected, inner, rows)
            return [i for i in rows if i in scored]
        case _:
            return (yield from _plain(selected, key, rows))


def _plain(selected: Selected, key: Key, rows: Rows) -> Search:
    """Search for a key that holds no other."""
    if isinstance(key, Sent | Saved | ObjectId):
        return (yield from _slow(selected, key, rows))
    return _fast(selected, key, rows)


def _with_texts_as_one(keys: Sequence[Key]) -> Iterator[Key]:
    """Yield the keys, those of texts as one: it costs one look."""
    yield from (one for one in keys if query_of(one) is None)
    if texts := tuple(one for one in keys if query_of(one) is not None):
        yield And(texts)


def _any(selected: Selected, keys: Sequence[Key], rows: Rows) -> Search:
    found: set[int] = set()
    left = list(rows)
    for one in sorted(keys, key=cost):
        found.update((yield from search(selected, one, left)))
        left = [i for i in left if i not in found]
        if not left:
            break
    return [i for i in rows if i in found]


def _fast(selected: Selected, key: Key, rows: Rows) -> list[int]:
    now = selected.now
    match key:
        case All():
            return list(rows)
        case Flags(mask, value):
            flags = now.flags
            return [i for i in rows if flags[i] & mask == value]
        case Size(over, under):
            sizes = now.sizes
            return [i for i in rows if over < sizes[i] < under]
        case Arrived(start, end):
            dates = now.dates
            return [i for i in rows if start <= dates[i] < end]
        case Since(modseq):
            modseqs = now.modseqs
            return [i for i in rows if modseqs[i] >= modseq]
        case _:
            return _by_uid(selected, key, rows)


def _by_uid(selected: Selected, key: Key, rows: Rows) -> list[int]:
    uids = selected.now.uids
    match key:
        case Recent():
            return [i for i in rows if uids[i] >= selected.recent_from]
        case Keyword(word):
            having = {
                uid
                for uid, words in selected.now.keywords.items()
                if word in words.lower().split()
            }
            return [i for i in rows if uids[i] in having]
        case Among(chosen, by_uid):
            wanted = set(
                selected.chosen_uids(spans_of(selected, chosen, by_uid=by_uid))
            )
            return [i for i in rows if uids[i] in wanted]
        case _:
            raise AssertionError(key)


def spans_of(
    selected: Selected, chosen: SequenceSet, *, by_uid: bool
) -> Sequence[Span]:
    """Return the spans of positions that a key names.

    A number that no message has is no error: RFC 7377 §2.
    """
    if chosen.saved or by_uid:
        return selected.positions(chosen, by_uid=by_uid)
    return chosen.spans(range(1, len(selected.uids) + 1))


def _slow(selected: Selected, key: Sent | Saved | ObjectId, rows: Rows) -> Search:
    """Ask the messages themselves, a batch to a query."""
    uids, folder_id = selected.now.uids, selected.folder.id
    matcher = MATCHERS[type(key)]
    found: list[int] = []
    for start in range(0, len(rows), HEADERS_AT_ONCE):
        batch = rows[start : start + HEADERS_AT_ONCE]
        asked = [uids[i] for i in batch]
        matching = yield Read(matcher, (folder_id, asked, key))
        found += [i for i in batch if uids[i] in matching]
    return found
