"""Trash and Junk: emptied at once, or of what has lain there for some days.

What counts is when a message was filed there. A folder's own row goes before the
setting for all. Everything goes by an expunge, in batches, so open sessions hear of it
and it can be brought back during the grace time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from mailhost.mail.models import Folder, Retention, Role
from mailhost.store import change, sql
from mailhost.store.gate import gate

AT_ONCE = 2_000  # messages of one transaction
LONGEST = 3_650  # days
ROLES = (Role.TRASH.value, Role.JUNK.value)

OLD = """
    SELECT uid FROM mail_message WHERE folder_id = %s AND saved_at < %s
    ORDER BY uid LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is emptied, with the folders below it."""

    account_id: int
    folder_id: int
    name: str
    days: int


def default_of(role: str) -> int:
    """Return the days of the setting; 0: for ever."""
    days: int = {
        Role.TRASH.value: settings.MAILHOST_TRASH_DAYS,
        Role.JUNK.value: settings.MAILHOST_JUNK_DAYS,
    }.get(role, 0)
    return days


def days_of(account_id: int) -> dict[str, int]:
    """Return {role: days until a message is removed}; 0: never."""
    found = {role: default_of(role) for role in ROLES}
    rows = Retention.objects.filter(account_id=account_id)
    return found | dict(rows.values_list("role", "days"))


def keep_for(account_id: int, role: str, days: int) -> None:
    """Set the days of an account's folder; 0: for ever."""
    if role in ROLES:
        Retention.objects.update_or_create(
            account_id=account_id,
            role=role,
            defaults={"days": max(0, min(days, LONGEST))},
        )


def sweep(now: datetime | None = None) -> int:
    """Remove what has lain long enough; return how many messages. Idempotent."""
    now = now or timezone.now()
    gone = 0
    for place in _places():
        before = now - timedelta(days=place.days)
        for folder_id in (place.folder_id, *_below(place)):
            gone += empty(place.account_id, folder_id, before)
    return gone


def _places() -> Sequence[Place]:
    """Return the folders that have an end."""
    chosen = {
        (account, role): days
        for account, role, days in Retention.objects.values_list(
            "account_id", "role", "days"
        )
    }
    defaults = [role for role in ROLES if default_of(role)]
    wanted = Q(role__in=defaults) | Q(
        role__in=ROLES, account_id__in={account for account, _ in chosen}
    )
    rows = Folder.objects.filter(wanted).values_list("account_id", "pk", "name", "role")
    places = [
        Place(account, pk, name, chosen.get((account, role), default_of(role)))
        for account, pk, name, role in rows
    ]
    return [place for place in places if place.days]


def _below(place: Place) -> list[int]:
    rows = Folder.objects.filter(
        account_id=place.account_id, name__startswith=f"{place.name}/"
    )
    # SQLite compares LIKE without case: settle it here.
    prefix = f"{place.name}/"
    return [
        pk for pk, name in rows.values_list("pk", "name") if name.startswith(prefix)
    ]


def empty(account_id: int, folder_id: int, before: datetime | None = None) -> int:
    """Remove what was filed before a time, or everything; return how many."""
    before = before or timezone.now() + timedelta(days=1)
    values = [folder_id, *sql.adapted([before]), AT_ONCE]
    gone = 0
    while uids := [uid for (uid,) in sql.rows(OLD, values)]:
        removed = gate.write_sync(
            [account_id],
            lambda uids=uids: change.expunge(  # type: ignore[misc] # the loop's own
                account_id, folder_id, uids, force=True
            ),
        )
        gone += len(removed.uids)
        if not removed.uids:
            break  # another host does the same
    return gone
