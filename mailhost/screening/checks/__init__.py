"""The checks: one file, one class, one row each. `skeleton` is there to copy.

A row's place is the order in which findings are shown; all run at the same time.
"""

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from mailhost.screening.checks.attachments import Attachments
from mailhost.screening.checks.base import Check
from mailhost.screening.checks.clamav import ClamAv
from mailhost.screening.checks.dkim import Dkim
from mailhost.screening.checks.dmarc import Dmarc
from mailhost.screening.checks.dnsbl import Dnsbl
from mailhost.screening.checks.headers import Headers
from mailhost.screening.checks.helo import Helo
from mailhost.screening.checks.iprev import Iprev
from mailhost.screening.checks.rspamd import Rspamd
from mailhost.screening.checks.spf import Spf

CHECKS: tuple[type[Check], ...] = (
    Dmarc,
    Spf,
    Dkim,
    Iprev,
    Helo,
    Dnsbl,
    Headers,
    Attachments,
    ClamAv,
    Rspamd,
)


def active() -> tuple[Check, ...]:
    """Return the checks as the settings say; raises ImportError for one of no sort."""
    return _made(
        tuple(settings.MAILHOST_EXTRA_CHECKS), tuple(settings.MAILHOST_SKIPPED_CHECKS)
    )


@lru_cache(1)
def _made(extra: tuple[str, ...], skipped: tuple[str, ...]) -> tuple[Check, ...]:
    kinds = (*CHECKS, *(import_string(path) for path in extra))
    return tuple(kind() for kind in kinds if kind.name not in skipped)


__all__ = ["CHECKS", "Check", "active"]
