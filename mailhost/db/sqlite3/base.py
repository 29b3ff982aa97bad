"""Django's SQLite backend, thin: WAL, BEGIN IMMEDIATE under the write lock.

Transactions that may write begin with BEGIN IMMEDIATE while the lock is held;
`reading()` makes the next ones BEGIN DEFERRED with query_only. A writing statement in
autocommit takes the lock for itself.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from typing_extensions import override

from mailhost.db.sqlite3.lock import LockTimeout, WriteLock, lock_for
from mailhost.db.sqlite3.whole import Part, Whole

READS = re.compile(
    r"\s*(SELECT|PRAGMA|EXPLAIN|SAVEPOINT|RELEASE|ROLLBACK|WITH)\b", re.IGNORECASE
)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that queues for the write lock before it writes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held = False
        self._read_only = False

    @override
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        with self._lock_or_nothing():
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=20000")
        connection.execute("PRAGMA cache_size=-16000")
        # Checkpoints are run apart, so that no commit waits for one.
        connection.execute("PRAGMA wal_autocheckpoint=65536")
        return connection

    @override
    def init_connection_state(self) -> None:
        super().init_connection_state()
        # What Django would run on every connection; ours looks at writing statements.
        self.execute_wrappers[:] = [
            w for w in self.execute_wrappers if w is not self._guarded
        ]
        self.execute_wrappers.append(self._guarded)

    @property
    def write_lock(self) -> WriteLock | None:
        """The lock of this file; None for a database in memory."""
        name = str(self.settings_dict["NAME"])
        return None if ":memory:" in name or "mode=memory" in name else lock_for(name)

    def whole(self) -> Whole:
        """Return the context of a transaction that is not inside of another."""
        return Whole(self)

    def part(self) -> Part:
        """Return the context of a savepoint inside of it."""
        return Part(self)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Make transactions of this block read-only snapshots, which take no lock."""
        self.ensure_connection()
        self._read_only = True
        self.connection.execute("PRAGMA query_only=ON")
        try:
            yield
        finally:
            self._read_only = False
            if self.connection is not None:
                self.connection.execute("PRAGMA query_only=OFF")

    def _start_transaction_under_autocommit(self) -> None:
        # Past Django's cursor, which costs ten times what the statement does.
        if self._read_only:
            with self.wrap_database_errors:
                self.connection.execute("BEGIN DEFERRED")
            return
        self.begin()

    def begin(self) -> None:
        """Begin a transaction that writes, under the write lock."""
        self._acquire()
        try:
            with self.wrap_database_errors:
                self.connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self.release()
            raise

    @override
    def set_autocommit(
        self,
        autocommit: bool,
        force_begin_transaction_with_broken_autocommit: bool = False,
    ) -> None:
        try:
            super().set_autocommit(
                autocommit, force_begin_transaction_with_broken_autocommit
            )
        finally:
            if autocommit:
                self.release()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # the stubs leave it out
        finally:
            self.release()

    def _acquire(self) -> None:
        lock = self.write_lock
        if lock is None or self._held:
            return
        try:
            lock.acquire()
        except LockTimeout as error:
            raise OperationalError(str(error)) from error
        self._held = True

    def commit_now(self) -> None:
        """Commit; Django's own, less its checks."""
        self._commit()  # type: ignore[attr-defined]  # the stubs leave it out

    def release(self) -> None:
        """Give the write lock back, if this connection holds it."""
        if self._held:
            self._held = False
            lock = self.write_lock
            assert lock is not None
            lock.release()

    @contextlib.contextmanager
    def _lock_or_nothing(self) -> Iterator[None]:
        lock = self.write_lock
        if lock is None:
            yield
            return
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _guarded(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001 - Django's signature
        context: dict[str, Any],
    ) -> Any:
        if self.in_atomic_block or self._held or READS.match(sql):
            return execute(sql, params, many, context)
        with self._lock_or_nothing():
            return execute(sql, params, many, context)
