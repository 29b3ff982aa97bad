"""The thread that writes: takes what is waiting, commits once, answers all."""

import contextlib
import logging
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    connection,
    connections,
    transaction,
)

from mailhost.db.sqlite3.lock import LockTimeout
from mailhost.mail.models import WriteMark
from mailhost.store import changes, sql, state
from mailhost.store.reading import here

log = logging.getLogger(__name__)

MOST_IN_A_BATCH = 50
RETRIES = 3  # of a whole batch, after a deadlock or a serialisation failure


@dataclass(frozen=True, slots=True, eq=False)
class Bulk:
    """A function of many items at once: `fn([item, …])` gives a result for each.

    It raises for the whole; each is then tried alone. Called, it takes one item.
    """

    fn: Callable[[list[Any]], list[Any]]

    def __call__(self, item: Any) -> Any:
        return self.fn([item])[0]


@dataclass(slots=True, eq=False)
class Job:
    """One write: `fn(*args)`, or one item of a Bulk, and who waits for it."""

    accounts: Sequence[int]
    fn: Callable[..., Any]  # or a Bulk
    args: tuple[Any, ...]
    soft: bool  # flags only: need not be synced by itself
    future: "Future[Any]" = field(default_factory=Future)
    outcome: Any = None
    error: BaseException | None = None

    def run(self) -> None:
        """Call the function; an error of its own is its outcome."""
        self.outcome = self.fn(*self.args)

    def answer(self) -> None:
        """Tell who waits."""
        if not self.future.set_running_or_notify_cancel():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome)


class OuterTransactionLost(Exception):
    """The engine rolled the whole transaction back, savepoints included."""


class Writer:
    """One thread, one connection, one queue."""

    def __init__(self, number: int, *, strict: bool) -> None:
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._strict = strict
        self._synchronous = "FULL"
        # The upper half of a mark is this writer's, its lower half counts the batches.
        self._mine = uuid.uuid4().hex[:16]
        self._batches = 0
        self._mark = ""  # in this writer's one row
        self._thread = threading.Thread(
            target=self._work, name=f"mailhost-write-{number}", daemon=True
        )
        self._thread.start()

    def submit(self, job: Job) -> "Future[Any]":
        """Queue a job; its future is set after the commit."""
        self._queue.put(job)
        return job.future

    def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        here.wrapper = connections[DEFAULT_DB_ALIAS]
        try:
            while (first := self._queue.get()) is not None:
                self._serve(first)
        finally:
            connection.close()

    def _serve(self, first: Job) -> None:
        # What arrives while other processes write joins the batch.
        with changes.together(), write_turn():
            jobs = self._join(first)
            self._settle(jobs)
        # Who is answered finds that all sessions of this process have heard of it.
        for job in jobs:
            job.answer()

    def _join(self, first: Job) -> list[Job]:
        jobs = [first]
        while len(jobs) < MOST_IN_A_BATCH:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._queue.put(None)  # stop after this batch
                break
            jobs.append(job)
        return jobs

    def _settle(self, jobs: list[Job]) -> None:
        try:
            self._commit_with_retries(jobs)
        except Exception as error:  # noqa: BLE001 - it goes to whoever asked
            if len(jobs) == 1:
                jobs[0].error = error
            else:
                # The outer transaction is lost: only the culprit may fail.
                connection.close()
                self._synchronous = "FULL"
                for job in jobs:
                    self._settle([job])

    def _commit_with_retries(self, jobs: list[Job]) -> None:
        for attempt in range(RETRIES + 1):
            for job in jobs:
                job.outcome = job.error = None
            mark = self._next_mark()
            try:
                self._commit(jobs, mark)
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                self._synchronous = "FULL"
                if _was_committed(mark):
                    return
                if attempt == RETRIES or not _worth_retrying(error):
                    raise
                time.sleep(random.uniform(0.005, 0.05) * (attempt + 1))  # noqa: S311
            else:
                return

    def _commit(self, jobs: list[Job], mark: str) -> None:
        soft = all(job.soft for job in jobs) and not self._strict
        self._set_synchronous("NORMAL" if soft else "FULL")
        with _transaction():
            self._leave_mark(mark)
            state.lock_accounts(sorted({a for job in jobs for a in job.accounts}))
            _run_all(jobs)
        self._mark = mark

    def _next_mark(self) -> str:
        self._batches += 1
        return f"{self._mine}{self._batches:016x}"

    def _leave_mark(self, mark: str) -> None:
        """Put the batch's id in this writer's one row.

        SQLite commits in this process: a COMMIT that fails has not happened.
        """
        if here.wrapper.vendor == "sqlite":
            return
        update = "UPDATE mail_writemark SET id = %s WHERE id = %s"
        if not self._mark or not sql.run(update, [mark, self._mark]):
            WriteMark.objects.create(id=uuid.UUID(mark))

    def _set_synchronous(self, wanted: str) -> None:
        if wanted == self._synchronous or connection.vendor != "sqlite":
            return
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous={wanted}")
        self._synchronous = wanted


