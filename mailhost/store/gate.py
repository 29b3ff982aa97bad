"""Between asyncio and the ORM: reads in a small thread pool, writes in batches.

A coroutine never calls the ORM. `read` runs in a reader thread; `write` queues to a
writer, which runs what is waiting in one transaction, a savepoint each, and answers
all after the one commit: an answer leaves only after the commit that holds it. A
function handed to `write` may run twice; its effects leave by `transaction.on_commit`.
"""

import asyncio
import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar, TypeVarTuple

from django.conf import settings
from django.db import connection

from mailhost.store import state
from mailhost.store.content import (
    CHUNK,
    Prepared,
    chunks_of,
    prepare,
    stage_blob,
    stage_chunks,
)
from mailhost.store.deliver import deliver_many
from mailhost.store.reading import Glance, run_reading
from mailhost.store.values import Stored, Target
from mailhost.store.writer import Bulk, Job, Writer

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

READERS = 4  # threads
POSTGRESQL_WRITERS = 4  # threads; each account belongs to one of them

# Octets; below, parsing is shorter than a thread hop under load.
PARSED_ON_THE_LOOP = 65_536
CHUNKS_STAGED_AT_ONCE = 4  # 1 MB holds SQLite's writer for some 7 ms

DELIVERIES = Bulk(deliver_many)


class Gate:
    """The threads of one process that touch the database for its coroutines."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process = 0
        self._readers: ThreadPoolExecutor | None = None
        self._cpu: ThreadPoolExecutor | None = None
        self._writers: list[Writer] = []
        self._glance = Glance()

    def glance(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run a read of a few rows on the event loop, now; it asks by `sql.rows` alone.

        Raises NotBrief when it is to be run by `read`: it found much to do, or the
        engine is not SQLite.
        """
        self._start()
        return self._glance.read(fn, args)

    async def read(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run `fn(*args)` in a reader thread, on one snapshot where the engine can."""
        self._start()
        assert self._readers is not None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, run_reading, fn, args)

    async def write(
        self,
        accounts: Sequence[int],
        fn: Callable[[*Ts], T],
        *args: *Ts,
        soft: bool = False,
    ) -> T:
        """Run `fn(*args)` in a transaction that holds these accounts; await the commit.

        `soft`: only flags change; a power cut may take the last second of it, unless
        MAILHOST_FLAG_SYNC_STRICT. Raises what `fn` raised.
        """
        return await asyncio.wrap_future(self._submit(Job(accounts, fn, args, soft)))

    def begin_read(self, fn: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Begin to do as `read`; the future is set in the reader thread.

        For who has no task: one costs more than a short read.
        """
        self._start()
        assert self._readers is not None
        return self._readers.submit(run_reading, fn, args)

    def begin_write(
        self, accounts: Sequence[int], fn: Callable[..., Any], *args: Any, soft: bool
    ) -> "Future[Any]":
        """Begin to do as `write`; the future is set in the writer's thread."""
        return self._submit(Job(accounts, fn, args, soft))

    async def prepare(self, octets: bytes | Callable[[], bytes]) -> Prepared:
        """Parse, hash and, over one chunk, stage a message; no transaction is open.

        Large ones take turns. A function that reads one is called when it is its turn,
        so that no two are held in memory.
        """
        if isinstance(octets, bytes) and len(octets) <= PARSED_ON_THE_LOOP:
            return prepare(octets)
        self._start()
        assert self._cpu is not None
        return await asyncio.get_running_loop().run_in_executor(
            self._cpu, self.prepare_sync, octets
        )

    def prepare_sync(self, octets: bytes | Callable[[], bytes]) -> Prepared:
        """Do as `prepare`, from a thread."""
        if not isinstance(octets, bytes):
            octets = octets()
        prepared = prepare(octets)
        if len(octets) <= CHUNK or connection.in_atomic_block:
            return prepared
        # Unsynced by themselves: the commit that makes them visible syncs the WAL.
        blob_id = self._submit(Job((), stage_blob, (len(octets),), soft=True)).result()
        chunks = chunks_of(octets)
        while some := list(itertools.islice(chunks, CHUNKS_STAGED_AT_ONCE)):
            self._submit(Job((), stage_chunks, (blob_id, some), soft=True)).result()
        return replace(prepared, octets=b"", blob_id=blob_id)

    async def deliver(
        self, prepared: Prepared, targets: Sequence[Target]
    ) -> list[Stored]:
        """Store one message for these targets; concurrent calls share one commit."""
        job = Job(
            sorted({t.account_id for t in targets}),
            DELIVERIES,
            ((prepared, tuple(targets)),),
            soft=False,
        )
        return list(await asyncio.wrap_future(self._submit(job)))

    def read_sync(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        """Do as `read`, from a thread of Django's own, on its own connection."""
        return fn(*args)

    def write_sync(
        self, accounts: Sequence[int], fn: Callable[[*Ts], T], *args: *Ts
    ) -> T:
        """Do as `write`, from a thread; inside a transaction it becomes part of it."""
        if connection.in_atomic_block:
            state.lock_accounts(accounts)
            return fn(*args)
        result: T = self._submit(Job(accounts, fn, args, soft=False)).result()
        return result

    def deliver_sync(
        self, prepared: Prepared, targets: Sequence[Target]
    ) -> list[Stored]:
        """Do as `deliver`, from a thread."""
        accounts = sorted({t.account_id for t in targets})
        return self.write_sync(
            accounts, lambda: deliver_many([(prepared, tuple(targets))])[0]
        )

    async def close(self) -> None:
        """Finish what is queued and end the threads."""
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """Finish what is queued and end the threads; the next call starts new ones."""
        with self._guard:
            writers, self._writers = self._writers, []
            pools = (self._readers, self._cpu)
            self._readers = self._cpu = None
            self._process = 0
        self._glance.close()
        for writer in writers:
            writer.stop()
        for pool in pools:
            if pool is not None:
                _close_connections(pool)
                pool.shutdown(wait=True)

    def _submit(self, job: Job) -> "Future[Any]":
        self._start()
        # The first account decides the writer: one account, one writer.
        index = (job.accounts[0] if job.accounts else 0) % len(self._writers)
        return self._writers[index].submit(job)

    def _start(self) -> None:
        if self._process == os.getpid():
            return
        with self._guard:
            if self._process == os.getpid():
                return
            self._readers = ThreadPoolExecutor(READERS, "mailhost-read")
            self._cpu = ThreadPoolExecutor(1, "mailhost-cpu")
            count = 1 if connection.vendor == "sqlite" else POSTGRESQL_WRITERS
            strict = bool(getattr(settings, "MAILHOST_FLAG_SYNC_STRICT", False))
            self._writers = [Writer(n, strict=strict) for n in range(count)]
            self._glance = Glance()
            if connection.vendor == "sqlite":
                self._readers.submit(self._glance.open)
            self._process = os.getpid()


def _close_connections(pool: ThreadPoolExecutor) -> None:
    """Close the database connection of each thread of the pool."""
    # One task per thread, held at a barrier so that no thread takes two.
    size = len(pool._threads)  # noqa: SLF001 - there is no public count
    if not size:
        return
    barrier = threading.Barrier(size)

    def close() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=5)
        connection.close()

    for future in [pool.submit(close) for _ in range(size)]:
        future.result()


gate = Gate()
