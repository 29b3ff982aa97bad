"""Hand-written SQL that both engines take: for the few statements that are hot.

In a transaction on SQLite they go past Django's cursor, which costs ten times what a
point query does; errors are Django's all the same. A short read may run on the event
loop, on a connection of its own.
"""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections

from mailhost.store.reading import here

T = TypeVar("T")

PARAMETERS = 30_000  # of one statement; SQLite takes 32,766, PostgreSQL 65,535
RUNS = 8  # ranges that are written as BETWEEN; more go as a list


def runs(uids: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending UIDs as (first, last) ranges; a long one costs few looks."""
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(uids):
        end = _run_end(uids, start)
        found.append((uids[start], uids[end]))
        start = end + 1
    return found


def _run_end(uids: Sequence[int], start: int) -> int:
    """Return where the run that begins at `start` has its last UID."""
    first, step = uids[start] - start, 1
    while start + step < len(uids) and uids[start + step] - start - step == first:
        step *= 2
    low, high = start + step // 2, min(start + step, len(uids))
    while low + 1 < high:
        middle = (low + high) // 2
        if uids[middle] - middle == first:
            low = middle
        else:
            high = middle
    return low


def among(column: str, uids: Sequence[int]) -> tuple[str, list[Any]]:
    """Return a condition and its parameters for `column` being one of `uids`.

    However many they are, it takes few parameters.
    """
    if len(uids) == 1:
        return f"{column} = %s", [uids[0]]
    spans = runs(uids)
    if len(spans) <= RUNS:
        condition = " OR ".join(f"{column} BETWEEN %s AND %s" for _ in spans)
        return f"({condition})", [end for span in spans for end in span]
    return one_of(column, uids)


def one_of(column: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return a condition and its parameters for `column` being one of these."""
    if len(values) == 1:
        return f"{column} = %s", [values[0]]
    if connection.vendor == "sqlite":
        listed = json.dumps(list(values))
        return f"{column} IN (SELECT value FROM json_each(%s))", [listed]  # noqa: S608
    return f"{column} = ANY(%s)", [list(values)]


def rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement and fetch all it gives."""
    return _executed(sql, parameters, lambda cursor: list(cursor.fetchall()))


def row(sql: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """Run a statement and fetch its first row, if there is one."""
    found: tuple[Any, ...] | None
    found = _executed(sql, parameters, lambda cursor: cursor.fetchone())
    return found


def run(sql: str, parameters: Sequence[Any]) -> int:
    """Run a statement; return how many rows it touched."""
    return _executed(sql, parameters, lambda cursor: int(cursor.rowcount))


def _executed(sql: str, parameters: Sequence[Any], take: Callable[[Any], T], /) -> T:
    if here.raw is not None:  # a read on a snapshot
        return take(here.raw.execute(_question_marks(sql), parameters))
    wrapper = here.wrapper or connections[DEFAULT_DB_ALIAS]
    raw = _in_transaction(wrapper)
    if raw is not None:
        with wrapper.wrap_database_errors:
            return take(raw.execute(_question_marks(sql), parameters))
    with wrapper.cursor() as cursor:
        cursor.execute(sql, parameters)
        return take(cursor)


def _in_transaction(wrapper: Any) -> Any:
    """Return SQLite's own connection, if it is one and has begun a transaction.

    Outside of one a writing statement needs the write lock, which Django's cursor sees
    to; and a test that counts statements is told of them.
    """
    raw = wrapper.connection
    if wrapper.vendor != "sqlite" or raw is None or not raw.in_transaction:
        return None
    if wrapper.needs_rollback:
        wrapper.validate_no_broken_transaction()
    return None if here.wrapper is None and wrapper.queries_logged else raw


@functools.lru_cache(maxsize=500)
def _question_marks(sql: str) -> str:
    """Write the statement's parameters as SQLite does."""
    return sql.replace("%s", "?").replace("%%", "%")


def insert(
    table: str,
    columns: Sequence[str],
    values: Sequence[Sequence[Any]],
    *,
    returning: bool = False,
    or_ignore: bool = False,
) -> list[int]:
    """Insert rows, by as few statements as the engine takes.

    Returns their ids, in the order given, when `returning`. The same as bulk_create,
    which costs three times as much; every column must be named.
    """
    if not values:
        return []
    head, row = _insertion(table, tuple(columns))
    tail = " ON CONFLICT DO NOTHING" if or_ignore else ""
    wrapper = here.wrapper or connections[DEFAULT_DB_ALIAS]
    raw = _in_transaction(wrapper)
    if raw is not None:
        with wrapper.wrap_database_errors:
            return _insert_each(raw, _question_marks(head + row + tail), values)
    tail += " RETURNING id" if returning else ""
    at_once = max(1, PARAMETERS // len(columns))
    ids: list[int] = []
    with wrapper.cursor() as cursor:
        for start in range(0, len(values), at_once):
            some = values[start : start + at_once]
            cursor.execute(
                f"{head}{', '.join([row] * len(some))}{tail}",
                list(adapted(value for one in some for value in one)),
            )
            if returning:
                ids += [found[0] for found in cursor.fetchall()]
    return ids


@functools.lru_cache
def _insertion(table: str, columns: tuple[str, ...]) -> tuple[str, str]:
    """Return the beginning of an INSERT, and the parameters of one row."""
    names = ", ".join(f'"{column}"' for column in columns)
    row = f"({', '.join(['%s'] * len(columns))})"
    return f'INSERT INTO "{table}" ({names}) VALUES ', row  # noqa: S608 - names from our code


def _insert_each(raw: Any, sql: str, values: Sequence[Sequence[Any]]) -> list[int]:
    """Insert by one statement that SQLite has prepared; return the ids."""
    cursor = raw.cursor()
    ids = []
    for row in values:
        cursor.execute(sql, [_text(v) if isinstance(v, datetime) else v for v in row])
        ids.append(cursor.lastrowid)
    return ids


def adapted(values: Iterable[Any]) -> Iterable[Any]:
    """Yield values as this engine stores them: SQLite's dates are text in UTC."""
    if connection.vendor != "sqlite":
        return values
    return (_text(v) if isinstance(v, datetime) else v for v in values)


@functools.lru_cache(maxsize=64)  # one transaction has one moment, in many rows
def _text(date: datetime) -> str:
    """Write a date as Django's SQLite backend does."""
    return str(date.astimezone(UTC).replace(tzinfo=None))
