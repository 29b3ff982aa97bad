"""Find messages of an account in any of its folders, the newest first, by a query tree.

The index names candidates where the texts are rare; else the newest are looked at in
turn, which soon finds a page of what is frequent. Each message is tested by its facts
and texts, as in `finding`: the answer is exact however far behind the index is. Work
has a bound: what was not looked at is left to the next page. Callers have checked the
rights.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError

from mailhost.mail.models import Message
from mailhost.search.engines import index
from mailhost.search.query import And, Contains, Fact, Not, Or, Query, facts, settled
from mailhost.store import facts as rowfacts
from mailhost.store import finding, sql
from mailhost.store.read import LISTED, Listed
from mailhost.store.values import Place

log = logging.getLogger(__name__)

RARE = 4_000  # candidates at most; what is more frequent is found by looking
FIRST_BATCH, BATCH = 200, 1_000  # messages looked at together
SECONDS = 2.0  # of one page
ROWS = """
    SELECT m.id, m.internal_date, m.folder_id, m.uid, m.email_id, m.content_id,
        m.size{columns}
    FROM mail_message m{join} WHERE m.account_id = %s AND {where}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A message that may match; `values` are what its facts are read from."""

    place: Place
    folder_id: int
    uid: int
    email_id: int
    content_id: int
    size: int
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of messages that match, newest first; `left`: where the next begins."""

    rows: list[Row]
    left: Place | None


def search(
    account_id: int,
    folder_ids: Sequence[int],
    query: Query,
    *,
    before: Place | None = None,
    limit: int = 50,
) -> Hits:
    """Return the newest messages in these folders that match, older than `before`."""
    until = time.monotonic() + SECONDS
    found: list[Row] = []
    last = before
    for rows in _batches(_Asked(account_id, folder_ids, query), before):
        matching = _matching(account_id, rows, query)
        found += [row for row in rows if row.place.id in matching]
        last = rows[-1].place
        if len(found) > limit:
            return Hits(found[:limit], found[limit - 1].place)
        if time.monotonic() > until:
            return Hits(found, last)
    return Hits(found, None)


def listed(rows: Sequence[Row]) -> list[Listed]:
    """Return these messages as lists show them, in their order."""
    ids = [row.place.id for row in rows]
    found = Message.objects.filter(pk__in=ids).values_list(*LISTED)
    by_id = {row[-1]: Listed(*row) for row in found}
    return [by_id[id_] for id_ in ids if id_ in by_id]


class _Asked:
    """The statement that reads rows of one search."""

    def __init__(
        self, account_id: int, folder_ids: Sequence[int], query: Query
    ) -> None:
        self.account_id = account_id
        self.query = query
        self.told = {fact: rowfacts.told(fact) for fact in facts(query)}
        where, parameters = sql.one_of("m.folder_id", list(folder_ids) or [0])
        needed, values = rowfacts.necessary(query)
        self.where = f"{where} AND {needed}"
        self.parameters = [*parameters, *values]
        reads = any(how.reads_content for how in self.told.values())
        self.join = " JOIN mail_content c ON c.id = m.content_id" if reads else ""
        self.columns = "".join(f", {how.expression}" for how in self.told.values())
        self.selected = [p for how in self.told.values() for p in how.parameters]

    def rows(
        self, where: str, parameters: Sequence[Any], *, by_folder: bool = False
    ) -> list[Row]:
        """Return the rows of which `where` is true as well."""
        # Unary plus: SQLite would take an index by folder, which does not help here.
        plus = "" if by_folder else "+"
        statement = ROWS.format(
            columns=self.columns,
            join=self.join,
            where=f"{plus}{self.where} AND {where}",
        )
        values = [*self.selected, self.account_id, *self.parameters, *parameters]
        return [
            Row(Place(_date(when), id_), folder, uid, email, content, size, tuple(more))
            for id_, when, folder, uid, email, content, size, *more in sql.rows(
                statement, values
            )
        ]

    def among(self, email_ids: Sequence[int], modseq: int) -> list[Row]:
        """Return those of these e-mails, and those the index has not seen yet."""
        newer = "m.modseq > %s AND m.created_modseq > %s"
        found = self.rows(newer, [modseq, modseq], by_folder=True)
        if email_ids:
            found += self.rows(*sql.among("m.email_id", email_ids))
        return sorted(dict.fromkeys(found), key=lambda row: row.place, reverse=True)

    def newest(self, before: Place | None, size: int) -> list[Row]:
        """Return the newest of all."""
        where, values = "1 = 1", list[Any]()
        if before is not None:
            where = "(m.internal_date, m.id) < (%s, %s)"
            values = [*sql.adapted([before.date]), before.id]
        order = " ORDER BY m.internal_date DESC, m.id DESC LIMIT %s"
        return self.rows(where + order, [*values, size])


