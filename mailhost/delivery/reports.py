"""Reports on delivery reach the sender here or outside. RFC 3464."""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.utils import timezone

from mailhost.delivery.incoming import deliver
from mailhost.delivery.outcomes import Outcome
from mailhost.delivery.routes import look_up
from mailhost.outbound import queue
from mailhost.outbound.dsn import report
from mailhost.outbound.values import Envelope, Fate, Recipient
from mailhost.store.gate import gate

log = logging.getLogger(__name__)


async def deliver_report(to: str, octets: bytes) -> None:
    """Deliver a report to its sender, or queue it; from the null sender.

    What cannot be delivered is dropped: nobody is told of a lost report.
    """
    if not to:
        return
    way = await look_up(to)
    if not way.is_local:
        envelope = Envelope("", (Recipient(to),))
        await gate.write((), queue.enqueue, octets, envelope)
        return
    outcomes = await deliver(octets, mail_from="", recipients=[to], known={to: way})
    if not outcomes[to].is_accepted:
        log.warning("a report to %s was dropped: %s", to, outcomes[to].reply)


async def return_to_sender(
    octets: bytes, mail_from: str, refused: Iterable[Outcome]
) -> None:
    """Tell the sender of recipients that failed after the message was accepted."""
    fates = [
        Fate(
            outcome.recipient,
            action="failed",
            # We do not try again: what was temporary is final. RFC 3463 §3.3
            status="5" + outcome.reply[5:].split(" ", 1)[0],
            reply=outcome.reply,
        )
        for outcome in refused
    ]
    await send_report(octets, mail_from, fates)


async def send_report(
    octets: bytes, mail_from: str, fates: list[Fate], *, ret: str = "", envid: str = ""
) -> None:
    """Make a report on a message and deliver it; none to the null sender."""
    if not mail_from or not fates:
        return
    made = report(
        to=mail_from,
        host=settings.MAILHOST_HOSTNAME,
        fates=fates,
        original=octets,
        whole=ret == "FULL",
        envid=envid,
        arrived_at=timezone.now(),
    )
    await deliver_report(mail_from, made)
