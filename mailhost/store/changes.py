"""The change feed: who watches an account hears of each commit, from any process.

In this process at once, after the commit. Between processes it is a hint: SQLite's
data_version looked at every 20 ms, PostgreSQL's NOTIFY; then modseqs are compared.
A watcher costs no query and no task of its own.
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.db import connection, transaction

Callback = Callable[[int, int], None]


@dataclass(slots=True, eq=False)
class Watch:
    """Somebody who wants to hear of an account, on the loop it was made on."""

    account_id: int
    callback: Callback
    loop: asyncio.AbstractEventLoop

    def close(self) -> None:
        """Hear no more."""
        hub.remove(self)


@dataclass(slots=True)
class _Account:
    modseq: int = 0
    watches: set[Watch] = field(default_factory=set)


class Hub:
    """The watched accounts of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._accounts: dict[int, _Account] = {}
        # Called when the first watch opens; the listener of other processes.
        self.on_first: Callable[[], None] | None = None
        # Called after a commit of ours; tells the other processes.
        self.on_publish: Callable[[int, int], None] | None = None

    def add(self, watch: Watch) -> None:
        """Start telling this watch."""
        with self._guard:
            self._accounts.setdefault(watch.account_id, _Account()).watches.add(watch)
        if self.on_first is not None:
            self.on_first()

    def remove(self, watch: Watch) -> None:
        """Stop telling this watch."""
        with self._guard:
            account = self._accounts.get(watch.account_id)
            if account is not None:
                account.watches.discard(watch)
                if not account.watches:
                    del self._accounts[watch.account_id]

    def watched(self) -> list[int]:
        """Return the accounts that somebody watches."""
        with self._guard:
            return list(self._accounts)

    def heard(self, modseqs: Iterable[tuple[int, int]]) -> None:
        """Tell the watches of accounts that moved: (account, modseq) pairs."""
        with self._guard:
            told = []
            for account_id, modseq in modseqs:
                account = self._accounts.get(account_id)
                if account is not None and account.modseq != modseq:
                    account.modseq = modseq
                    told += [(watch, modseq) for watch in account.watches]
        for watch, modseq in told:
            try:
                watch.loop.call_soon_threadsafe(
                    watch.callback, watch.account_id, modseq
                )
            except RuntimeError:  # its loop has ended without closing it
                self.remove(watch)


hub = Hub()


def watch(account_id: int, callback: Callback) -> Watch:
    """Call `callback(account_id, modseq)` on the running loop after each commit.

    Close what is returned. Commits may be told together, and one may be told twice.
    """
    made = Watch(account_id, callback, asyncio.get_running_loop())
    hub.add(made)
    return made


def tell_on_commit(account_id: int, modseq: int) -> None:
    """Publish the account's new modseq once the open transaction is committed."""
    if not connection.in_atomic_block:
        publish(account_id, modseq)
        return
    transaction.on_commit(functools.partial(publish, account_id, modseq))


def publish(account_id: int, modseq: int) -> None:
    """Tell this process's watches, then the other processes."""
    if _batch.told is not None:
        _batch.told[account_id] = modseq
        return
    hub.heard([(account_id, modseq)])
    if hub.on_publish is not None:
        hub.on_publish(account_id, modseq)


class _Batch(threading.local):
    """What this thread has published inside of `together`."""

    told: dict[int, int] | None = None


_batch = _Batch()


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Hold back what is published in this block, and publish it at its end.

    A writer does so when it has given up the lock, and answers after.
    """
    told: dict[int, int] = {}
    _batch.told = told
    try:
        yield
    finally:
        _batch.told = None
        for account_id, modseq in told.items():
            publish(account_id, modseq)
