"""Addresses that refused for good: not tried again for a while.

The rule: MAILHOST_SUPPRESSION_REFUSALS final refusals that say that there is no such
mailbox, each within MAILHOST_SUPPRESSION_DAYS of the last; a delivery clears them. What
is not tried fails at once, with what the server said then.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from mailhost.outbound.models import Suppression
from mailhost.outbound.values import Result, Verdict

# No such mailbox, moved away, disabled. RFC 3463 §3.2, §3.3; a full one comes back.
HARD = {"5.1.1", "5.1.6", "5.1.10", "5.2.1"}


def learn(results: Iterable[tuple[str, Result]]) -> None:
    """Count refusals, and forget them where a message went through."""
    now = timezone.now()
    until = now + timedelta(days=settings.MAILHOST_SUPPRESSION_DAYS)
    good: list[str] = []
    for address, result in results:
        if result.verdict is Verdict.SENT:
            good.append(address.lower())
        elif result.verdict is Verdict.FAILED and result.status in HARD and result.host:
            _refused(address.lower(), result, until)
    cleared = Suppression.objects.filter(address__in=good)
    if good and cleared.exists():
        cleared.delete()


def _refused(address: str, result: Result, until: datetime) -> None:
    now = timezone.now()
    row, made = Suppression.objects.get_or_create(
        address=address,
        defaults={
            "status": result.status,
            "reply": result.reply[:2000],
            "expires_at": until,
        },
    )
    if made:
        return
    old = row.expires_at is not None and row.expires_at < now
    Suppression.objects.filter(pk=row.pk).update(
        count=1 if old else F("count") + 1,
        status=result.status,
        reply=result.reply[:2000],
        expires_at=until if row.expires_at is not None else None,
    )


def suppressed(addresses: Iterable[str]) -> dict[str, Result]:
    """Return the result of those that are not tried, by address."""
    least = settings.MAILHOST_SUPPRESSION_REFUSALS
    if not least:
        return {}
    names = {address.lower(): address for address in addresses}
    now = timezone.now()
    found = {}
    for row in Suppression.objects.filter(address__in=list(names)):
        lasting = row.expires_at is None or row.expires_at > now
        if lasting and (row.count >= least or row.expires_at is None):
            text = f"Not tried: the address refused mail before ({row.reply})"
            result = Result(Verdict.FAILED, row.status or "5.1.1", text)
            found[names[row.address]] = result
    return found
