"""Keys that look into messages. Each runs SQL for a batch of UIDs.

A text matches as a substring of decoded text, in any case. RFC 9051 §6.4.4; what are
cases of one letter, i;unicode-casemap says (RFC 5255 §4.2).
"""

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any

from mailhost.mime.headers import get
from mailhost.search import query
from mailhost.store import read
from mailhost.store.documents import contains
from mailhost.store.finding import find, find_among
from protocols.imap.effects import Effect, Read
from protocols.imap.parser import MONTHS
from protocols.imap.searching.keys import (
    And,
    Key,
    ObjectId,
    Or,
    Saved,
    Sent,
    Text,
    Where,
)
from protocols.imap.selected import Selected

# date = day month year; RFC 5322 §3.3, and §4.3 for two digits of the year
DATE = re.compile(rb"(\d{1,2})\s+([A-Za-z]{3})[a-z]*\s+(\d{2,4})")
LOOKED_IN = {
    Where.HEADER: query.Where.FIELD,
    Where.BODY: query.Where.BODY,
    Where.TEXT: query.Where.TEXT,
}


def query_of(key: Key) -> query.Query | None:
    """Return a key of texts alone as one query; None for any other key.

    NOT is none of them: what it does not name is found as the rest.
    """
    match key:
        case Text(where, needle, field):
            return contains(LOOKED_IN[where], needle, field)
        case And(keys) | Or(keys):
            queries = [query_of(one) for one in keys]
            whole = tuple(one for one in queries if one is not None)
            if len(whole) < len(queries):
                return None
            return query.And(whole) if isinstance(key, And) else query.Or(whole)
        case _:
            return None


def with_texts(
    selected: Selected, wanted: query.Query, rows: Sequence[int]
) -> Generator[bytes | Effect, Any, list[int]]:
    """Return those of the rows that match, read by read."""
    now, folder = selected.now, selected.folder
    asked: Sequence[int] = now.uids
    if len(rows) < len(asked):
        asked = [now.uids[i] for i in rows]
    some = yield Read(find, (folder.account_id, folder.id, asked, wanted))
    uids = some.uids
    while some.left:
        some = yield Read(find_among, (folder.account_id, folder.id, some.left, wanted))
        uids += some.uids
    found = (now.index(uid) for uid in uids)
    return sorted(i for i in found if i is not None)


def sent(folder_id: int, uids: Sequence[int], key: Sent) -> set[int]:
    """Return those whose Date names such a day, in the sender's own zone."""
    found = set()
    for uid, (header,) in read.contents(folder_id, uids, ("header",)).items():
        day = _day(get(header, b"Date") or b"")
        if day is not None and key.start <= day < key.end:
            found.add(uid)
    return found


def _day(value: bytes) -> tuple[int, int, int] | None:
    match = DATE.search(value)
    month = match[2].decode("ascii").capitalize() if match else ""
    if match is None or month not in MONTHS:
        return None
    year = int(match[3])
    if year < 1000:
        year += 2000 if year < 50 else 1900
    return year, MONTHS.index(month) + 1, int(match[1])


def saved(folder_id: int, uids: Sequence[int], key: Saved) -> set[int]:
    """Return those put here in that time."""
    rows = read.message_rows(folder_id, uids, ("saved_at",))
    return {u for u, (at,) in rows.items() if key.start <= at.timestamp() < key.end}


def object_id(folder_id: int, uids: Sequence[int], key: ObjectId) -> set[int]:
    """Return those of this id."""
    rows = read.message_rows(folder_id, uids, (key.column,))
    return {uid for uid, (value,) in rows.items() if value == key.id}


MATCHERS: dict[type, Callable[[int, Sequence[int], Any], set[int]]] = {
    Sent: sent,
    Saved: saved,
    ObjectId: object_id,
}
