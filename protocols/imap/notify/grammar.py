"""The arguments of NOTIFY. RFC 5465 §8."""

from dataclasses import dataclass

from mailhost.store.errors import BadName
from mailhost.store.folders import normalise
from protocols.imap.errors import Bad, No
from protocols.imap.fetching.grammar import attribute_list
from protocols.imap.fetching.items import Wanted
from protocols.imap.notify.events import (
    NOTHING,
    OF_MESSAGES,
    SUPPORTED,
    Event,
    Group,
    Wishes,
)
from protocols.imap.parser import Parser
from protocols.imap.searching.sources import one_or_more_mailboxes
from protocols.imap.wording import say

SELECTED = {"SELECTED", "SELECTED-DELAYED"}
NAMED = {"SUBTREE", "MAILBOXES"}
OTHERS = NAMED | {"INBOXES", "PERSONAL", "SUBSCRIBED"}
KNOWN = {event.value.upper(): event for event in Event}
MOST_EVENTS = 50  # of a group
MOST_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What NOTIFY SET says. `refused`: it names events that there are not."""

    wishes: Wishes = NOTHING
    groups: tuple[Group, ...] = ()
    refused: No | None = None


@dataclass(frozen=True, slots=True)
class _Events:
    """The events of one group."""

    known: frozenset[Event]
    attributes: tuple[Wanted, ...]
    unknown: bool


def event_groups(p: Parser) -> Asked:
    """Read event-groups."""
    wishes: Wishes | None = None
    groups: list[Group] = []
    unknown = False
    while True:
        p.literally(b"(")
        kind = p.atom().upper()
        if kind not in SELECTED | OTHERS:
            raise Bad(say("Unknown filter {}", kind[:40]))
        names = _names(p) if kind in NAMED else frozenset()
        p.sp()
        events = _events(p)
        p.literally(b")")
        unknown |= events.unknown
        if kind in OTHERS:
            if events.attributes:
                raise Bad("Attributes are for the selected mailbox")
            groups.append(Group(kind, names, events.known))
        elif wishes is not None:
            raise Bad("The selected mailbox is named once")
        else:
            wishes = _wishes(kind, events)
        if len(groups) > MOST_GROUPS:
            raise No("Too many groups", "NOTIFICATIONOVERFLOW")
        if not p.takes(b" "):
            break
    refused = None
    if unknown:
        refused = No("There are no such events", f"BADEVENT ({SUPPORTED})")
    return Asked(wishes or NOTHING, tuple(groups), refused)


def _names(p: Parser) -> frozenset[str]:
    p.sp()
    return frozenset(map(_as_stored, one_or_more_mailboxes(p)))


def _as_stored(name: str) -> str:
    try:
        return normalise(name)
    except BadName:  # there is none of this name
        return name


def _events(p: Parser) -> _Events:
    """Read events. Raises Bad where some lack their companions. RFC 5465 §5."""
    if not p.takes(b"("):
        if p.atom().upper() != "NONE":
            raise Bad("Expected NONE or events in brackets")
        return _Events(frozenset(), (), unknown=False)
    known: set[Event] = set()
    attributes: tuple[Wanted, ...] = ()
    unknown = False
    for _ in range(MOST_EVENTS):
        event = KNOWN.get(p.atom().upper())
        unknown |= event is None
        if event is not None:
            known.add(event)
        if event is Event.MESSAGE_NEW and p.takes(b" ("):
            attributes = attribute_list(p)
        if p.takes(b")"):
            break
        p.sp()
    else:
        raise Bad("Too many events", "LIMIT")
    both = {Event.MESSAGE_NEW, Event.MESSAGE_EXPUNGE}
    if known & OF_MESSAGES and not both <= known:
        raise Bad("MessageNew and MessageExpunge go together, and before FlagChange")
    return _Events(frozenset(known), attributes, unknown)


def _wishes(kind: str, events: _Events) -> Wishes:
    if events.known - OF_MESSAGES:
        raise Bad("Of the selected mailbox, messages are told")
    return Wishes(
        Event.MESSAGE_NEW in events.known,
        Event.FLAG_CHANGE in events.known,
        kind == "SELECTED",
        events.attributes,
    )
