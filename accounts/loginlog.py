"""Each user's log of logins: gathered by the process, written a moment later, pruned.

Alike logins of one day are one row with a count. A program that logs in every minute
is written every few minutes.
"""

import threading
import time
from datetime import timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.afterwards import later
from accounts.models import LoginRecord
from accounts.names import storable

Result = LoginRecord.Result
WRITE_AGAIN_SECONDS = 300.0  # what is alike and went well
MOST_GATHERED = 20_000
KEPT = timedelta(days=90)
KNOWN_FOR = timedelta(days=30)  # how long an address counts as the user's own
MOST_KEPT = 200  # rows of one user and result

UPSERT = """
    INSERT INTO accounts_loginrecord
        (user_id, protocol, address, client, result, reason, day, times, last_at)
    SELECT id, %s, %s, %s, %s, %s, %s, %s, %s FROM accounts_user WHERE id = %s
    ON CONFLICT (user_id, day, protocol, address, client, result, reason)
    DO UPDATE SET times = accounts_loginrecord.times + excluded.times,
        last_at = excluded.last_at
"""


class Alike(NamedTuple):
    """What makes two logins one row."""

    user_id: int
    protocol: str
    address: str
    client: str
    result: str
    reason: str


_guard = threading.Lock()
_gathered: dict[Alike, int] = {}
_written: dict[Alike, float] = {}


def note(login: Alike) -> None:
    """Count a login; returns at once."""
    now = time.monotonic()
    with _guard:
        if len(_gathered) < MOST_GATHERED or login in _gathered:
            _gathered[login] = _gathered.get(login, 0) + 1
        if login.result == Result.IN and _written.get(login, 0.0) > now:
            return
        if len(_written) >= MOST_GATHERED:
            _written.clear()
        _written[login] = now + WRITE_AGAIN_SECONDS
    later("login log", write)


def write() -> None:
    """Write what was gathered, in one statement; not of users who are gone."""
    with _guard:
        gathered = dict(_gathered)
        _gathered.clear()
    now = timezone.now()
    adapt = connection.ops.adapt_datetimefield_value
    rows = [
        (
            alike.protocol, alike.address, alike.client, alike.result, alike.reason,
            connection.ops.adapt_datefield_value(now.date()), times, adapt(now),
            alike.user_id,
        )
        for alike, times in gathered.items()
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(UPSERT, rows)


def clear() -> None:
    """Forget what is not written."""
    with _guard:
        _gathered.clear()
        _written.clear()


def recent(user_id: int, most: int = 100) -> QuerySet[LoginRecord]:
    """Return a user's log, newest first: for their own page and for the admin."""
    return LoginRecord.objects.filter(user_id=user_id).order_by("-last_at")[:most]


def is_known(user_id: int, address: str) -> bool:
    """Tell whether this user came in from this address lately."""
    since = timezone.now() - KNOWN_FOR
    return LoginRecord.objects.filter(
        user_id=user_id, result=Result.IN, address=address, last_at__gte=since
    ).exists()


def prune() -> None:
    """Forget what is old, and what is too much of one user's."""
    LoginRecord.objects.filter(last_at__lt=timezone.now() - KEPT).delete()
    for user_id, result in _too_many():
        rows = LoginRecord.objects.filter(user_id=user_id, result=result)
        kept = rows.order_by("-last_at", "-pk").values("pk")[:MOST_KEPT]
        rows.exclude(pk__in=[row["pk"] for row in kept]).delete()


def _too_many() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id, result FROM accounts_loginrecord"
            " GROUP BY user_id, result HAVING COUNT(*) > %s",
            [MOST_KEPT],
        )
        return list(cursor.fetchall())


def clean(client: str) -> str:
    """Return what a program calls itself, as it is kept."""
    kept = "".join(c for c in storable(client) if c.isprintable())
    return kept[:100]
