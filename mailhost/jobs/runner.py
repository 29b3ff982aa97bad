"""Runs what is due, one job at a time in each thread, until it is told to stop."""

import logging
import threading
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from mailhost.jobs.models import Job
from mailhost.jobs.registry import KINDS, LEASE, Failed, Kind
from mailhost.jobs.schedule import plan_standing

log = logging.getLogger(__name__)

THREADS = 2  # a long job leaves one for the short ones
LOOK_SECONDS = 1.0
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)


def run(stop: threading.Event) -> None:
    """Work in several threads until `stop`."""
    threads = [
        threading.Thread(target=_work, args=(stop,), name=f"mailhost-job-{n}")
        for n in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _work(stop: threading.Event) -> None:
    planned = False
    wait = 0.0
    while not stop.wait(wait):
        wait = LOOK_SECONDS
        try:
            if not planned:
                plan_standing()
                planned = True
            while not stop.is_set() and run_next():
                pass
        except Exception:
            log.exception("the job runner goes on")
            connection.close()
    connection.close()


def run_due() -> int:
    """Run what is due now; return how many jobs that were."""
    count = 0
    while run_next():
        count += 1
    return count


def run_next() -> bool:
    """Run one job that is due; tell whether there was one."""
    owner = uuid.uuid4()
    job = _claim(owner)
    if job is None:
        return False
    _run(job)
    return True


def run_one(name: str, key: str) -> Exception | None:
    """Run one job now, whatever it is due; return what it failed with.

    Raises Busy if some host is at it, or there is none such. Who asks waits for it, so
    that it may run beside others that run alone.
    """
    now = timezone.now()
    rows = Job.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now))
    owner = uuid.uuid4()
    mine = {"owner": owner, "lease_until": now + KINDS[name].lease}
    if not rows.filter(name=name, key=key).update(**mine):
        raise Busy(f"{name} {key}")
    return _run(Job.objects.get(name=name, key=key, owner=owner))


class Busy(Exception):
    """Somebody else runs this job just now."""


def _run(job: Job) -> Exception | None:
    """Run what was claimed; return what it failed with."""
    try:
        returned = import_string(KINDS[job.name].function)(**job.argument)
    except Exception as error:
        if isinstance(error, Failed):
            log.warning("job %s failed: %s", job, error)
        else:
            log.exception("job %s failed", job)
        if not connection.in_atomic_block:
            connection.close()  # it may be what failed
        _failed(job, error)
        return error
    _done(job, returned)
    return None


def _free(now: datetime) -> QuerySet[Job]:
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rows = Job.objects.filter(free, due__lte=now, name__in=KINDS)
    return rows.exclude(name__in=_taken(now))


def _taken(now: datetime) -> QuerySet[Job, str]:
    """Return the names of which one row runs, and no other may beside it."""
    alone = [name for name, kind in KINDS.items() if kind.alone]
    rows = Job.objects.filter(name__in=alone, lease_until__gt=now)
    return rows.values_list("name", flat=True)


def _claim(owner: uuid.UUID) -> Job | None:
    """Take the job that is due longest; of two runners that see it one gets it."""
    now = timezone.now()
    for job in _free(now).order_by("due")[:THREADS]:
        lease = KINDS[job.name].lease if job.name in KINDS else LEASE
        mine = {"owner": owner, "lease_until": now + lease}
        if _free(now).filter(pk=job.pk).update(**mine):
            job.owner = owner
            return job
    return None


def _held(job: Job) -> QuerySet[Job]:
    """Return the row, unless somebody planned it anew while it ran."""
    return Job.objects.filter(pk=job.pk, owner=job.owner)


def _done(job: Job, returned: Any) -> None:
    kind: Kind = KINDS[job.name]
    if kind.every is None and kind.once is None:
        _held(job).delete()
        return
    now = timezone.now()
    _held(job).update(
        owner=None,
        lease_until=None,
        attempts=0,
        error="",
        ran_at=now,
        due=now + kind.every if kind.every is not None else None,
        argument=returned if isinstance(returned, dict) else F("argument"),
    )


def _failed(job: Job, error: Exception) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(job.attempts, 16), LONGEST_PAUSE)
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, Failed):
        pause, text = error.pause, str(error)
    now = timezone.now()
    _held(job).update(
        owner=None,
        lease_until=None,
        attempts=F("attempts") + 1,
        error=text[:2000],
        ran_at=now,
        due=now + pause,
    )
