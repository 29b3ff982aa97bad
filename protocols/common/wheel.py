"""One timer wheel per process: thousands of timeouts cost one callback a second.

A timer stands in the bucket of the second in which it may be due. `touch()` only moves
its deadline: the bucket is looked at when its second comes, and a timer that is not due
then moves on to a later one. An idle connection thus costs no task and no heap entry.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Timer:
    """A timeout that can be put off and called off."""

    __slots__ = ("_callback", "_wheel", "deadline", "seconds")

    def __init__(
        self, wheel: "TimerWheel", callback: Callable[[], None], seconds: float
    ) -> None:
        self._wheel = wheel
        self._callback: Callable[[], None] | None = callback
        self.seconds = seconds
        self.deadline = wheel.now() + seconds

    @property
    def touched(self) -> float:
        """When it began, or was put off last."""
        return self.deadline - self.seconds

    def touch(self) -> None:
        """Start over."""
        self.deadline = self._wheel.now() + self.seconds

    def reset(self, seconds: float) -> None:
        """Start over with another time; a shorter one is kept too."""
        self.seconds = seconds
        self.touch()
        self._wheel.put(self)

    def cancel(self) -> None:
        """Never call back."""
        self._callback = None

    def due(self, now: float) -> bool:
        """Tell whether its time has come; call back if so, once."""
        if self._callback is not None and self.deadline <= now:
            callback, self._callback = self._callback, None
            callback()
        return self._callback is None


class TimerWheel:
    """Buckets of timers by the second; `tick` looks at those that have come."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._buckets: dict[int, set[Timer]] = {}
        self._next = math.floor(now())
        self._handle: asyncio.TimerHandle | None = None

    def timer(self, callback: Callable[[], None], seconds: float) -> Timer:
        """Make a timer that runs from now on."""
        timer = Timer(self, callback, seconds)
        self.put(timer)
        return timer

    def put(self, timer: Timer) -> None:
        """Stand a timer in the bucket of its deadline."""
        second = max(math.ceil(timer.deadline), self._next)
        self._buckets.setdefault(second, set()).add(timer)

    def tick(self) -> None:
        """Call back what is due; put off what was touched meanwhile."""
        now = self.now()
        while self._next <= now:
            bucket = self._buckets.pop(self._next, ())
            self._next += 1
            for timer in bucket:
                self._look_at(timer, now)

    def _look_at(self, timer: Timer, now: float) -> None:
        try:
            if not timer.due(now):
                self.put(timer)
        except Exception:
            log.exception("a timer's callback failed")

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tick on the loop once a second, until `stop`."""
        self.tick()
        self._handle = loop.call_later(1.0, self.start, loop)

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
