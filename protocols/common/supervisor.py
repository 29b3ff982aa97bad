"""Keeps child processes running until it is told to stop. Knows nothing of mail.

Children are forked: they inherit the listening sockets and what was imported. The
parent therefore starts no thread and holds no database connection.
"""

import ctypes
import gc
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
STEADY_SECONDS = 30.0  # a child that lived that long is started again at once
PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(slots=True)
class Child:
    """One process: `run` is called in it; its return is a clean end."""

    name: str
    run: Callable[[], None]
    pid: int | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    backoff_seconds: float = 0.0

    def note_end(self, now: float) -> None:
        """Plan the next start: at once the first time, later each time after."""
        self.pid = None
        if now - self.started_at >= STEADY_SECONDS:
            self.backoff_seconds = 0.0
        self.start_at = now + self.backoff_seconds
        self.backoff_seconds = min(
            max(self.backoff_seconds * 2, FIRST_BACKOFF_SECONDS),
            LONGEST_BACKOFF_SECONDS,
        )


class Supervisor:
    """Starts the children, starts dead ones again, stops them all within a time."""

    def __init__(self, children: list[Child], stop_seconds: float) -> None:
        """Nothing is started before `run`."""
        self._children = children
        self._stop_seconds = stop_seconds
        self._stop_signals = 0
        self._wakeup = os.pipe()

    def run(self) -> None:
        """Return when told to stop by a signal and all children are gone."""
        for fd in self._wakeup:
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOPPING:
            signal.signal(number, self._told_to_stop)
        # What is loaded stays: no child's collector looks at it (60 ms), nor copies
        # its pages by that.
        gc.collect()
        gc.freeze()
        while not self._stop_signals:
            now = time.monotonic()
            for child in self._children:
                if child.pid is None and child.start_at <= now:
                    self._start(child)
            self._sleep(self._until_next_start())
            self._reap()
        self._stop()

    def _told_to_stop(self, *_: object) -> None:
        self._stop_signals += 1

    def _until_next_start(self) -> float:
        waiting = [c.start_at for c in self._children if c.pid is None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else 3600.0

    def _sleep(self, seconds: float) -> None:
        """Wait for a signal, at most so long."""
        if select.select([self._wakeup[0]], [], [], seconds)[0]:
            os.read(self._wakeup[0], 4096)

    def _start(self, child: Child) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be(child, parent)
        child.pid = pid
        child.started_at = time.monotonic()
        log.info("started child=%s pid=%d", child.name, pid)

    def _be(self, child: Child, parent: int) -> None:
        """Run as the child; never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for fd in self._wakeup:
                os.close(fd)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # Ctrl-C reaches the whole group; the parent says when to end.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            _end_with(parent)
            child.run()
            code = 0
        except Exception:
            log.exception("child failed child=%s", child.name)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        """Note every child that has ended."""
        for child in self._children:
            if child.pid is None:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                level = logging.INFO if self._stop_signals else logging.ERROR
                log.log(level, "ended child=%s pid=%d code=%d", child.name, pid, code)
                child.note_end(time.monotonic())

    def _stop(self) -> None:
        """End all children; a second signal, or the time, ends them hard."""
        log.info("stopping")
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + self._stop_seconds
        self._reap()
        while any(child.pid for child in self._children):
            left = deadline - time.monotonic()
            if left <= 0 or self._stop_signals > 1:
                self._tell(signal.SIGKILL)
            self._sleep(max(0.05, left))
            self._reap()
        log.info("stopped")

    def _tell(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.pid is not None:
                os.kill(child.pid, number)


def _end_with(parent: int) -> None:
    """Have the kernel end this process when its parent is killed, where it can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it went before the kernel was asked
        os._exit(1)
