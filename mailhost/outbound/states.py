"""What became of a message that a user sent: for whoever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailhost.outbound.models import QueueRecipient


@dataclass(frozen=True, slots=True)
class Standing:
    """One recipient outside; `state` as models.State has it."""

    address: str
    state: str
    reply: str


def of(sender_id: int, envid: str) -> Sequence[Standing]:
    """Return the recipients of a user's message, as long as the queue knows it."""
    if not envid:
        return ()
    rows = QueueRecipient.objects.filter(
        message__sender_id=sender_id, message__envid=envid
    ).order_by("pk")
    return [
        Standing(*row)
        for row in rows.values_list("address", "state", "last_reply")[:100]
    ]