def _date(value: Any) -> datetime:
    """Read a date as the engine gives it: SQLite's is text in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _batches(asked: _Asked, before: Place | None) -> Iterator[list[Row]]:
    """Yield rows that may match, newest first; none of them empty."""
    rare = _candidates(asked)
    if rare is not None:
        rows = asked.among(*rare)
        kept = [row for row in rows if before is None or row.place < before]
        for start in range(0, len(kept), BATCH):
            yield kept[start : start + BATCH]
        return
    size = FIRST_BATCH
    while rows := asked.newest(before, size):
        yield rows
        if len(rows) < size:
            return
        before, size = rows[-1].place, BATCH


def _candidates(asked: _Asked) -> tuple[Sequence[int], int] | None:
    """Return the e-mails that may match, and the modseq up to which that counts.

    None: any may.
    """
    if not _has_texts(asked.query):
        return None
    try:
        told = index().candidates(asked.account_id, asked.query, RARE)
    except (sqlite3.Error, DatabaseError):
        log.exception("the search index cannot be asked; rebuildsearch makes it anew")
        return None
    return None if told.email_ids is None else (told.email_ids, told.modseq)


def _has_texts(query: Query) -> bool:
    match query:
        case Contains():
            return True
        case Fact():
            return False
        case Not(inner):
            return _has_texts(inner)
        case And(queries) | Or(queries):
            return any(map(_has_texts, queries))


def _matching(account_id: int, rows: Sequence[Row], query: Query) -> set[int]:
    """Return the numbers of those that match."""
    told = {fact: rowfacts.told(fact) for fact in facts(query)}
    open_: dict[Query, list[Row]] = {}
    found: set[int] = set()
    for row in rows:
        left = settled(query, rowfacts.truth(told, row.values))
        if left is True:
            found.add(row.place.id)
        elif left is not False:
            open_.setdefault(left, []).append(row)
    for left, those in open_.items():
        found |= _by_texts(account_id, those, left)
    return found


def _by_texts(account_id: int, rows: Sequence[Row], query: Query) -> set[int]:
    """Do as `_matching`, of a query without facts."""
    waiting = {row.place.id: row for row in rows}
    found: set[int] = set()
    while waiting:
        some = [
            (id_, row.email_id, row.content_id, row.size)
            for id_, row in waiting.items()
        ]
        looked = finding.look(account_id, some, query)
        found.update(looked.uids)
        waiting = {id_: waiting[id_] for id_ in looked.left}
    return found


def everything(
    account_id: int, folder_ids: Sequence[int], query: Query, most: int
) -> list[tuple[int, int]]:
    """Return (folder, UID) of all that match, at most so many."""
    found: list[Row] = []
    before: Place | None = None
    while len(found) < most:
        page = search(
            account_id, folder_ids, query, before=before, limit=most - len(found)
        )
        found += page.rows
        if page.left is None:
            break
        before = page.left
    return [(row.folder_id, row.uid) for row in found]
