"""One read of the database: a snapshot that cannot write.

In a reader thread, on Django's connection; or on the event loop (`Glance`), past
Django, where it is over before a thread would have been woken. `sql.rows` asks `here`.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, connection

T = TypeVar("T")

MAPPED_OCTETS = 256 << 20  # of the database file, at most


class NotBrief(Exception):
    """On the event loop: this read takes longer than others should have to wait."""


class Here(threading.local):
    """What runs in this thread."""

    raw: sqlite3.Connection | None = None  # of a read; None: ask Django's connection
    wrapper: Any = None  # Django's connection, in a writer's thread; to find it costs
    brief = False  # whether the event loop waits for it


here = Here()


def run_reading(fn: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Call `fn` on this thread's connection.

    SQLite: inside one deferred transaction, so that several queries see one moment.
    PostgreSQL: in autocommit; each statement sees its own moment.
    """
    if connection.in_atomic_block:  # a test's transaction
        return fn(*args)
    try:
        if connection.vendor != "sqlite":
            return fn(*args)
        raw = connection.connection
        if raw is None:
            connection.ensure_connection()
            raw = connection.connection
            prepare_to_read(raw)
        return _on_snapshot(raw, fn, args)
    except (DatabaseError, InterfaceError, sqlite3.Error):
        # The next read opens a new connection rather than inherit a broken one.
        connection.close()
        raise


def _on_snapshot(
    raw: sqlite3.Connection, fn: Callable[..., T], args: tuple[Any, ...]
) -> T:
    # Past Django: its atomic() costs more than the point query inside.
    raw.execute("BEGIN DEFERRED")
    here.raw = raw
    try:
        return fn(*args)
    finally:
        here.raw = None
        if raw.in_transaction:
            raw.execute("ROLLBACK")


def prepare_to_read(raw: sqlite3.Connection) -> None:
    """Make it a connection that reads alone.

    It maps the file, which spares a copy of each page. A writer does not: while the
    file is mapped, SQLite looks for each page in the WAL before it looks in its cache,
    and a counter that every transaction writes stands there thousands of times.
    """
    raw.execute("PRAGMA query_only=ON")
    raw.execute(f"PRAGMA mmap_size={MAPPED_OCTETS}")


class Glance:
    """A connection of SQLite for the reads that run on the event loop itself.

    A point query takes some 10 µs, handing it to a thread and back five times that, and
    a reader of the WAL waits for nobody. What a read finds to be much it refuses by
    NotBrief, and is run again in a thread.
    """

    def __init__(self) -> None:
        self._raw: sqlite3.Connection | None = None
        self._guard = threading.Lock()

    def open(self) -> None:
        """Connect. Called in a reader thread, where Django lets connect."""
        raw = connection.get_new_connection(connection.get_connection_params())
        raw.isolation_level = None
        prepare_to_read(raw)
        raw.execute("PRAGMA busy_timeout=0")
        raw.execute("PRAGMA cache_size=-4000")
        self._raw = raw

    def close(self) -> None:
        """Close; until `open`, each read is refused."""
        with self._guard:
            raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()

    def read(self, fn: Callable[..., T], args: tuple[Any, ...]) -> T:
        """Call `fn(*args)`, which asks by `sql.rows` alone. Raises NotBrief."""
        raw = self._raw
        if raw is None or not self._guard.acquire(blocking=False):
            raise NotBrief
        here.raw, here.brief = raw, True
        try:
            # Each statement sees its own moment, as on PostgreSQL.
            return fn(*args)
        except sqlite3.OperationalError as error:  # a thread has the time to wait
            raise NotBrief from error
        finally:
            here.raw, here.brief = None, False
            self._guard.release()


@contextlib.contextmanager
def held(lock: threading.Lock) -> Iterator[None]:
    """Hold the lock; raises NotBrief on the event loop when another has it."""
    if not lock.acquire(blocking=not here.brief):
        raise NotBrief
    try:
        yield
    finally:
        lock.release()
