"""Which names are to have a certificate: what settings say, and policies need."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Domain
from mailhost.certificates.models import IssuedCertificate
from mailhost.certificates.places import is_name
from mailhost.jobs import schedule

JOB = "certificate"
TOUCH = timedelta(hours=1)
STILL_WANTED = timedelta(days=2)  # a host may be off for a while


def names() -> list[str]:
    """Return the names this host wants; none where ACME is not set up."""
    if not settings.MAILHOST_ACME_DIRECTORY:
        return []
    found = [] if settings.MAILHOST_CERTIFICATE else [settings.MAILHOST_HOSTNAME]
    found += settings.MAILHOST_ACME_NAMES
    labels = [*settings.MAILHOST_ACME_LABELS]
    if settings.MAILHOST_MTA_STS_POLICY != "off":
        labels.append("mta-sts")
    if labels:
        domains = Domain.objects.filter(active=True).order_by("name")
        for domain in domains.values_list("name", flat=True):
            found += [f"{label}.{domain}" for label in labels]
    return list(dict.fromkeys(name for name in found if is_name(name)))


def note() -> None:
    """Make the rows of what is wanted and new, and say that the others still are."""
    now, wanted = timezone.now(), names()
    rows = {row.name: row for row in IssuedCertificate.objects.defer("chain", "secret")}
    for name in wanted:
        if name not in rows:
            begin(name)
    known = [rows[name] for name in wanted if name in rows]
    late = [row.name for row in known if now - row.wanted_at > TOUCH]
    if late:
        IssuedCertificate.objects.filter(name__in=late).update(wanted_at=now)
    for row in known:
        moved = row.directory not in {"", settings.MAILHOST_ACME_DIRECTORY}
        if moved and row.renew_at is not None and row.renew_at > now:
            ask_now(row.name)


def begin(name: str) -> None:
    """Make the row of a name, and plan its job; of several hosts one does."""
    with transaction.atomic():
        _, made = IssuedCertificate.objects.get_or_create(name=name)
        if made:
            schedule.later(JOB, {"name": name}, key=name)


def is_wanted(row: IssuedCertificate) -> bool:
    """Tell whether some host wanted it lately."""
    return timezone.now() - row.wanted_at < STILL_WANTED


def ask_now(name: str, *, new_key: bool = False) -> bool:
    """Have a certificate issued anew soon; False: somebody is at it just now."""
    with transaction.atomic():
        if schedule.is_running(JOB, name):
            return False
        IssuedCertificate.objects.filter(name=name).update(
            renew_at=timezone.now(), failures=0
        )
        schedule.later(JOB, {"name": name, "new_key": new_key}, key=name)
    return True