def _transaction() -> contextlib.AbstractContextManager[None]:
    """Return the context of a transaction on this writer's connection."""
    whole: contextlib.AbstractContextManager[None] = (
        here.wrapper.whole()
        if here.wrapper.vendor == "sqlite"
        else transaction.atomic()
    )
    return whole


def _savepoint() -> contextlib.AbstractContextManager[None]:
    part: contextlib.AbstractContextManager[None] = (
        here.wrapper.part() if here.wrapper.vendor == "sqlite" else transaction.atomic()
    )
    return part


@contextlib.contextmanager
def write_turn() -> Iterator[None]:
    """Hold SQLite's write lock, if that is the engine."""
    lock = getattr(here.wrapper or connection, "write_lock", None)
    if lock is None:
        yield
        return
    try:
        lock.acquire()
    except LockTimeout:
        log.exception("no write lock; the transaction will ask for it again")
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _run_all(jobs: list[Job]) -> None:
    bulk: dict[Bulk, list[Job]] = {}
    for job in jobs:
        if isinstance(job.fn, Bulk):
            bulk.setdefault(job.fn, []).append(job)
        else:
            _run_one(job, alone=len(jobs) == 1)
    for kind, members in bulk.items():
        _run_bulk(kind, members, alone=len(jobs) == 1)


def _run_bulk(kind: Bulk, members: list[Job], *, alone: bool) -> None:
    if len(members) == 1:
        _run_one(members[0], alone=alone)
        return
    try:
        with _savepoint():
            outcomes = kind.fn([job.args[0] for job in members])
    except Exception:  # noqa: BLE001 - each is tried alone and answered
        _raise_if_lost()
        for job in members:
            _run_one(job, alone=False)
        return
    for job, outcome in zip(members, outcomes, strict=True):
        job.outcome = outcome


def _run_one(job: Job, *, alone: bool) -> None:
    if alone:
        job.run()  # its error rolls everything back, and is its outcome
        return
    try:
        with _savepoint():
            job.run()
    except Exception as error:
        _raise_if_lost()
        if isinstance(error, DatabaseError) and _worth_retrying(error):
            raise
        job.error = error


def _raise_if_lost() -> None:
    """SQLite rolls everything back when the disk fails; a connection may be gone."""
    raw = connection.connection
    if raw is None or connection.closed_in_transaction:
        raise OuterTransactionLost
    if not raw.in_transaction if connection.vendor == "sqlite" else raw.closed:
        raise OuterTransactionLost


def _worth_retrying(error: BaseException) -> bool:
    """Tell whether a second try may pass: deadlock, serialisation, connection lost."""
    cause = error.__cause__ or error
    code = getattr(cause, "sqlstate", None)
    return code in {"40001", "40P01"} or (code or "").startswith(("08", "57P"))


def _was_committed(mark: str) -> bool:
    """Look for the batch's row: a connection lost in COMMIT leaves it unknown."""
    if connection.vendor == "sqlite":
        return False
    try:
        return WriteMark.objects.filter(id=uuid.UUID(mark)).exists()
    except (DatabaseError, InterfaceError):
        connection.close()
        log.exception("cannot tell whether a batch was committed")
        return False
