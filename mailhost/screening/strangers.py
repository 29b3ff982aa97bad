"""How much one address or network brings, counted by each process for an hour.

Who names many recipients that do not exist guesses: answers come later and later, and
over the limit not at all. Counts are bounded in number; the oldest go first.
"""

import threading
import time

from django.conf import settings

from accounts.throttle import network_of as household_of
from mailhost.screening.networks import network_of

WINDOW_SECONDS = 3600.0
MOST_KEYS = 100_000
FREE_GUESSES = 3  # unknown recipients that are answered at once
Key = tuple[str, str]


class Strangers:
    """Counts that start over when their hour ends."""

    def __init__(self) -> None:
        """Count from nothing."""
        self._lock = threading.Lock()
        self._counts: dict[Key, tuple[int, float]] = {}

    def note(self, kind: str, who: str) -> int:
        """Count one more; return how many there were in this hour."""
        now = time.monotonic()
        with self._lock:
            count, until = self._counts.pop((kind, who), (0, 0.0))
            if until <= now:
                count, until = 0, now + WINDOW_SECONDS
            if len(self._counts) >= MOST_KEYS:
                del self._counts[next(iter(self._counts))]
            self._counts[kind, who] = (count + 1, until)
        return count + 1

    def count(self, kind: str, who: str) -> int:
        """Return how many there were in this hour."""
        count, until = self._counts.get((kind, who), (0, 0.0))
        return count if until > time.monotonic() else 0

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()


strangers = Strangers()


def may_send(peer: str) -> bool:
    """Count a message that is offered; tell whether it is within the limits."""
    within = True
    for kind, who, most in (
        ("messages", _one(peer), settings.MAILHOST_MAX_MESSAGES_PER_ADDRESS),
        ("network", network_of(peer), settings.MAILHOST_MAX_MESSAGES_PER_NETWORK),
    ):
        if most:
            within = strangers.note(kind, who) <= most and within
    return within


def guessed(peer: str) -> float | None:
    """Count a recipient that does not exist.

    Returns the seconds to wait before saying so; None: enough of it.
    """
    count = strangers.note("guesses", _one(peer))
    most = settings.MAILHOST_MAX_UNKNOWN_RECIPIENTS
    if most and count >= most:
        return None
    delay = 2.0 ** min(count - FREE_GUESSES - 1, 10) if count > FREE_GUESSES else 0.0
    return min(delay, float(settings.MAILHOST_TARPIT_SECONDS))


def has_guessed_enough(peer: str) -> bool:
    """Tell whether an address is over its limit for this hour."""
    most = settings.MAILHOST_MAX_UNKNOWN_RECIPIENTS
    return bool(most) and strangers.count("guesses", _one(peer)) >= most


def _one(peer: str) -> str:
    """Return what counts as one address: of IPv6 a /64."""
    return household_of(peer) or peer
