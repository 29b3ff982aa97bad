"""How much one address or network brings in an hour, counted by all processes together.

Each counts for itself, and when it has counted an eighth of what is allowed it adds
that to a row of all, a moment later, and learns what the others have: no connection
costs a write, and each process lets in at most an eighth too much.

Who names many recipients that do not exist guesses: answers come later and later, and
over the limit not at all. Counts are bounded in number; the oldest go first.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.afterwards import later
from accounts.throttle import network_of as household_of
from mailhost.screening.models import StrangerCount
from mailhost.screening.networks import network_of

WINDOW_SECONDS = 3600.0
MOST_KEYS = 100_000
PARTS = 8  # of a limit; one of them is counted before the others hear of it
FREE_GUESSES = 3  # unknown recipients that are answered at once
Key = tuple[str, str]


@dataclass(slots=True)
class _Count:
    total: int  # as far as this process knows
    until: float  # of time.monotonic()
    own: int = 0  # of it, what the others do not know yet


class Strangers:
    """Counts that start over when their hour ends."""

    def __init__(self) -> None:
        """Count from nothing."""
        self._lock = threading.Lock()
        self._counts: dict[Key, _Count] = {}
        self._to_tell: set[Key] = set()

    def note(self, kind: str, who: str, most: int = 0) -> int:
        """Count one more; return how many there were in this hour.

        `most` is the limit, of which the others hear in parts; 0: they need not.
        """
        key, now = (kind, who), time.monotonic()
        with self._lock:
            count = self._counts.pop(key, None)
            if count is None or count.until <= now:
                count = _Count(0, now + WINDOW_SECONDS)
            if len(self._counts) >= MOST_KEYS:
                del self._counts[next(iter(self._counts))]
            self._counts[key] = count
            count.total += 1
            count.own += 1
            is_much = bool(most) and count.own >= max(1, most // PARTS)
            if is_much:
                self._to_tell.add(key)
        if is_much:
            later(f"strangers {id(self)}", self.share)
        return count.total

    def count(self, kind: str, who: str) -> int:
        """Return how many there were in this hour."""
        count = self._counts.get((kind, who))
        return count.total if count and count.until > time.monotonic() else 0

    def share(self) -> None:
        """Tell the others what was counted here, and learn what they have."""
        added: dict[Key, int] = {}
        with self._lock:
            for key in self._to_tell & self._counts.keys():
                added[key] = self._counts[key].own
                self._counts[key].own = 0
            self._to_tell.clear()
        found = _together(added)
        now = time.monotonic()
        with self._lock:
            for key, (total, seconds) in found.items():
                if count := self._counts.get(key):
                    count.total, count.until = total + count.own, now + seconds

    def clear(self) -> None:
        """Forget everything that is counted here."""
        with self._lock:
            self._counts.clear()
            self._to_tell.clear()


def _together(added: Mapping[Key, int]) -> dict[Key, tuple[int, float]]:
    """Add to the rows of all; return what is there, and how long it counts."""
    now, found = timezone.now(), {}
    for key in sorted(added):
        with transaction.atomic():
            name = " ".join(key)[:80]
            rows = StrangerCount.objects.filter(pk=name, until__gt=now)
            if not rows.update(count=F("count") + added[key]):
                until = now + timedelta(seconds=WINDOW_SECONDS)
                StrangerCount.objects.update_or_create(
                    pk=name, defaults={"count": added[key], "until": until}
                )
            row = StrangerCount.objects.get(pk=name)
        found[key] = (row.count, (row.until - now).total_seconds())
    return found


def prune() -> None:
    """Forget whose hour has ended; a job."""
    StrangerCount.objects.filter(until__lt=timezone.now()).delete()


strangers = Strangers()


def may_send(peer: str) -> bool:
    """Count a message that is offered; tell whether it is within the limits."""
    within = True
    for kind, who, most in (
        ("messages", _one(peer), settings.MAILHOST_MAX_MESSAGES_PER_ADDRESS),
        ("network", network_of(peer), settings.MAILHOST_MAX_MESSAGES_PER_NETWORK),
    ):
        if most:
            within = strangers.note(kind, who, most) <= most and within
    return within


def guessed(peer: str) -> float | None:
    """Count a recipient that does not exist.

    Returns the seconds to wait before saying so; None: enough of it.
    """
    most = settings.MAILHOST_MAX_UNKNOWN_RECIPIENTS
    count = strangers.note("guesses", _one(peer), most)
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
