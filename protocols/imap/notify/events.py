"""What NOTIFY can be asked for, as values. RFC 5465 §5, §6."""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from protocols.imap.fetching.items import Wanted


class Event(enum.Enum):
    """What may happen; those that are refused are not among them."""

    MESSAGE_NEW = "MessageNew"
    MESSAGE_EXPUNGE = "MessageExpunge"
    FLAG_CHANGE = "FlagChange"
    MAILBOX_NAME = "MailboxName"
    SUBSCRIPTION_CHANGE = "SubscriptionChange"
    MAILBOX_METADATA_CHANGE = "MailboxMetadataChange"
    SERVER_METADATA_CHANGE = "ServerMetadataChange"


OF_MESSAGES = frozenset({Event.MESSAGE_NEW, Event.MESSAGE_EXPUNGE, Event.FLAG_CHANGE})
SUPPORTED = " ".join(event.value for event in Event)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is told of the selected mailbox unasked. RFC 5465 §6.1.

    `attributes` are told of each new message. `at_once`: an expunge, too, whatever the
    client is about to say; else when a command allows it.
    """

    messages: bool = True
    flags: bool = True
    at_once: bool = False
    attributes: tuple[Wanted, ...] = ()


EVERYTHING = Wishes()  # as long as NOTIFY was never used
NOTHING = Wishes(messages=False, flags=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Some mailboxes, and what is told of them; no events: nothing. §6."""

    kind: str  # PERSONAL, INBOXES, SUBSCRIBED, SUBTREE or MAILBOXES
    names: frozenset[str]
    events: frozenset[Event]

    def takes(self, name: str, subscribed: Collection[str], *, is_own: bool) -> bool:
        """Tell whether a mailbox is one of them. `is_own`: it is the user's own."""
        match self.kind:
            case "MAILBOXES":
                return name in self.names
            case "SUBTREE":
                return name in self.names or any(
                    name[:at] in self.names for at, c in enumerate(name) if c == "/"
                )
            case "SUBSCRIBED":
                return name in subscribed
            case _:  # PERSONAL, and INBOXES: rules may deliver into any of them
                return is_own


def events_for(
    groups: Sequence[Group], name: str, subscribed: Collection[str], *, is_own: bool
) -> frozenset[Event]:
    """Return what is told of a mailbox: what all its groups want together.

    NONE for one of them is none at all: so mailboxes are left out of larger groups.
    """
    found: frozenset[Event] = frozenset()
    for group in groups:
        if group.takes(name, subscribed, is_own=is_own):
            if not group.events:
                return group.events
            found |= group.events
    return found
