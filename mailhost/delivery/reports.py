"""Reports on delivery reach the sender here or outside. RFC 3464."""

import logging
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.utils import timezone

from mailhost.delivery.incoming import deliver
from mailhost.delivery.outcomes import Outcome
from mailhost.delivery.routes import Route, look_up
from mailhost.outbound import queue, signing
from mailhost.outbound.dsn import Report, report
from mailhost.outbound.notices import language_of
from mailhost.outbound.values import Envelope, Fate, Recipient
from mailhost.store.gate import gate

log = logging.getLogger(__name__)


async def deliver_report(to: str, octets: bytes, *, smtputf8: bool = False) -> None:
    """Deliver a report to its sender, or queue it; from the null sender.

    What cannot be delivered is dropped: nobody is told of a lost report.
    """
    if not to:
        return
    way = await look_up(to)
    if not way.is_local:
        author = f"postmaster@{settings.MAILHOST_HOSTNAME}"
        octets = await gate.read(signing.signed, octets, author)
        envelope = Envelope("", (Recipient(to),), smtputf8=smtputf8)
        await gate.write((), queue.enqueue, octets, envelope)
        return
    outcomes = await deliver(octets, mail_from="", recipients=[to], known={to: way})
    if not outcomes[to].is_accepted:
        log.warning("a report to %s was dropped: %s", to, outcomes[to].reply)


async def return_to_sender(
    octets: bytes, envelope: Envelope, refused: Iterable[Outcome]
) -> None:
    """Tell the sender of recipients that failed after the message was accepted.

    Where NOTIFY leaves out FAILURE nobody is told. RFC 3461 §5.2.6
    """
    wishes = {recipient.address: recipient for recipient in envelope.recipients}
    fates = [
        Fate(
            outcome.recipient,
            action="failed",
            # We do not try again: what was temporary is final. RFC 3463 §3.3
            status="5" + outcome.reply[5:].split(" ", 1)[0],
            reply=outcome.reply,
            orcpt=wishes[outcome.recipient].orcpt,
        )
        for outcome in refused
        if not (wish := wishes[outcome.recipient].notify) or "FAILURE" in wish
    ]
    await send_report(octets, envelope, fates)


async def tell_success(
    octets: bytes,
    envelope: Envelope,
    outcomes: Mapping[str, Outcome],
    found: Mapping[str, Route],
) -> None:
    """Report what was delivered where NOTIFY=SUCCESS. RFC 3461 §5.2.3, §5.2.7.3 (a)."""
    fates = [
        Fate(r.address, action, "2.1.5", orcpt=r.orcpt)
        for r in envelope.recipients
        if "SUCCESS" in r.notify
        and (action := _success(outcomes[r.address], found[r.address]))
    ]
    await send_report(octets, envelope, fates)


def _success(outcome: Outcome, way: Route) -> str:
    """Return the action; empty where whoever it was sent on to will tell."""
    if outcome.stored:
        return "delivered"
    sent_on = outcome.is_accepted and way.is_local and len(way.outside) > 1
    return "relayed" if sent_on else ""


async def send_report(octets: bytes, envelope: Envelope, fates: list[Fate]) -> None:
    """Make a report on a message and deliver it; none to the null sender.

    Of a message that requires TLS the report tells no more than the addresses.
    RFC 8689 §5
    """
    if not envelope.mail_from or not fates:
        return
    made = report(
        Report(
            to=envelope.mail_from,
            host=settings.MAILHOST_HOSTNAME,
            fates=fates,
            original=b"" if envelope.tls == "required" else octets,
            whole=envelope.ret == "FULL",
            envid=envelope.envid,
            arrived_at=timezone.now(),
            language=await gate.read(language_of, None, envelope.mail_from),
        )
    )
    try:
        await deliver_report(envelope.mail_from, made.octets, smtputf8=made.smtputf8)
    except Exception:
        # The message itself is delivered: it must not be refused, and come again.
        log.exception("a report to %s is lost", envelope.mail_from)
