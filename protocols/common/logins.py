"""Logins off the event loop: what is quick beside reads, what is slow in its own pool.

Most logins are an indexed look-up or a password that was verified lately: they run in
a reader thread. Argon2, another backend, a provider's keys: in threads of their own,
as many as there are cores, nicer than the rest, with a bounded queue.
"""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from django.db import connection

from accounts import auth
from accounts.auth import Attempt, Login, Slow, TooManyFailures
from accounts.claims import Claim, Salted
from mailhost.store.gate import gate

THREADS = max(2, os.cpu_count() or 1)
MOST_WAITING = 500
NICER = 5
PATIENCE_SECONDS = 4.0  # a guess that is due later is refused at once


class Busy(auth.NotNow):
    """More passwords wait to be checked than can be soon."""

    def __init__(self) -> None:
        super().__init__("Too busy to check passwords, try again later")


class Slowly:
    """The pool of what takes long; of one process."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._guard = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0
        self._waiting = 0

    async def check(self, claim: Claim, at: Attempt) -> Login:
        """Check in one of the threads. Raises LoginRefused."""
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads(), _check, claim, at)
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        """End the threads; the next check starts new ones."""
        with self._guard:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True)

    def _threads(self) -> ThreadPoolExecutor:
        with self._guard:
            if self._pool is None or self._process != os.getpid():
                self._process = os.getpid()
                self._pool = ThreadPoolExecutor(
                    THREADS, "mailhost-login", initializer=_be_nice
                )
            return self._pool


slowly = Slowly()


async def ask(claim: Claim | Salted, at: Attempt) -> Any:
    """Return what accounts says: a Login, or for Salted its Parameters.

    Raises LoginRefused. A guess that has to wait waits here, and holds no thread.
    """
    if isinstance(claim, Salted):
        return await gate.read(auth.salted, claim.login)
    try:
        return await _once(claim, at)
    except TooManyFailures as refused:
        if not 0 < refused.seconds <= PATIENCE_SECONDS:
            raise
        await asyncio.sleep(refused.seconds)
        return await _once(claim, at)


async def _once(claim: Claim, at: Attempt) -> Login:
    try:
        return await gate.read(auth.check, claim, replace(at, slowly=False))
    except Slow:
        return await slowly.check(claim, at)


def _be_nice() -> None:
    """Let the event loop go first; Argon2's own threads inherit it."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICER)


def _check(claim: Claim, at: Attempt) -> Login:
    try:
        return auth.check(claim, at)
    finally:
        connection.close()  # cheap beside what was done, and none is held while idle
