"""Find messages of a folder by their texts: by the index, and without it.

The index says where to look; each message is then tested by its texts, those it has no
document of by its octets. So the answer is complete and exact, however far behind the
index is. Callers have checked the rights.
"""

import logging
import sqlite3
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from mailhost.search.engines import index
from mailhost.search.query import Query, columns, test_of
from mailhost.store import sql
from mailhost.store.documents import document_rows

log = logging.getLogger(__name__)

FEW = 32  # messages; to look at these costs no more than to ask the index
AT_ONCE = 1_000  # documents read by one call
OCTETS_AT_ONCE = 4 << 20  # of messages without a document, by one call

Row = tuple[int, int, int, int]  # uid, e-mail id, content id, size


@dataclass(frozen=True, slots=True)
class Found:
    """Those that match, and those that the next call has yet to look at; UIDs."""

    uids: list[int]
    left: Sequence[int]


def find(account_id: int, folder_id: int, uids: Sequence[int], query: Query) -> Found:
    """Look for matching messages among these UIDs, ascending; one short read."""
    rows = None
    if len(uids) > FEW:
        rows = _narrowed(account_id, folder_id, uids, query)
    if rows is None:
        return find_among(account_id, folder_id, uids, query)
    some = look(account_id, rows[:AT_ONCE], query)
    return Found(some.uids, [*some.left, *(row[0] for row in rows[AT_ONCE:])])


def find_among(
    account_id: int, folder_id: int, uids: Sequence[int], query: Query
) -> Found:
    """Do as `find`, for what it left: each message is looked at."""
    now = uids[:AT_ONCE]
    if not now:
        return Found([], ())
    among, ends = sql.among("uid", now)
    condition = f"account_id = %s AND folder_id = %s AND {among}"
    rows = _rows(condition, account_id, folder_id, *ends)
    some = look(account_id, rows, query)
    return Found(some.uids, [*some.left, *uids[AT_ONCE:]])


def look(account_id: int, rows: Sequence[Row], query: Query) -> Found:
    """Test messages by their documents; those without one by their octets."""
    matches = _stored(account_id, [email_id for _, email_id, _, _ in rows], query)
    found = [uid for uid, email_id, _, _ in rows if matches.get(email_id)]
    unread = [row for row in rows if row[1] not in matches]
    if not unread:
        return Found(found, ())
    count = _affordable(unread)
    test = test_of(query)
    made = document_rows([content_id for _, _, content_id, _ in unread[:count]])
    for uid, _, content_id, _ in unread[:count]:
        if content_id in made and test(made[content_id]):
            found.append(uid)
    return Found(sorted(found), [uid for uid, _, _, _ in unread[count:]])


def _affordable(unread: Sequence[Row]) -> int:
    """Return how many of these one call may read: one at least."""
    room = OCTETS_AT_ONCE
    for count, (_, _, _, size) in enumerate(unread):
        room -= size
        if room < 0:
            return max(1, count)
    return len(unread)


def _narrowed(
    account_id: int, folder_id: int, uids: Sequence[int], query: Query
) -> list[Row] | None:
    """Return those of the messages that may match, by UID; None: any may."""
    try:
        told = index().candidates(account_id, query, len(uids))
    except (sqlite3.Error, DatabaseError):
        log.exception("the search index cannot be asked; rebuildsearch makes it anew")
        return None
    if told.email_ids is None:
        return None
    # What is newer has a higher modseq too, by which the rows are found.
    rows = _rows(
        "account_id = %s AND folder_id = %s AND modseq > %s AND created_modseq > %s",
        *(account_id, folder_id, told.modseq, told.modseq),
    )
    if told.email_ids:
        among, ids = sql.among("email_id", told.email_ids)
        # Unary plus: SQLite would rather look at all of the folder.
        condition = f"account_id = %s AND +folder_id = %s AND {among}"
        rows = sorted({*rows, *_rows(condition, account_id, folder_id, *ids)})
    return [row for row in rows if _holds(uids, row[0])]


def _stored(account_id: int, email_ids: Sequence[int], query: Query) -> dict[int, bool]:
    """Return {e-mail id: whether it matches} of those that have a document."""
    try:
        told = index().told(account_id, email_ids, query)
        if told is not None:
            return told
        wanted, test = columns(query), test_of(query)
        return {
            email_id: test(dict(zip(wanted, texts, strict=True)))
            for email_id, texts in index().texts(account_id, email_ids, wanted).items()
        }
    except (sqlite3.Error, DatabaseError):
        log.exception("the search index cannot be read; rebuildsearch makes it anew")
        return {}


def _rows(where: str, *parameters: object) -> list[Row]:
    """Return messages by UID."""
    found = sql.rows(
        f"SELECT uid, email_id, content_id, size FROM mail_message WHERE {where}",  # noqa: S608
        parameters,
    )
    return sorted((uid, email, content, size) for uid, email, content, size in found)


def _holds(uids: Sequence[int], uid: int) -> bool:
    at = bisect_left(uids, uid)
    return at < len(uids) and uids[at] == uid
