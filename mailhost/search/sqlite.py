"""The index on SQLite: a file of its own beside the database, FTS5 with trigrams.

Its own, so that building it never holds the write lock of mail: an FTS5 merge takes as
long as it takes. What is in it can be made again; the file may be deleted while nothing
runs. rowid = account << 32 | number, so that a search reads one account's rows.
"""

import contextlib
import json
import logging
import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from typing_extensions import override

from mailhost.search.conditions import Dialect
from mailhost.search.index import Candidates, Document, Index, Writing
from mailhost.search.query import COLUMNS, And, Contains, Fact, Not, Or, Query, columns
from mailhost.search.trigrams import trigrams

log = logging.getLogger(__name__)

VERSION = 1  # of the tables and of what is put in them; another one starts anew
MERGED_PAGES = 200  # of the index, in one step of tidying
MOST_GRAMS = 300  # of one query; FTS5 bounds the depth of an expression
BUSY_MILLISECONDS = 30_000

NAMES = ", ".join(COLUMNS)
MARKS = ", ".join("?" for _ in COLUMNS)
SCHEMA = f"""
    DROP TABLE IF EXISTS grams;
    DROP TABLE IF EXISTS document;
    DROP TABLE IF EXISTS progress;
    CREATE TABLE progress (account INTEGER PRIMARY KEY, modseq INTEGER NOT NULL,
        swept INTEGER NOT NULL DEFAULT 0, number INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE document (id INTEGER PRIMARY KEY, email_id INTEGER NOT NULL,
        account INTEGER NOT NULL, {", ".join(f"{n} TEXT NOT NULL" for n in COLUMNS)});
    CREATE UNIQUE INDEX document_email ON document (account, email_id);
    CREATE VIRTUAL TABLE grams USING fts5({NAMES}, content='', columnsize=0,
        detail=column, tokenize='trigram case_sensitive 1');
    PRAGMA user_version = {VERSION};
"""


def _glob(text: str) -> str:
    return "*" + SPECIAL.sub(r"[\g<0>]", text) + "*"


SPECIAL = re.compile(r"[*?\[]")
GLOB = Dialect("GLOB ?", _glob)  # unlike LIKE and instr(), exact and quick


class SqliteIndex(Index):
    """One per database file and process; a connection for each thread that asks."""

    def __init__(self, file: Path) -> None:
        """Open nothing yet."""
        self._file = file
        self._local = threading.local()

    @override
    def ensure(self) -> None:
        connection = self._connect("rwc")
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA journal_mode = WAL")
        if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        os.chmod(self._file, 0o600)
        connection.close()

    @override
    def candidates(self, account_id: int, query: Query, most: int) -> Candidates:
        with self._reading() as connection:
            if connection is None:
                return Candidates(0, ())
            row = connection.execute(
                "SELECT modseq FROM progress WHERE account = ?", [account_id]
            ).fetchone()
            if row is None:
                return Candidates(0, ())
            found = _by_grams(connection, account_id, query, most)
            if found is None and _excludes(query):
                found = _by_texts(connection, account_id, query, most)
            return Candidates(row[0], found)

    @override
    def told(
        self, account_id: int, email_ids: Sequence[int], query: Query
    ) -> dict[int, bool] | None:
        told = GLOB.condition(query)
        if not told.exact:
            return None
        with self._reading() as connection:
            if connection is None:
                return {}
            found = connection.execute(
                f"SELECT email_id, {told.sql} FROM document"  # noqa: S608
                " WHERE account = ? AND email_id IN (SELECT value FROM json_each(?))",
                [*told.parameters, account_id, json.dumps(list(email_ids))],
            )
            return {email_id: bool(matches) for email_id, matches in found}

    @override
    def texts(
        self, account_id: int, email_ids: Sequence[int], columns: Sequence[str]
    ) -> dict[int, tuple[str, ...]]:
        with self._reading() as connection:
            if connection is None:
                return {}
            found = connection.execute(
                f"SELECT email_id, {', '.join(columns)} FROM document"  # noqa: S608
                " WHERE account = ? AND email_id IN (SELECT value FROM json_each(?))",
                [account_id, json.dumps(list(email_ids))],
            )
            return {row[0]: row[1:] for row in found}

    @override
    def progress(self) -> dict[int, int]:
        with self._reading() as connection:
            if connection is None:
                return {}
            return dict(connection.execute("SELECT account, modseq FROM progress"))

    @override
    @contextlib.contextmanager
    def writing(self, account_id: int) -> Iterator["SqliteWriting"]:
        connection = self._writer()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(
                "INSERT OR IGNORE INTO progress (account, modseq) VALUES (?, 0)",
                [account_id],
            )
            yield SqliteWriting(connection, account_id)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    @override
    def tidy(self) -> bool:
        connection = self._writer()
        before = connection.total_changes
        connection.execute(
            "INSERT INTO grams (grams, rank) VALUES ('merge', ?)", [MERGED_PAGES]
        )
        return connection.total_changes - before > 1

    def _writer(self) -> sqlite3.Connection:
        return self._held("writer", "rw")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open a snapshot; None where there is no index of this version."""
        try:
            connection = self._held("reader", "rw")
        except sqlite3.OperationalError:  # there is no such file
            yield None
            return
        connection.execute("BEGIN DEFERRED")
        try:
            made = connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
            yield connection if made else None
        finally:
            connection.execute("ROLLBACK")

    def _held(self, name: str, mode: str) -> sqlite3.Connection:
        """Return this thread's connection; one that a fork brought along is left."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, name, None)
        if held is None or held[0] != os.getpid():
            held = os.getpid(), self._connect(mode)
            if name == "reader":
                held[1].execute("PRAGMA query_only = ON")
            setattr(self._local, name, held)
        return held[1]

    def _connect(self, mode: str) -> sqlite3.Connection:
        made = sqlite3.connect(
            f"{self._file.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
        )
        made.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        made.execute("PRAGMA synchronous = NORMAL")
        made.execute("PRAGMA mmap_size = 268435456")
        return made


