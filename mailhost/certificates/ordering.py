"""The jobs: have a certificate issued, renew it in time, ask whether to be earlier."""

import asyncio
import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from mailhost.certificates import challenges, files, keys, wanted
from mailhost.certificates.models import IssuedCertificate
from mailhost.certificates.refusals import Refused, pause_after
from mailhost.dnsauth.resolver import NoAnswer, resolver
from mailhost.jobs import schedule
from mailhost.jobs.registry import Failed
from mailhost.sealing import Unreadable, sealed, unsealed

log = logging.getLogger(__name__)

NO_ADDRESS_PAUSE = timedelta(hours=1)
FORGET_AFTER = timedelta(days=30)  # from its end on, when nobody wants it
SMALL_CHANGE = timedelta(days=1)


def renew(name: str, *, new_key: bool = False) -> None:
    """Have a name's certificate issued if it is time, and plan the next; a job."""
    row = IssuedCertificate.objects.filter(name=name).first()
    if row is None or not settings.MAILHOST_ACME_DIRECTORY:
        return
    if not wanted.is_wanted(row):
        return
    if row.renew_at is None or row.renew_at <= timezone.now():
        issue(row, new_key=new_key)
    schedule.later(wanted.JOB, {"name": name}, key=name, due=row.renew_at)


def issue(row: IssuedCertificate, *, new_key: bool = False) -> None:
    """Ask for a certificate and put it in place; raises Failed, with when to try again.

    The key stays the same, so that TLSA records do. RFC 7671 §8.
    """
    secret = keys.new_key() if new_key else key_of(row)
    directory: str = settings.MAILHOST_ACME_DIRECTORY
    try:
        chain, found = ask(row.name, secret, directory)
    except Refused as error:
        raise _failed(row, error) from error
    now = timezone.now()
    row.chain, row.secret = chain, sealed(files.PURPOSE, secret)
    row.begins_at, row.ends_at, row.renew_at = (
        *(found.begins_at, found.ends_at),
        max(found.renew_at, now + timedelta(minutes=1)),
    )
    row.directory, row.error, row.failures = directory, "", 0
    row.fetched_at = row.tried_at = row.ask_at = now
    row.save(
        update_fields=[
            *("chain", "secret", "begins_at", "ends_at", "renew_at", "directory"),
            *("error", "failures", "fetched_at", "tried_at", "ask_at"),
        ]
    )
    log.info("certificate issued name=%s until=%s", row.name, found.ends_at.date())
    files.sync()


def ask(name: str, secret: str, directory: str) -> tuple[str, keys.Facts]:
    """Return a new certificate for a name and a key; raises Refused."""
    # Only here: it takes 0.2 s and 7 MB, and most processes never need it.
    from mailhost.certificates import authority

    look_up(name)
    chain = authority.obtain(name, secret, directory)
    try:
        return chain, keys.checked(name, chain, secret, timezone.now())
    except keys.Unusable as error:
        raise Refused(f"The certificate for {name} is not usable: {error}") from None


def key_of(row: IssuedCertificate) -> str:
    """Return the key the name has, or a new one."""
    try:
        return unsealed(files.PURPOSE, row.secret) if row.secret else keys.new_key()
    except Unreadable:
        return keys.new_key()


def look_up(name: str) -> None:
    """Raise Refused for a name without an address: asking would cost a failure."""
    try:
        known = asyncio.run(_has_address(name))
    except NoAnswer:
        return  # the authority may know more
    if not known:
        raise Refused(
            "The name has no address in DNS. Publish a CNAME record that leads to"
            f" {settings.MAILHOST_HOSTNAME}, or an A record",
            NO_ADDRESS_PAUSE,
        )


async def _has_address(name: str) -> bool:
    for kind in ("A", "AAAA"):
        if (await resolver().ask(name, kind)).records:
            return True
    return False


def _failed(row: IssuedCertificate, error: Refused) -> Failed:
    row.failures += 1
    row.error, row.tried_at = str(error), timezone.now()
    row.save(update_fields=["failures", "error", "tried_at"])
    return Failed(str(error), pause_after(row.failures, error.pause))


def look_after() -> None:
    """Ask what is due, plan what has no plan, forget what is over; a job."""
    challenges.prune()
    if not settings.MAILHOST_ACME_DIRECTORY:
        return
    now = timezone.now()
    over = IssuedCertificate.objects.filter(wanted_at__lt=now - FORGET_AFTER)
    over.exclude(ends_at__gt=now - FORGET_AFTER).delete()
    for row in IssuedCertificate.objects.exclude(fetched_at=None):
        if wanted.is_wanted(row) and row.ask_at is not None and row.ask_at <= now:
            _heed(row)
    for row in IssuedCertificate.objects.defer("chain", "secret"):
        if wanted.is_wanted(row) and not schedule.is_planned(wanted.JOB, row.name):
            schedule.later(
                wanted.JOB, {"name": row.name}, key=row.name, due=row.renew_at
            )


def _heed(row: IssuedCertificate) -> None:
    """Renew when the authority says so. RFC 9773 §4.2."""
    from mailhost.certificates import authority

    suggested, row.ask_at = authority.suggestion(row.chain, row.directory)
    assert row.renew_at is not None
    if suggested is not None and abs(suggested - row.renew_at) > SMALL_CHANGE:
        log.info("certificate=%s is to be renewed at %s", row.name, suggested)
        row.renew_at = suggested
        schedule.move(wanted.JOB, row.name, suggested)
    row.save(update_fields=["renew_at", "ask_at"])
