"""How certificates stand, as values: for the command, the admin, checkdomain."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mailhost.certificates.keys import Unusable, tlsa
from mailhost.certificates.models import IssuedCertificate
from mailhost.certificates.wanted import JOB, is_wanted
from mailhost.jobs.models import Job

SOON = timedelta(days=14)  # a third of 90 days is long over


@dataclass(frozen=True, slots=True)
class Status:
    """How the certificate of one name stands."""

    name: str
    state: str  # good, missing, failing, ending, ended, unwanted
    days_left: int | None
    ends_at: datetime | None
    renew_at: datetime | None
    next_attempt: datetime | None
    failures: int
    error: str
    authority: str
    tlsa: str


def all_of_them(names: list[str] | None = None) -> list[Status]:
    """Return the certificates there are, or are to be, by name."""
    rows = IssuedCertificate.objects.order_by("name")
    if names is not None:
        rows = rows.filter(name__in=names)
    jobs = Job.objects.filter(name=JOB).values_list("key", "due")
    due = dict(jobs)
    return [of(row, due.get(row.name)) for row in rows]


def of(row: IssuedCertificate, due: datetime | None = None) -> Status:
    """Return how one stands."""
    return Status(
        row.name,
        state(row),
        days_left(row),
        row.ends_at,
        row.renew_at,
        due,
        row.failures,
        row.error,
        row.directory,
        _tlsa(row),
    )


def days_left(row: IssuedCertificate) -> int | None:
    """Return the whole days until it ends; None: there is none."""
    return None if row.ends_at is None else (row.ends_at - timezone.now()).days


def state(row: IssuedCertificate) -> str:
    """Return the one word that says how it stands."""
    now = timezone.now()
    if row.ends_at is None:
        return "missing"
    if row.ends_at <= now:
        return "ended"
    if not is_wanted(row):
        return "unwanted"
    if row.error:
        return "failing"
    # Of short ones, which are renewed within days, the last sixth counts.
    soon = SOON
    if row.begins_at is not None:
        soon = min(SOON, (row.ends_at - row.begins_at) / 6)
    return "ending" if row.ends_at - now < soon else "good"


def _tlsa(row: IssuedCertificate) -> str:
    try:
        return tlsa(row.chain) if row.chain else ""
    except (Unusable, ValueError):
        return ""
