"""Small writes that a login causes and nobody waits for.

A login may run inside a read-only snapshot, so it cannot write. What it has to note
is done a moment later by a thread of this process, once per key however often asked.
"""

import logging
import os
import threading
from collections.abc import Callable

from django.db import connections

log = logging.getLogger(__name__)
DELAY_SECONDS = 2.0
_lock = threading.Lock()
_waiting: dict[str, Callable[[], None]] = {}
_automatic = True


def later(key: str, action: Callable[[], None]) -> None:
    """Run action soon; a waiting one with the same key is replaced."""
    with _lock:
        first = not _waiting
        _waiting[key] = action
    if first and _automatic:
        timer = threading.Timer(DELAY_SECONDS, _run_in_thread)
        timer.daemon = True
        timer.start()


def run_waiting() -> None:
    """Do what waits, on the caller's connection. A failure is logged and dropped."""
    with _lock:
        actions = dict(_waiting)
        _waiting.clear()
    for key, action in actions.items():
        try:
            action()
        except Exception:
            log.exception("after a login: %s", key)


def by_hand(*, on: bool) -> None:
    """Leave run_waiting() to the caller: for tests, whose rows no thread can see."""
    global _automatic  # noqa: PLW0603 -- one switch of the process
    _automatic = not on
    _waiting.clear()


def _run_in_thread() -> None:
    try:
        run_waiting()
    finally:
        connections.close_all()


os.register_at_fork(after_in_child=_waiting.clear)
