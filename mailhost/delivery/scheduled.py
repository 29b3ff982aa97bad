"""Messages that wait for their time: send later, undo, FUTURERELEASE (RFC 4865).

A row holds the message whole, local recipients included, so that nothing is delivered
before its time. It goes in the commit that sends it: cancelled or sent, never both.
"""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from mailhost.delivery.outcomes import Outcome
from mailhost.delivery.reports import return_to_sender
from mailhost.delivery.submission import (
    CalledOff,
    NotPermitted,
    examine,
    submit,
)
from mailhost.jobs import schedule as jobs
from mailhost.outbound import asked
from mailhost.outbound.values import Envelope, Recipient
from mailhost.sending.models import Scheduled
from mailhost.store.gate import gate

JOB = "send"
MOST_MESSAGES = 1000  # of one user
MOST_OCTETS = 10  # times the largest message, of one user
FULL = "452 4.3.1 Too much waits to be sent already"
TOO_LATE = "501 5.5.4 It cannot be held for so long"

# Routes that are looked up belong to one event loop at a time.
_one = threading.Lock()


class TryLater(Exception):
    """It cannot be sent now; the job runs again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits."""

    id: int
    due: datetime
    size: int
    mail_from: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recalled:
    """A message that was called off in time."""

    octets: bytes
    envelope: Envelope


async def schedule(
    user_id: int, octets: bytes, envelope: Envelope, due: datetime, **more: Any
) -> int:
    """Have a message sent at `due`; return the id to cancel it by.

    `more`: received, peer, copy, as `submit` takes them. Raises NotPermitted, also for
    who has too much waiting. What it may, and where it leads, is asked again when it is
    sent.
    """
    await gate.read(examine, user_id, octets, envelope)
    return await gate.write((), lambda: _keep(user_id, octets, envelope, due, **more))


def schedule_sync(
    user_id: int, octets: bytes, envelope: Envelope, due: datetime, **more: Any
) -> int:
    """Do as `schedule`, in a thread; inside a transaction it becomes part of it."""
    gate.read_sync(examine, user_id, octets, envelope)
    return gate.write_sync((), lambda: _keep(user_id, octets, envelope, due, **more))


def _keep(  # noqa: PLR0913 - a message has this many things to remember
    user_id: int,
    octets: bytes,
    envelope: Envelope,
    due: datetime,
    *,
    received: bytes = b"",
    peer: str = "",
    copy: bool | None = None,
) -> int:
    if due > timezone.now() + timedelta(days=settings.MAILHOST_LONGEST_HOLD_DAYS):
        raise NotPermitted(TOO_LATE)
    mine = Scheduled.objects.filter(user_id=user_id)
    octets_there = mine.aggregate(sum=Sum("size"))["sum"] or 0
    most = MOST_OCTETS * settings.MAILHOST_MAX_MESSAGE_BYTES
    if octets_there + len(octets) > most or mine.count() >= MOST_MESSAGES:
        raise NotPermitted(FULL)
    row = Scheduled.objects.create(
        user_id=user_id,
        due=due,
        octets=octets,
        size=len(octets),
        envelope=_to_row(envelope),
        received=received,
        peer=peer[:300],
        keeps_copy=copy,
    )
    jobs.later(JOB, {"scheduled": row.pk}, due=due, key=str(row.pk))
    return row.pk


def waiting(user_id: int) -> list[Waiting]:
    """Return what of a user's waits, soonest first; reads only."""
    rows = Scheduled.objects.filter(user_id=user_id).order_by("due", "pk")
    found = rows.values_list("pk", "due", "size", "envelope")
    return [
        Waiting(pk, due, size, e["mail_from"], tuple(r[0] for r in e["recipients"]))
        for pk, due, size, e in found
    ]


async def cancel(user_id: int, scheduled: int) -> Recalled | None:
    """Call a message of a user's off and return it; None: it is sent, or not theirs."""
    return await gate.write((), _take_back, user_id, scheduled)


def cancel_sync(user_id: int, scheduled: int) -> Recalled | None:
    """Do as `cancel`, in a thread; inside a transaction it becomes part of it."""
    return gate.write_sync((), _take_back, user_id, scheduled)


def _take_back(user_id: int, scheduled: int) -> Recalled | None:
    mine = Scheduled.objects.filter(pk=scheduled, user_id=user_id)
    row = mine.first()
    # Who deletes the row has it: the other finds none.
    if row is None or not mine.delete()[0]:
        return None
    jobs.cancel(JOB, str(scheduled))
    return Recalled(bytes(row.octets), _from_row(row.envelope))


def send(scheduled: int) -> None:
    """Send what is due; the job. Raises TryLater while its user is held."""
    row = Scheduled.objects.filter(pk=scheduled).first()
    if row is None:
        return  # called off, or sent by one that was cut off afterwards
    with _one:
        asyncio.run(_send(row))


async def _send(row: Scheduled) -> None:
    envelope, octets = _from_row(row.envelope), bytes(row.octets)
    try:
        outcomes: Mapping[str, Outcome] = await submit(
            row.user_id,
            octets,
            envelope,
            received=bytes(row.received),
            peer=row.peer,
            copy=row.keeps_copy,
            scheduled=row.pk,
        )
    except CalledOff:
        return
    except NotPermitted as error:
        if str(error).startswith("4") and not _is_old(row):
            raise TryLater(str(error)) from None
        await gate.write((), Scheduled.objects.filter(pk=row.pk).delete)
        names = [r.address for r in envelope.recipients]
        outcomes = {name: Outcome(name, str(error)) for name in names}
    refused = [one for one in outcomes.values() if not one.is_accepted]
    await return_to_sender(octets, envelope, refused)


def _is_old(row: Scheduled) -> bool:
    seconds = settings.MAILHOST_QUEUE_LIFETIME_SECONDS
    return timezone.now() > row.due + timedelta(seconds=seconds)


def _to_row(envelope: Envelope) -> dict[str, Any]:
    return {
        "mail_from": envelope.mail_from,
        "recipients": [[r.address, r.notify, r.orcpt] for r in envelope.recipients],
        "ret": envelope.ret,
        "envid": envelope.envid,
        "smtputf8": envelope.smtputf8,
        "asked": asked.kept(envelope),
    }


def _from_row(row: dict[str, Any]) -> Envelope:
    members = dict(row)
    recipients = tuple(Recipient(*one) for one in members.pop("recipients"))
    more = asked.read(members.pop("asked"))
    return Envelope(recipients=recipients, **members, **more)
