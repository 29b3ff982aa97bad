"""The rows of the queue: put in, claimed, settled. Synchronous, for the gate.

A claim is a conditional update with a lease: of two runners that see the same row one
changes it. The runner renews the leases of what it works on; when it dies they run out.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from mailhost.outbound import asked, rows, states, suppression, tlsrpt, wake
from mailhost.outbound.models import (
    Attempt,
    Delay,
    QueueChunk,
    QueueMessage,
    QueueRecipient,
    State,
)
from mailhost.outbound.policy import is_late, next_attempt
from mailhost.outbound.values import (
    Envelope,
    Recipient,
    Result,
    Tried,
    Verdict,
    Work,
)

KEEP = timedelta(days=7)  # how long the admin shows what is done
LOADED_AT_ONCE = 65_536  # octets; larger messages are read when it is their turn
CHUNK = 1_048_576  # octets; a larger message is in pieces
MOST_IN_ONE = 50  # recipients of one transaction; RFC 5321 §4.5.3.1.8 allows 100
FIELDS = (
    *("state", "due", "attempts", "owner", "lease_until", "status", "delay"),
    *("last_reply", "last_host", "last_attempt_at", "relayed", "told"),
)


def lease() -> timedelta:
    """Return how long a claim holds; it is renewed three times within it."""
    return timedelta(seconds=settings.MAILHOST_QUEUE_LEASE_SECONDS)


def stage(octets: bytes) -> int:
    """Begin a large message: a row without recipients, which nobody sends."""
    now = timezone.now()
    return QueueMessage.objects.create(size=len(octets), expires_at=now, octets=b"").pk


def stage_chunk(message_id: int, number: int, octets: bytes) -> None:
    """Put in a piece of a large message."""
    QueueChunk.objects.create(message_id=message_id, number=number, octets=octets)


def pieces_of(octets: bytes) -> list[bytes]:
    """Cut a message; none where one row holds it."""
    if len(octets) <= CHUNK:
        return []
    return [octets[n : n + CHUNK] for n in range(0, len(octets), CHUNK)]


def enqueue(octets: bytes, envelope: Envelope, staged: int | None = None) -> int:
    """Queue a message for its recipients, due now; part of the caller's transaction.

    `staged` is the row whose pieces are in place; without it large ones are cut here.
    """
    now = timezone.now()
    lifetime = timedelta(seconds=settings.MAILHOST_QUEUE_LIFETIME_SECONDS)
    pieces = pieces_of(octets) if staged is None else []
    fields = {
        "mail_from": envelope.mail_from,
        "octets": b"" if pieces or staged is not None else octets,
        "size": len(octets),
        "smtputf8": envelope.smtputf8,
        "ret": envelope.ret,
        "envid": envelope.envid,
        "sender_id": envelope.sender_id,
        "asked": asked.kept(envelope),
        "created_at": now,
        "expires_at": asked.expiry(envelope, now + lifetime),
    }
    if staged is None:
        message_id = QueueMessage.objects.create(**fields).pk
    else:
        message_id = staged
        QueueMessage.objects.filter(pk=staged).update(**fields)
    for number, piece in enumerate(pieces):
        stage_chunk(message_id, number, piece)
    due = asked.first_turn(envelope, now)
    recipients = [_row(message_id, each, due) for each in envelope.recipients]
    if envelope.quarantine:
        for row in recipients:
            row.state, row.last_reply = State.JUNK, envelope.quarantine
    rows.insert(QueueRecipient, recipients)
    transaction.on_commit(wake.tell, robust=True)
    return message_id


def _row(message_id: int, recipient: Recipient, due: datetime) -> QueueRecipient:
    return QueueRecipient(
        message_id=message_id,
        address=recipient.address,
        domain=recipient.address.rpartition("@")[2].lower(),
        due=due,
        notify=recipient.notify,
        orcpt=recipient.orcpt,
    )


def is_due(busy: Collection[str] = ()) -> bool:
    """Tell whether there is something to claim; one indexed query, reads only."""
    free = _free(timezone.now())
    return (free.exclude(domain__in=list(busy)) if busy else free).exists()


def claim(owner: uuid.UUID, most: int, busy: Collection[str] = ()) -> list[Work]:
    """Take what is due, for a lease; of one message and one domain at most MOST_IN_ONE.

    `busy` are domains that can take no more now.
    """
    now = timezone.now()
    free = _free(now).exclude(domain__in=list(busy)) if busy else _free(now)
    due = list(free.order_by("due").values_list("pk", flat=True)[:most])
    if not due:
        return []
    taken = _free(now).filter(pk__in=due)
    if not taken.update(owner=owner, lease_until=now + lease()):
        return []
    mine = QueueRecipient.objects.filter(pk__in=due, owner=owner)
    taken_rows = mine.select_related("message").defer("message__octets")
    groups: dict[tuple[int, str], list[QueueRecipient]] = {}
    for row in taken_rows.order_by("pk"):
        groups.setdefault((row.message_id, row.domain), []).append(row)
    return [
        _work(group[n : n + MOST_IN_ONE])
        for group in groups.values()
        for n in range(0, len(group), MOST_IN_ONE)
    ]


def _free(now: datetime) -> QuerySet[QueueRecipient]:
    return QueueRecipient.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), state=State.QUEUED, due__lte=now
    )


def _work(group: Sequence[QueueRecipient]) -> Work:
    message = group[0].message
    recipients = tuple(Recipient(r.address, r.notify, r.orcpt) for r in group)
    return Work(
        message_id=message.pk,
        domain=group[0].domain,
        envelope=Envelope(
            mail_from=message.mail_from,
            recipients=recipients,
            ret=message.ret,
            envid=message.envid,
            smtputf8=message.smtputf8,
            sender_id=message.sender_id,
            **asked.read(message.asked),
        ),
        recipient_ids=tuple(row.pk for row in group),
        created_at=message.created_at,
        expires_at=message.expires_at,
        size=message.size,
    )


def renew(owner: uuid.UUID, recipient_ids: Iterable[int]) -> None:
    """Hold on to what this runner works on."""
    until, ids = timezone.now() + lease(), iter(recipient_ids)
    while some := list(islice(ids, 500)):
        mine = QueueRecipient.objects.filter(pk__in=some, owner=owner)
        mine.update(lease_until=until)


def still_mine(owner: uuid.UUID, recipient_ids: Iterable[int]) -> list[int]:
    """Return what this runner has claimed and nobody held or dropped; reads only."""
    ids, found = iter(recipient_ids), list[int]()
    while some := list(islice(ids, 500)):
        mine = QueueRecipient.objects.filter(pk__in=some, owner=owner)
        found += mine.filter(state=State.QUEUED).values_list("pk", flat=True)
    return found


def piece_of(message_id: int, number: int) -> bytes:
    """Return a piece of a large message; empty after the last."""
    chunks = QueueChunk.objects.filter(message_id=message_id, number=number)
    return bytes(chunks.values_list("octets", flat=True).first() or b"")


def octets_of(message_id: int) -> bytes:
    """Return what is to be sent."""
    row = QueueMessage.objects.values_list("octets", "size").get(pk=message_id)
    if row[0] or not row[1]:
        return bytes(row[0])
    chunks = QueueChunk.objects.filter(message_id=message_id).order_by("number")
    octets = b"".join(bytes(c) for c in chunks.values_list("octets", flat=True))
    if len(octets) != row[1]:
        raise ValueError(f"message {message_id} lacks some of its pieces")
    return octets


def settle(owner: uuid.UUID, done: Sequence[tuple[Work, Tried]]) -> None:
    """Write what attempts brought; what others took meanwhile is left."""
    now = timezone.now()
    results, works = dict[int, Result](), dict[int, Work]()
    for work, tried in done:
        results |= zip(work.recipient_ids, tried.results, strict=True)
        works |= dict.fromkeys(work.recipient_ids, work)
    mine = QueueRecipient.objects.filter(pk__in=list(results), owner=owner)
    found = list(mine.order_by("pk"))
    for row in found:
        _apply(row, results[row.pk], now, works[row.pk])
    rows.update(found, FIELDS)
    _note(done, now)
    suppression.learn([(r.address, results[r.pk]) for r in found])
    for work, tried in done:
        tlsrpt.count(work.domain, tried.sessions)


def _note(done: Sequence[tuple[Work, Tried]], now: datetime) -> None:
    # None where the message went meanwhile (an administrator deleted it).
    messages = QueueMessage.objects.filter(pk__in={w.message_id for w, _ in done})
    there = set(messages.values_list("pk", flat=True))
    made = [_attempt(w, tried, now) for w, tried in done if w.message_id in there]
    rows.insert(Attempt, made)


def _attempt(work: Work, tried: Tried, now: datetime) -> Attempt:
    said = {f"{r.verdict.value}: {r.reply}": None for r in tried.results}
    return Attempt(
        message_id=work.message_id,
        domain=work.domain,
        at=now,
        host=tried.host[:300],
        address=tried.address[:64],
        security=tried.security[:200],
        outcome="; ".join(said)[:300],
        dialogue=tried.dialogue,
    )


def _apply(row: QueueRecipient, result: Result, now: datetime, work: Work) -> None:
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
    schedule = settings.MAILHOST_RETRY_SCHEDULE
    due = next_attempt(row.attempts, now, work.expires_at, schedule)
    if result.verdict is Verdict.LATER and due is not None:
        row.due = due
        patience = settings.MAILHOST_DELAY_WARNING_SECONDS
        wanted = not row.notify or "DELAY" in row.notify  # RFC 3461 §4.1
        late = is_late(work.created_at, now, patience) or _is_overdue(work, now)
        if late and row.delay == Delay.NO and wanted and work.envelope.mail_from:
            row.delay = Delay.DUE
        return
    row.state = State.FAILED
    row.told = bool(row.notify) and "FAILURE" not in row.notify


def _is_overdue(work: Work, now: datetime) -> bool:
    """Tell whether it should have arrived by now, and its sender hears. RFC 2852 §4."""
    by = work.envelope.deliver_by
    return by is not None and not by.returns and now >= by.when


@dataclass(frozen=True, slots=True)
class Load:
    """What is needed to begin works, read at once."""

    octets: Mapping[int, bytes]  # message -> octets, of the small ones
    refused: Mapping[str, Result]  # addresses that are not tried


def load(works: Sequence[Work]) -> Load:
    """Return the octets of small messages, and who is not tried."""
    small = {work.message_id for work in works if work.size <= LOADED_AT_ONCE}
    messages = QueueMessage.objects.filter(pk__in=small).values_list("pk", "octets")
    names = [r.address for work in works for r in work.envelope.recipients]
    octets = {pk: bytes(some) for pk, some in messages}
    return Load(octets, suppression.suppressed(names))


def release(owner: uuid.UUID, recipient_ids: Iterable[int]) -> None:
    """Give back what this runner has not finished."""
    mine = QueueRecipient.objects.filter(pk__in=list(recipient_ids), owner=owner)
    mine.update(owner=None, lease_until=None)


def sweep() -> int:
    """Forget messages that were done with long ago; return how many."""
    waiting = Q(state__in=[State.QUEUED, State.HELD])
    untold = Q(told=False, state__in=[State.SENT, State.FAILED])
    unfinished = QueueRecipient.objects.filter(waiting | untold, message=OuterRef("pk"))
    now, gone = timezone.now(), 0
    old = Q(~Exists(unfinished), created_at__lt=now - KEEP)
    # Staged by who died before it was queued.
    lost = Q(created_at__lt=now - timedelta(days=1), recipients=None)
    while ids := list(
        QueueMessage.objects.filter(old | lost).values_list("pk", flat=True)[:200]
    ):
        with transaction.atomic():
            states.keep(ids)
            for model in (QueueChunk, Attempt, QueueRecipient):
                model.objects.filter(message_id__in=ids).delete()
            # Without their octets, which would be read first.
            QueueMessage.objects.filter(pk__in=ids).only("pk").delete()
        gone += len(ids)
    return gone
