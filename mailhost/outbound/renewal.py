"""MTA-STS policies of domains that mail goes to are fetched before they expire.

One that is fetched only when mail is sent has expired by then, and who can keep us from
fetching it at that moment has stripped it. RFC 8461 §3.3, §10.2 (text not read).
"""

import asyncio
import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from mailhost.outbound import sts
from mailhost.outbound.models import QueueRecipient, StsPolicy
from mailhost.store.gate import gate

log = logging.getLogger(__name__)

FRESH = timedelta(days=1)  # a policy that was fetched within is not asked for
NEAR = timedelta(hours=12)  # unless it expires within
AT_ONCE = 500  # domains looked for in the queue
SECONDS = 600.0  # of one run; what is left is for the next


def renew() -> None:
    """Do as `run`; the job of a thread."""
    asyncio.run(run())


async def run() -> None:
    """Fetch what is due, one after the other: nobody waits for it."""
    if not settings.MAILHOST_MTA_STS:
        return
    try:
        async with asyncio.timeout(SECONDS):
            for domain in await gate.read(due):
                log.info("MTA-STS policy of %s: %s", domain, await sts.renew(domain))
    except TimeoutError:
        log.info("the rest of the MTA-STS policies is for the next run")


def due() -> list[str]:
    """Return the domains whose policies are to be renewed, those that end first.

    Those that mail went to lately, as far as the queue remembers: seven days. Others
    may expire.
    """
    now = timezone.now()
    old = Q(fetched_at__lt=now - FRESH) | Q(expires_at__lt=now + NEAR)
    rows = StsPolicy.objects.filter(old, expires_at__gt=now).exclude(policy_id="")
    names = list(rows.order_by("expires_at").values_list("domain", flat=True))
    used: set[str] = set()
    for start in range(0, len(names), AT_ONCE):
        some = QueueRecipient.objects.filter(domain__in=names[start : start + AT_ONCE])
        used |= set(some.values_list("domain", flat=True).distinct())
    return [name for name in names if name in used]
