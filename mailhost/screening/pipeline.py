"""Run the checks on a message, each by itself, within the message's time."""

import asyncio
import logging
import time
from collections.abc import Sequence

from django.conf import settings

from mailhost.dnsauth.authentication import Authentication, Handover, authenticate
from mailhost.dnsauth.resolver import resolver
from mailhost.screening.checks import Check, active
from mailhost.screening.signals import screened
from mailhost.screening.values import (
    Finding,
    Incoming,
    Verdict,
    decide,
    is_duty,
)

log = logging.getLogger(__name__)

# Of the time: for DNS on the origin, for the origin as a whole; the rest is for checks.
DNS_SHARE, ORIGIN_SHARE = 0.4, 0.8


async def screen(
    octets: bytes, handover: Handover, recipients: Sequence[str]
) -> Verdict:
    """Return what becomes of a message; never raises but for cancellation.

    `octets` are as they arrived, without any field of ours.
    """
    seconds = settings.MAILHOST_CHECK_SECONDS
    ends = time.monotonic() + seconds
    queries, host = settings.MAILHOST_DNS_QUERIES, settings.MAILHOST_HOSTNAME
    purse = resolver().purse(seconds * DNS_SHARE)
    try:
        async with asyncio.timeout(seconds * ORIGIN_SHARE):
            origin = await authenticate(octets, handover, host, purse, queries)
    except Exception:
        log.exception("the origin of a message from %s is unknown", handover.peer)
        origin = Authentication(handover)
    incoming = Incoming(
        octets,
        handover.peer,
        handover.helo,
        handover.mail_from,
        tuple(recipients),
        host,
        origin,
        resolver().purse(seconds)(queries),
    )
    verdict = decide(
        await _findings(incoming, ends - time.monotonic()),
        origin,
        settings.MAILHOST_JUNK_SCORE,
        settings.MAILHOST_REJECT_SCORE,
        lenient=bool(recipients) and all(map(is_duty, recipients)),
    )
    _tell(incoming, verdict)
    return verdict


async def _findings(incoming: Incoming, seconds: float) -> list[Finding]:
    checks = [check for check in active() if check.is_on()]
    found = await asyncio.gather(*(_run(check, incoming, seconds) for check in checks))
    return [finding for finding in found if finding is not None]


async def _run(check: Check, incoming: Incoming, seconds: float) -> Finding | None:
    try:
        async with asyncio.timeout(seconds):
            return await check.look(incoming)
    except Exception as error:  # noqa: BLE001 - a check never costs a message
        reason = str(error) or type(error).__name__
        log.warning("check %s was skipped: %s", check.name, reason)
        return None


def _tell(incoming: Incoming, verdict: Verdict) -> None:
    log.info(
        "screened from=%r peer=%s score=%.1f action=%s",
        *(incoming.mail_from, incoming.peer, verdict.score, verdict.action.value),
    )
    for receiver, error in screened.send_robust(
        sender=None, incoming=incoming, verdict=verdict
    ):
        if isinstance(error, Exception):
            log.error("a receiver of screened failed: %r", receiver, exc_info=error)
