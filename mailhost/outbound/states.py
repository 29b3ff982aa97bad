"""What became of a message that a user sent: for whoever shows it.

The queue knows for a week; what ended there is kept in a row for each recipient, and so
is who got it on this host, for as long as KEEP.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from mailhost.outbound.models import QueueRecipient, SentTo, State

MOST = 100  # recipients that are told
KEEP = timedelta(days=400)
LONGEST_REPLY = 500  # characters


@dataclass(frozen=True, slots=True)
class Standing:
    """One recipient; `state` as models.State has it."""

    address: str
    state: str
    reply: str


def of(sender_id: int, envid: str) -> Sequence[Standing]:
    """Return how it stands with the recipients of a user's message."""
    if not envid:
        return ()
    queued = QueueRecipient.objects.filter(
        message__sender_id=sender_id, message__envid=envid
    ).order_by("pk")
    ended = SentTo.objects.filter(sender_id=sender_id, envid=envid).order_by("pk")
    found = [
        *ended.values_list("address", "state", "reply")[:MOST],
        *queued.values_list("address", "state", "last_reply")[:MOST],
    ]
    return [Standing(*row) for row in found[:MOST]]


def note(sender_id: int, envid: str, ends: Iterable[tuple[str, bool, str]]) -> None:
    """Keep what became of recipients here: (address, whether it has it, reply)."""
    SentTo.objects.bulk_create(
        SentTo(
            sender_id=sender_id,
            envid=envid[:100],
            address=address[:320],
            state=State.SENT if has_it else State.FAILED,
            reply="" if has_it else reply[:LONGEST_REPLY],
        )
        for address, has_it, reply in ends
    )


def keep(message_ids: Sequence[int]) -> None:
    """Keep how messages ended that the queue is about to forget."""
    rows = QueueRecipient.objects.filter(
        message_id__in=message_ids, message__sender__isnull=False
    ).exclude(message__envid="")
    SentTo.objects.bulk_create(
        SentTo(
            sender_id=sender_id,
            envid=envid[:100],
            address=address[:320],
            state=state,
            reply=reply[:LONGEST_REPLY],
        )
        for sender_id, envid, address, state, reply in rows.order_by("pk").values_list(
            "message__sender_id", "message__envid", "address", "state", "last_reply"
        )
    )


def sweep() -> int:
    """Forget what ended long ago; the job. Returns how many rows went."""
    gone = 0
    while ids := list(
        SentTo.objects.filter(at__lt=timezone.now() - KEEP).values_list(
            "pk", flat=True
        )[:1000]
    ):
        gone += SentTo.objects.filter(pk__in=ids).delete()[0]
    return gone
