"""Use cases across layers, for commands, jobs and the admin: removal."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from mailhost.store import removal


def remove_deleted(now: datetime | None = None) -> int:
    """Remove accounts whose grace time is over, with their users; return how many.

    Their octets go by the collecting job, as everything that nobody holds.
    """
    horizon = (now or timezone.now()) - timedelta(
        days=settings.MAILHOST_DELETE_GRACE_DAYS
    )
    count = 0
    for account in Account.objects.filter(deleted_at__lt=horizon, active=False):
        removal.empty(account.pk)
        # The user takes the account along, and what else is theirs.
        (account.owner or account).delete()
        count += 1
    return count
