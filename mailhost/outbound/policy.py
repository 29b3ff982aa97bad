"""When to try again, and when to give up. RFC 5321 §4.5.4.1.."""

from collections.abc import Sequence
from datetime import datetime, timedelta


def next_attempt(
    attempts: int, now: datetime, expires_at: datetime, schedule: Sequence[int]
) -> datetime | None:
    """Return when to try again after `attempts` failures; None: give up.

    The last wait of the schedule (seconds) repeats. The last attempt is made just
    before the message expires.
    """
    if now >= expires_at or not schedule:
        return None
    wait = schedule[min(max(attempts, 1), len(schedule)) - 1]
    return min(now + timedelta(seconds=wait), expires_at)


def is_late(created_at: datetime, now: datetime, patience_seconds: int) -> bool:
    """Tell whether a message has waited so long that its sender should know."""
    if not patience_seconds:
        return False
    return now - created_at >= timedelta(seconds=patience_seconds)
