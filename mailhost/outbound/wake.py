"""Wakes the runner when something was queued, wherever that was.

On SQLite `PRAGMA data_version` tells that another process committed; on PostgreSQL a
NOTIFY follows the commit. Both are hints: the runner looks by itself too.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable

import psycopg
from django.db import DatabaseError, connection

from mailhost.store.feed import Sender, psycopg_parameters

log = logging.getLogger(__name__)

CHANNEL = "mailhost_queue"
LOOK_SECONDS = 0.05  # between looks at SQLite's data_version

_guard = threading.Lock()
_sender: Sender | None = None
_listeners: "set[Alarm]" = set()


def tell() -> None:
    """Say that something is due: in this process at once, to others by the engine."""
    for alarm in list(_listeners):
        alarm.ring()
    if connection.vendor != "postgresql":
        return
    global _sender  # noqa: PLW0603 - one connection for each process
    with _guard:
        if _sender is None or _sender.process != os.getpid():
            _sender = Sender(psycopg_parameters(), CHANNEL)
    _sender.send(0, 0)


def quiet() -> None:
    """End the connection that tells others."""
    global _sender  # noqa: PLW0603
    with _guard:
        if _sender is not None:
            _sender.stop()
        _sender = None


class Alarm:
    """An event of one loop that any thread or process may ring."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._stop = threading.Event()
        self.rings = 0
        work = self._sqlite if connection.vendor == "sqlite" else self._postgresql
        self._thread = threading.Thread(
            target=self._work, args=(work,), name="mailhost-wake", daemon=True
        )

    def __enter__(self) -> "Alarm":
        _listeners.add(self)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        _listeners.discard(self)
        self._stop.set()
        self._thread.join(timeout=5)

    def ring(self) -> None:
        """Wake who waits, or the next who will."""
        self.rings += 1
        with contextlib.suppress(RuntimeError):  # the loop is gone
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), max(seconds, 0))
        self._event.clear()

    def _work(self, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except (DatabaseError, sqlite3.Error, psycopg.Error):
                log.warning("the queue's alarm lost its connection", exc_info=True)
                connection.close()
                self._stop.wait(1.0)
        connection.close()

    def _sqlite(self) -> None:
        connection.ensure_connection()
        raw, seen = connection.connection, None
        while not self._stop.wait(LOOK_SECONDS):
            version = raw.execute("PRAGMA data_version").fetchone()[0]
            if version != seen and seen is not None:
                self.ring()
            seen = version

    def _postgresql(self) -> None:
        with psycopg.connect(**psycopg_parameters(), autocommit=True) as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            self.ring()
            while not self._stop.is_set():
                for _ in listener.notifies(timeout=0.5, stop_after=1):
                    self.ring()
