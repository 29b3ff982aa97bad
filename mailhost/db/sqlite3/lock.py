"""The write lock of an SQLite file: a process mutex, then flock on two files beside it.

SQLite's own waiting is a random back-off that starves writers. Here a waiter first
takes the turn, and holds it until it has the lock: who gave the lock back and wants it
again queues behind. The holder writes its process id into the lock file, so that a
time-out can name it.
"""

import contextlib
import fcntl
import os
import threading
import time
from pathlib import Path

TIMEOUT_SECONDS = 20.0
LOOK_SECONDS = 0.0002  # a blocking flock could not be given up


class LockTimeout(Exception):
    """Another process held the write lock for too long."""


class WriteLock:
    """One per database file and process; re-entrant for the thread that holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.RLock()
        self._depth = 0
        self._lock = self._turn = -1

    def acquire(self, timeout: float = TIMEOUT_SECONDS) -> None:
        """Wait for the lock. Raises LockTimeout, naming the holder."""
        if not self._mutex.acquire(timeout=timeout):
            raise LockTimeout(f"{self._path.name} is held by another thread")
        if self._depth == 0:
            try:
                self._lock_file(time.monotonic() + timeout)
            except BaseException:
                self._mutex.release()
                raise
        self._depth += 1

    def release(self) -> None:
        """Give the lock back; the outermost release frees the file."""
        self._depth -= 1
        if self._depth == 0:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._mutex.release()

    def _lock_file(self, deadline: float) -> None:
        if self._lock < 0:
            self._lock = _open(self._path)
            self._turn = _open(self._path.with_name(f"{self._path.name}.turn"))
        self._wait(self._turn, deadline)
        try:
            self._wait(self._lock, deadline)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        os.pwrite(self._lock, b"%-10d" % os.getpid(), 0)

    def _wait(self, file: int, deadline: float) -> None:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() > deadline:
                holder = os.pread(self._lock, 10, 0).decode("ascii", "replace").strip()
                raise LockTimeout(
                    f"{self._path.name} is held by process {holder or 'unknown'}"
                )
            time.sleep(LOOK_SECONDS)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


_locks: dict[str, WriteLock] = {}
_guard = threading.Lock()


def lock_for(database: str) -> WriteLock:
    """Return this process's lock of the database file."""
    known = _locks.get(database)
    if known is not None:
        return known
    with _guard:
        if database not in _locks:
            _locks[database] = WriteLock(Path(f"{database}.lock"))
        return _locks[database]


def forget_all() -> None:
    """Start anew in a forked child: no thread of the parent exists here."""
    global _guard  # noqa: PLW0603 - a forked mutex may be held by nobody
    _guard = threading.Lock()
    _locks.clear()


os.register_at_fork(after_in_child=forget_all)
