"""The rows of the queue: put in, claimed, settled. Synchronous, for the gate.

A claim is a conditional update with a lease: of two runners that see the same row one
changes it. A runner that died leaves its lease to run out.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from mailhost.outbound import asked
from mailhost.outbound.dsn import report
from mailhost.outbound.models import QueueMessage, QueueRecipient, State
from mailhost.outbound.policy import next_attempt
from mailhost.outbound.values import (
    Envelope,
    Fate,
    Notice,
    Recipient,
    Result,
    Verdict,
    Work,
)

LEASE = timedelta(minutes=15)  # longer than one attempt may take
KEEP = timedelta(days=7)  # how long the admin shows what is done


def enqueue(octets: bytes, envelope: Envelope) -> int:
    """Queue a message for its recipients, due now; part of the caller's transaction."""
    now = timezone.now()
    lifetime = timedelta(seconds=settings.MAILHOST_QUEUE_LIFETIME_SECONDS)
    message = QueueMessage.objects.create(
        mail_from=envelope.mail_from,
        octets=octets,
        size=len(octets),
        smtputf8=envelope.smtputf8,
        ret=envelope.ret,
        envid=envelope.envid,
        sender_id=envelope.sender_id,
        asked=asked.kept(envelope),
        created_at=now,
        expires_at=asked.expiry(envelope, now + lifetime),
    )
    QueueRecipient.objects.bulk_create(
        [
            QueueRecipient(
                message=message,
                address=recipient.address,
                domain=recipient.address.rpartition("@")[2].lower(),
                due=now,
                notify=recipient.notify,
                orcpt=recipient.orcpt,
            )
            for recipient in envelope.recipients
        ]
    )
    return message.pk


def claim(owner: uuid.UUID, most: int) -> list[Work]:
    """Take what is due, for LEASE; whole (message, domain) groups come together."""
    now = timezone.now()
    due = _free(now).order_by("due").values_list("pk", flat=True)[:most]
    taken = _free(now).filter(pk__in=list(due))
    if not taken.update(owner=owner, lease_until=now + LEASE):
        return []
    mine = QueueRecipient.objects.filter(owner=owner, lease_until=now + LEASE)
    rows = mine.select_related("message").defer("message__octets").order_by("pk")
    groups: dict[tuple[int, str], list[QueueRecipient]] = {}
    for row in rows:
        groups.setdefault((row.message_id, row.domain), []).append(row)
    return [_work(group) for group in groups.values()]


def _free(now: datetime) -> QuerySet[QueueRecipient]:
    return QueueRecipient.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), state=State.QUEUED, due__lte=now
    )


def _work(rows: Sequence[QueueRecipient]) -> Work:
    message = rows[0].message
    recipients = tuple(Recipient(r.address, r.notify, r.orcpt) for r in rows)
    return Work(
        message_id=message.pk,
        domain=rows[0].domain,
        envelope=Envelope(
            mail_from=message.mail_from,
            recipients=recipients,
            ret=message.ret,
            envid=message.envid,
            smtputf8=message.smtputf8,
            sender_id=message.sender_id,
            **asked.read(message.asked),
        ),
        recipient_ids=tuple(row.pk for row in rows),
        created_at=message.created_at,
        expires_at=message.expires_at,
    )


def octets_of(message_id: int) -> bytes:
    """Return what is to be sent."""
    row = QueueMessage.objects.values_list("octets", flat=True).get(pk=message_id)
    return bytes(row)


def settle(owner: uuid.UUID, work: Work, results: Mapping[int, Result]) -> None:
    """Write what an attempt brought, by recipient id; what others took is left."""
    now = timezone.now()
    rows = list(QueueRecipient.objects.filter(pk__in=list(results), owner=owner))
    for row in rows:
        _apply(row, results[row.pk], now, work.expires_at)
    QueueRecipient.objects.bulk_update(
        rows,
        [
            *("state", "due", "attempts", "owner", "lease_until", "status"),
            *("last_reply", "last_host", "last_attempt_at", "relayed", "told"),
        ],
    )


def _apply(
    row: QueueRecipient, result: Result, now: datetime, expires_at: datetime
) -> None:
    row.owner = row.lease_until = None
    row.attempts += 1
    row.status, row.last_host = result.status[:11], result.host[:300]
    row.last_reply, row.last_attempt_at = result.reply[:2000], now
    if row.state != State.QUEUED:
        # Somebody held or dropped it meanwhile; what was sent is sent.
        row.state = State.SENT if result.verdict is Verdict.SENT else row.state
        return
    if result.verdict is Verdict.SENT:
        row.state, row.relayed = State.SENT, result.relayed
        row.told = not (result.relayed and "SUCCESS" in row.notify)
        return
    due = next_attempt(row.attempts, now, expires_at, settings.MAILHOST_RETRY_SCHEDULE)
    if result.verdict is Verdict.LATER and due is not None:
        row.due = due
        return
    row.state = State.FAILED
    row.told = bool(row.notify) and "FAILURE" not in row.notify


def release(owner: uuid.UUID) -> None:
    """Give back what this runner has not finished."""
    QueueRecipient.objects.filter(owner=owner).update(owner=None, lease_until=None)


def notices(most: int = 50) -> list[Notice]:
    """Return the reports that senders wait for, one for each message; reads only."""
    untold = _untold().exclude(message__mail_from="")
    rows = untold.select_related("message").order_by("message_id", "pk")[:most]
    groups: dict[int, list[QueueRecipient]] = {}
    for row in rows:
        groups.setdefault(row.message_id, []).append(row)
    return [_notice(group) for group in groups.values()]


def settle_silently() -> None:
    """Note that nobody is told of what became of reports.

    A report on a report is never made: RFC 3464 §1, RFC 5321 §4.5.5.
    """
    _untold().filter(message__mail_from="").update(told=True)


def _untold() -> QuerySet[QueueRecipient]:
    return QueueRecipient.objects.filter(
        told=False, state__in=[State.SENT, State.FAILED]
    )


def _notice(rows: Sequence[QueueRecipient]) -> Notice:
    message = rows[0].message
    fates = [
        Fate(
            address=row.address,
            action="failed" if row.state == State.FAILED else "relayed",
            status=_final(row),
            reply=row.last_reply,
            host=row.last_host,
            orcpt=row.orcpt,
        )
        for row in rows
    ]
    octets = report(
        to=message.mail_from,
        host=settings.MAILHOST_HOSTNAME,
        fates=fates,
        # RFC 8689 §5: the report goes where TLS may not be had
        original=b""
        if message.asked.get("tls") == "required"
        else bytes(message.octets),
        whole=message.ret == "FULL",
        envid=message.envid,
        arrived_at=message.created_at,
    )
    return Notice(message.mail_from, octets, tuple(row.pk for row in rows))


def _final(row: QueueRecipient) -> str:
    # A failure that was temporary until time ran out is final now. RFC 3463 §3.5
    if row.state == State.FAILED and not row.status.startswith("5."):
        return "5.4.7"
    return row.status or "2.0.0"


def told(recipient_ids: Iterable[int]) -> None:
    """Note that the sender has the report."""
    QueueRecipient.objects.filter(pk__in=list(recipient_ids)).update(told=True)


def sweep() -> int:
    """Forget messages that were done with long ago; return how many."""
    old = QueueMessage.objects.filter(created_at__lt=timezone.now() - KEEP)
    waiting = QueueRecipient.objects.filter(state__in=[State.QUEUED, State.HELD])
    unfinished = (waiting | _untold()).values("message_id")
    done = old.exclude(pk__in=unfinished)
    return done.delete()[1].get("outbound.QueueMessage", 0)
