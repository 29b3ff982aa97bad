"""How a process hears of the commits of others; one thread, while it watches."""

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import DatabaseError, connection

from mailhost.store import sql
from mailhost.store.changes import hub

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.02  # between looks at SQLite's data_version
COMPARE_SECONDS = 5.0  # a hint may be lost: modseqs are compared this often
COALESCE_SECONDS = 0.005  # PostgreSQL notifications are gathered this long
ACCOUNTS_A_QUERY = 5_000
CHANNEL = "mailhost_changes"
PAYLOAD = 7_000  # octets; PostgreSQL takes 8,000


def compare() -> None:
    """Ask for the modseqs of all watched accounts and tell of those that moved."""
    accounts = hub.watched()
    for start in range(0, len(accounts), ACCOUNTS_A_QUERY):
        some = accounts[start : start + ACCOUNTS_A_QUERY]
        condition, parameters = sql.one_of("account_id", some)
        query = f"SELECT account_id, modseq FROM mail_accountstate WHERE {condition}"  # noqa: S608
        hub.heard((account, modseq) for account, modseq in sql.rows(query, parameters))


class Feed:
    """The listening thread of this process; started by its first watch."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._sender: Sender | None = None

    def start(self) -> None:
        """Listen, unless this process does already."""
        if self._process == os.getpid():
            return
        with self._guard:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            self._stop = threading.Event()
            work = self._sqlite if connection.vendor == "sqlite" else self._postgresql
            self._thread = threading.Thread(
                target=self._work, args=(work,), name="mailhost-feed", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the threads; the next watch starts them anew."""
        with self._guard:
            self._process = 0
            self._stop.set()
            if self._thread is not None:
                self._thread.join()
                self._thread = None
            if self._sender is not None:
                self._sender.stop()
                self._sender = None

    def publish(self, account_id: int, modseq: int) -> None:
        """Tell the other processes; SQLite's data_version tells them by itself."""
        if connection.vendor != "postgresql":
            return
        with self._guard:
            if self._sender is None or self._sender.process != os.getpid():
                self._sender = Sender(psycopg_parameters())
        self._sender.send(account_id, modseq)

    def _work(self, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except (DatabaseError, sqlite3.Error, psycopg.Error):
                log.warning("the change feed lost its connection", exc_info=True)
                connection.close()
                self._stop.wait(1.0)
        connection.close()

    def _sqlite(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        seen = None
        while not self._stop.wait(LOOK_SECONDS):
            version = raw.execute("PRAGMA data_version").fetchone()[0]
            if version != seen:
                seen = version
                compare()

    def _postgresql(self) -> None:
        with psycopg.connect(**psycopg_parameters(), autocommit=True) as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            compared = 0.0
            while not self._stop.is_set():
                for notice in listener.notifies(timeout=0.5, stop_after=1):
                    hub.heard(_read(notice.payload))
                if time.monotonic() - compared > COMPARE_SECONDS:
                    compare()
                    compared = time.monotonic()


class Sender:
    """Sends NOTIFY on a connection of its own, after the commits, coalesced."""

    def __init__(self, parameters: dict[str, Any], channel: str = CHANNEL) -> None:
        """Send on a channel; the queue has one of its own."""
        self.process = os.getpid()
        self._channel = channel
        self._parameters = parameters
        self._guard = threading.Condition()
        self._pending: dict[int, int] = {}
        self._ended = False
        self._thread = threading.Thread(
            target=self._work, name="mailhost-notify", daemon=True
        )
        self._thread.start()

    def send(self, account_id: int, modseq: int) -> None:
        """Queue an account's modseq; the newest counts."""
        with self._guard:
            self._pending[account_id] = modseq
            self._guard.notify()

    def stop(self) -> None:
        """Send what is queued, then end."""
        with self._guard:
            self._ended = True
            self._guard.notify()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        link: psycopg.Connection[Any] | None = None
        while (some := self._take()) is not None:
            try:
                if link is None or link.closed:
                    link = psycopg.connect(**self._parameters, autocommit=True)
                link.execute("SELECT pg_notify(%s, %s)", [self._channel, some])
            except psycopg.Error:
                # Readers compare modseqs now and then: nothing is lost for good.
                log.warning("a change notification was lost", exc_info=True)
                link = None
        if link is not None:
            link.close()

    def _take(self) -> str | None:
        with self._guard:
            while not self._pending and not self._ended:
                self._guard.wait()
            if not self._pending:
                return None
        time.sleep(COALESCE_SECONDS)
        words: list[str] = []
        with self._guard:
            while self._pending and sum(map(len, words)) < PAYLOAD - 50:
                words.append("{}:{}".format(*self._pending.popitem()))
                if len(words) > 200:
                    break
        return " ".join(words)


def _read(payload: str) -> list[tuple[int, int]]:
    pairs = []
    for word in payload.split():
        account, _, modseq = word.partition(":")
        with contextlib.suppress(ValueError):
            pairs.append((int(account), int(modseq)))
    return pairs


def psycopg_parameters() -> dict[str, Any]:
    """Return what a connection beside Django's own needs."""
    parameters = dict(connection.get_connection_params())
    return {
        key: value
        for key, value in parameters.items()
        if key in {"dbname", "user", "password", "host", "port"} and value
    }


feed = Feed()


def connect() -> None:
    """Join the feed to the hub; called once by the app's ready()."""
    hub.on_first = feed.start
    hub.on_publish = feed.publish
