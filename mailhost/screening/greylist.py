"""Greylisting: who is not known is told to come again. Off unless a setting is on.

What came again makes its network known; so does nothing else. Rows are written only
for who is not known, and once a day for who is.
"""

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from mailhost.screening.models import GreylistTry, KnownNetwork
from mailhost.screening.networks import network_of
from mailhost.screening.strangers import strangers
from mailhost.store.gate import gate

WINDOW = timedelta(days=2)  # in which one may come again
REFRESH = timedelta(days=1)
AT_ONCE = 500  # rows removed in one transaction
MOST_TRIES = 1000  # rows that a network may make in an hour


async def must_wait(peer: str, mail_from: str, recipient: str) -> bool:
    """Tell whether this sender is to come again later."""
    network = network_of(peer)
    if await gate.read(is_known, network):
        return False
    if strangers.note("greylist", network, MOST_TRIES) > MOST_TRIES:
        return True  # without a row: whoever invents senders fills no table
    return await gate.write((), meet, network, _key(network, mail_from, recipient))


def is_known(network: str) -> bool:
    """Tell whether a network is known, and was noted to be lately."""
    last = KnownNetwork.objects.filter(pk=network).values_list("last_at", flat=True)
    found = last.first()
    return found is not None and found > timezone.now() - REFRESH


def meet(network: str, key: str) -> bool:
    """Note somebody who comes; return whether to come again. In a transaction."""
    now = timezone.now()
    known = KnownNetwork.objects.filter(pk=network, last_at__gt=now - _kept_for())
    if known.update(last_at=now):
        return False
    row, is_new = GreylistTry.objects.get_or_create(key=key, defaults={"first_at": now})
    waited = now - row.first_at
    if is_new or waited < timedelta(seconds=settings.MAILHOST_GREYLIST_SECONDS):
        # With no wait set, coming twice is enough.
        return True
    if waited > WINDOW:
        GreylistTry.objects.filter(pk=key).update(first_at=now)
        return True
    KnownNetwork.objects.update_or_create(pk=network, defaults={"last_at": now})
    GreylistTry.objects.filter(pk=key).delete()
    return False


def prune(now: datetime | None = None) -> int:
    """Forget who did not come again in time; a job. Return how many."""
    now = now or timezone.now()
    tries = GreylistTry.objects.filter(first_at__lt=now - WINDOW)
    networks = KnownNetwork.objects.filter(last_at__lt=now - _kept_for())
    gone = 0
    while some := list(tries.values_list("pk", flat=True)[:AT_ONCE]):
        gone += GreylistTry.objects.filter(pk__in=some).delete()[0]
    while some := list(networks.values_list("pk", flat=True)[:AT_ONCE]):
        gone += KnownNetwork.objects.filter(pk__in=some).delete()[0]
    return gone


def _kept_for() -> timedelta:
    return timedelta(days=settings.MAILHOST_GREYLIST_DAYS)


def _key(network: str, mail_from: str, recipient: str) -> str:
    named = f"{network}\x00{mail_from.lower()}\x00{recipient.lower()}"
    return hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()[:32]