def _by_grams(
    connection: sqlite3.Connection, account_id: int, query: Query, most: int
) -> list[int] | None:
    """Return the e-mails that have what every match has; None: too many, or any."""
    asked = expression(query)
    if asked is None:
        return None
    first = account_id << 32
    found = connection.execute(
        "SELECT d.email_id FROM grams JOIN document d ON d.id = grams.rowid"
        " WHERE grams MATCH ? AND grams.rowid BETWEEN ? AND ? LIMIT ?",
        [asked, first, first | 0xFFFFFFFF, most + 1],
    ).fetchall()
    return [one for (one,) in found] if len(found) <= most else None


def _by_texts(
    connection: sqlite3.Connection, account_id: int, query: Query, most: int
) -> list[int] | None:
    """Do as `_by_grams`, by reading all texts in a row: 0.5 ms for 1,000 messages."""
    told = GLOB.condition(query)
    first = account_id << 32
    found = connection.execute(
        f"SELECT email_id FROM document WHERE id BETWEEN ? AND ? AND {told.sql}"  # noqa: S608
        " LIMIT ?",
        [first, first | 0xFFFFFFFF, *told.parameters, most + 1],
    ).fetchall()
    return [one for (one,) in found] if len(found) <= most else None


def _excludes(query: Query) -> bool:
    """Tell whether texts are excluded: what is left may be far apart, and rare."""
    match query:
        case Not(inner):
            return bool(columns(inner))
        case And(queries) | Or(queries):
            return any(map(_excludes, queries))
        case Contains() | Fact():
            return False


class SqliteWriting(Writing):
    """One transaction of the file's one writer."""

    def __init__(self, connection: sqlite3.Connection, account_id: int) -> None:
        """Read how far the account is."""
        self._connection = connection
        self._account = account_id
        self.modseq, self.swept, self.number = connection.execute(
            "SELECT modseq, swept, number FROM progress WHERE account = ?",
            [account_id],
        ).fetchone()

    @override
    def add(self, documents: Sequence[Document]) -> None:
        first = self._account << 32 | self.number
        rows = [(first + n, one.texts) for n, one in enumerate(documents)]
        self._connection.executemany(
            f"INSERT INTO document (id, email_id, account, {NAMES})"  # noqa: S608
            f" VALUES (?, ?, ?, {MARKS})",
            [
                (id_, one.email_id, self._account, *texts)
                for one, (id_, texts) in zip(documents, rows, strict=True)
            ],
        )
        self._connection.executemany(
            f"INSERT INTO grams (rowid, {NAMES}) VALUES (?, {MARKS})",  # noqa: S608
            [(id_, *texts) for id_, texts in rows],
        )
        self.number += len(documents)

    @override
    def known(self, email_ids: Sequence[int]) -> set[int]:
        found = self._connection.execute(
            "SELECT email_id FROM document WHERE account = ?"
            " AND email_id IN (SELECT value FROM json_each(?))",
            [self._account, json.dumps(list(email_ids))],
        )
        return {one for (one,) in found}

    @override
    def listed(self, after: int, most: int) -> list[tuple[int, int]]:
        first = self._account << 32
        return self._connection.execute(
            "SELECT id, email_id FROM document WHERE id > ? AND id <= ?"
            " ORDER BY id LIMIT ?",
            [max(after, first), first | 0xFFFFFFFF, most],
        ).fetchall()

    @override
    def remove(self, ids: Sequence[int]) -> None:
        # FTS5 keeps no text: it must be told what goes.
        for some in ids:
            self._connection.execute(
                f"INSERT INTO grams (grams, rowid, {NAMES})"  # noqa: S608
                f" SELECT 'delete', id, {NAMES} FROM document WHERE id = ?",
                [some],
            )
            self._connection.execute("DELETE FROM document WHERE id = ?", [some])

    @override
    def note(self, modseq: int, swept: int) -> None:
        self._connection.execute(
            "UPDATE progress SET modseq = ?, swept = ?, number = ? WHERE account = ?",
            [modseq, swept, self.number, self._account],
        )
        self.modseq, self.swept = modseq, swept

    @override
    def forget(self) -> None:
        self._connection.execute(
            "DELETE FROM progress WHERE account = ?", [self._account]
        )


def expression(query: Query) -> str | None:
    """Return what FTS5 is asked for: what every match has; None: it cannot tell."""
    words, count = _expression(query)
    return words if words and count <= MOST_GRAMS else None


def _expression(query: Query) -> tuple[str, int]:
    """Return an expression and how many trigrams it has; "" cannot tell."""
    match query:
        case Contains():
            grams = trigrams(query.necessary)
            quoted = " AND ".join('"' + g.replace('"', '""') + '"' for g in grams)
            if not grams or query.columns == COLUMNS:
                return quoted, len(grams)
            return f"{{{' '.join(query.columns)}}} : ({quoted})", len(grams)
        case And(queries) | Or(queries):
            parts = [part for one in queries if (part := _expression(one))[0]]
            if isinstance(query, Or) and len(parts) < len(queries):
                return "", 0
            joined = " AND " if isinstance(query, And) else " OR "
            text = joined.join(f"({words})" for words, _ in parts)
            return text, sum(count for _, count in parts)
        case Fact() | Not():
            return "", 0
