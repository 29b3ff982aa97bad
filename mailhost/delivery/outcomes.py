"""What became of a message, and the reply that says so."""

from dataclasses import dataclass

from mailhost.store import errors
from mailhost.store.values import Stored

ACCEPTED = "250 2.1.5 Delivered"
QUEUED = "250 2.1.5 Queued"
UNKNOWN = "550 5.1.1 No such mailbox here"
LOOP = "554 5.4.6 The message goes in circles"
FAULT = "451 4.3.0 Something went wrong here, try again later"

# Complete for all StoreErrors: what is not named gets FAULT.
_REPLIES: dict[type[errors.StoreError], str] = {
    errors.OverQuota: "452 4.2.2 The mailbox is full",
    errors.MessageTooBig: "552 5.3.4 The message is too big",
    errors.NoSuchFolder: UNKNOWN,
    errors.TooMany: "452 4.3.1 Too many messages",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message for one recipient; `reply` is an SMTP reply."""

    recipient: str
    reply: str
    stored: tuple[Stored, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether we answer for it now."""
        return self.reply.startswith("2")


def reply_to(error: errors.StoreError) -> str:
    """Return the SMTP reply for what the store says."""
    return _REPLIES.get(type(error), FAULT)
