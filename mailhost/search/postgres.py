"""The index on PostgreSQL: a table beside the mail, GIN over pg_trgm where it may be.

Without the extension every search reads the stored texts of the account.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import DatabaseError, connection, transaction
from typing_extensions import override

from mailhost.search.conditions import Dialect
from mailhost.search.index import Candidates, Document, Index, Writing
from mailhost.search.query import COLUMNS, Query

log = logging.getLogger(__name__)

VERSION = 1  # of what is put in the table; what another one put there is not seen
NAMES = ", ".join(COLUMNS)
GRAMS = ", ".join(f"{name} gin_trgm_ops" for name in COLUMNS)


def _like(text: str) -> str:
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"


LIKE = Dialect("LIKE %s", _like)


def has_trigrams() -> bool:
    """Tell whether pg_trgm is there."""
    return bool(_rows("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'", []))


class PostgresIndex(Index):
    """Stateless: all is in the database."""

    @override
    def ensure(self) -> None:
        if not has_trigrams():
            try:
                with transaction.atomic():
                    _run("CREATE EXTENSION IF NOT EXISTS pg_trgm", [])
            except DatabaseError:
                log.warning("no pg_trgm here: text search reads the stored texts")
                return
        _run(
            "CREATE INDEX IF NOT EXISTS search_document_grams ON search_document"
            f" USING gin ({GRAMS})",
            [],
        )

    @override
    def candidates(self, account_id: int, query: Query, most: int) -> Candidates:
        row = _rows(
            "SELECT modseq FROM search_progress WHERE account = %s AND version = %s",
            [account_id, VERSION],
        )
        if not row:
            return Candidates(0, ())
        told = LIKE.condition(query)
        first = account_id << 32
        found = _rows(
            "SELECT email_id FROM search_document"  # noqa: S608 - names from our code
            f" WHERE id BETWEEN %s AND %s AND {told.sql} LIMIT %s",
            [first, first | 0xFFFFFFFF, *told.parameters, most + 1],
        )
        if len(found) > most:
            return Candidates(row[0][0], None)
        return Candidates(row[0][0], [one for (one,) in found])

    @override
    def told(
        self, account_id: int, email_ids: Sequence[int], query: Query
    ) -> dict[int, bool] | None:
        told = LIKE.condition(query)
        if not told.exact:
            return None
        found = _rows(
            f"SELECT email_id, {told.sql} FROM search_document"  # noqa: S608
            " WHERE account = %s AND email_id = ANY(%s) AND version = %s",
            [*told.parameters, account_id, list(email_ids), VERSION],
        )
        return dict(found)

    @override
    def texts(
        self, account_id: int, email_ids: Sequence[int], columns: Sequence[str]
    ) -> dict[int, tuple[str, ...]]:
        found = _rows(
            f"SELECT email_id, {', '.join(columns)} FROM search_document"  # noqa: S608
            " WHERE account = %s AND email_id = ANY(%s) AND version = %s",
            [account_id, list(email_ids), VERSION],
        )
        return {row[0]: row[1:] for row in found}

    @override
    def progress(self) -> dict[int, int]:
        found = _rows(
            "SELECT account, modseq FROM search_progress WHERE version = %s", [VERSION]
        )
        return dict(found)

    @override
    @contextlib.contextmanager
    def writing(self, account_id: int) -> Iterator["PostgresWriting | None"]:
        _run(
            "INSERT INTO search_progress (account, version, modseq, swept, number)"
            " VALUES (%s, %s, 0, 0, 1) ON CONFLICT DO NOTHING",
            [account_id, VERSION],
        )
        with transaction.atomic():
            row = _rows(
                "SELECT version, modseq, swept, number FROM search_progress"
                " WHERE account = %s FOR UPDATE SKIP LOCKED",
                [account_id],
            )
            yield PostgresWriting(account_id, row[0]) if row else None

    @override
    def tidy(self) -> bool:
        return False  # autovacuum does


class PostgresWriting(Writing):
    """Holds the account's row of progress until the transaction ends."""

    def __init__(self, account_id: int, row: tuple[Any, ...]) -> None:
        """Start anew over what another version made."""
        self._account = account_id
        version, self.modseq, self.swept, self.number = row
        if version != VERSION:
            _run("DELETE FROM search_document WHERE account = %s", [account_id])
            self.modseq = self.swept = 0

    @override
    def known(self, email_ids: Sequence[int]) -> set[int]:
        found = _rows(
            "SELECT email_id FROM search_document WHERE account = %s"
            " AND email_id = ANY(%s)",
            [self._account, list(email_ids)],
        )
        return {one for (one,) in found}

    @override
    def add(self, documents: Sequence[Document]) -> None:
        first = self._account << 32 | self.number
        marks = ", ".join("%s" for _ in COLUMNS)
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO search_document (id, email_id, account, version, {NAMES})"  # noqa: S608
                f" VALUES (%s, %s, %s, %s, {marks})",
                [
                    (first + n, one.email_id, self._account, VERSION, *one.texts)
                    for n, one in enumerate(documents)
                ],
            )
        self.number += len(documents)

    @override
    def listed(self, after: int, most: int) -> list[tuple[int, int]]:
        first = self._account << 32
        return [
            (id_, email_id)
            for id_, email_id in _rows(
                "SELECT id, email_id FROM search_document WHERE id > %s AND id <= %s"
                " ORDER BY id LIMIT %s",
                [max(after, first), first | 0xFFFFFFFF, most],
            )
        ]

    @override
    def remove(self, ids: Sequence[int]) -> None:
        _run("DELETE FROM search_document WHERE id = ANY(%s)", [list(ids)])

    @override
    def note(self, modseq: int, swept: int) -> None:
        _run(
            "UPDATE search_progress SET version = %s, modseq = %s, swept = %s,"
            " number = %s WHERE account = %s",
            [VERSION, modseq, swept, self.number, self._account],
        )
        self.modseq, self.swept = modseq, swept

    @override
    def forget(self) -> None:
        _run("DELETE FROM search_progress WHERE account = %s", [self._account])


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _run(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
