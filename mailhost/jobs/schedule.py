"""Plan a job, or call it off; part of the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from mailhost.jobs.models import Job
from mailhost.jobs.registry import KINDS


def later(
    name: str,
    argument: Mapping[str, Any] | None = None,
    *,
    due: datetime | None = None,
    key: str = "",
) -> None:
    """Have a job run at `due` (now), or move the one of this key to then."""
    if name not in KINDS:
        raise KeyError(name)
    Job.objects.update_or_create(
        name=name,
        key=key,
        defaults={
            "argument": dict(argument or {}),
            "due": due or timezone.now(),
            "owner": None,
            "lease_until": None,
            "attempts": 0,
            "error": "",
        },
    )


def cancel(name: str, key: str) -> bool:
    """Call off what has not begun; tell whether there was something."""
    waiting = Job.objects.filter(name=name, key=key, owner=None, due__isnull=False)
    return bool(waiting.delete()[0])


def move(name: str, key: str, due: datetime) -> None:
    """Have what waits run at another time."""
    Job.objects.filter(name=name, key=key, owner=None).update(due=due)


def is_planned(name: str, key: str) -> bool:
    """Tell whether there is something to run, now or later."""
    return Job.objects.filter(name=name, key=key, due__isnull=False).exists()


def is_running(name: str, key: str) -> bool:
    """Tell whether some host is at it."""
    now = timezone.now()
    return Job.objects.filter(name=name, key=key, lease_until__gt=now).exists()


def plan_standing() -> None:
    """Make the rows of jobs that run again and again, or once for all."""
    standing = {name: k for name, k in KINDS.items() if k.every or k.once is not None}
    known = set(Job.objects.filter(name__in=standing).values_list("name", "key"))
    now = timezone.now()
    Job.objects.bulk_create(
        [
            Job(name=name, key=kind.once or "", due=now)
            for name, kind in standing.items()
            if (name, kind.once or "") not in known
        ],
        ignore_conflicts=True,
    )
