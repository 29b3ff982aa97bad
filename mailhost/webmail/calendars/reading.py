"""The event of an invitation, from octets that a stranger wrote.

Bounded before the library sees it: octets, lines, people. Time zones and alarms are
taken out first, for their rules could be expanded without end; nothing here expands
any. What cannot be read is absent. RFC 5545; RFC 5546 §1.4 for the methods.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Event
from icalendar.prop.broken import vBroken

from mailhost.mime.addresses import Address, parse_addresses
from mailhost.mime.html import to_text
from mailhost.webmail.calendars import zones

MOST_OCTETS = 262_144
MOST_LINES = 10_000
MOST_PEOPLE = 500
MOST_EVENTS = 50
LONGEST_TEXT = 10_000
METHODS = frozenset(("publish", "request", "reply", "cancel", "counter", "add"))
HTML = re.compile(
    r"</?(?:a|b|br|body|div|html|i|p|span|table)\b[^<>]{0,500}>", re.IGNORECASE
)
SKIPPED = re.compile(r"VTIMEZONE|VALARM", re.IGNORECASE)
FOLD = re.compile(r"\r?\n[ \t]")
# What icalendar 7 lets through of a wrong value.
WRONG = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)
When = date  # a day, or a datetime: with a zone, or local to wherever one is


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of an event, and what they answered: RFC 5545 §3.2.12, lower case."""

    name: str
    address: str
    answer: str = ""
    optional: bool = False
    sent_by: str = ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One event, or one occurrence of a series."""

    method: str
    uid: str
    sequence: int
    stamp: datetime | None
    occurrence: When | None  # RECURRENCE-ID
    summary: str
    place: str
    text: str
    start: When | None
    end: When | None
    zone: str  # of local times whose zone nobody knows
    rule: dict[str, list[str]] = field(default_factory=dict)
    organiser: Person | None = None
    people: tuple[Person, ...] = ()
    cancelled: bool = False
    more: int = 0  # other occurrences that the same file changes

    @property
    def key(self) -> str:
        """Name it among others: by id and organiser, for ids can be copied."""
        by = self.organiser.address if self.organiser else ""
        which = self.occurrence.isoformat() if self.occurrence else ""
        named = f"{by}\n{which}\n{self.uid}".encode("utf-8", "replace")
        return hashlib.sha256(named).hexdigest()


def read(octets: bytes) -> Meeting | None:
    """Return what a text/calendar part is about; None for nothing that can be shown."""
    if len(octets) > MOST_OCTETS:
        return None
    text = FOLD.sub("", octets.decode("utf-8", "replace")).replace("\0", "")
    lines, skipped = _without_rules(text.splitlines())
    if len(lines) > MOST_LINES:
        return None
    try:
        whole = Calendar.from_ical("\r\n".join(lines) + "\r\n")
        events = [e for e in whole.walk("VEVENT")[:MOST_EVENTS] if isinstance(e, Event)]
        method = str(_value(whole, "METHOD") or "publish").lower()
    except (*WRONG, RecursionError):
        return None
    if not events or method not in METHODS:
        return None
    # The series goes before the occurrences that differ.
    events.sort(key=lambda event: "RECURRENCE-ID" in event)
    try:
        return _meeting(method, events, zones.read(skipped))
    except WRONG:
        return None


def _without_rules(lines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the lines outside of time zones and alarms, and those of each zone."""
    kept, skipped = list[str](), list[list[str]]()
    inside = ""
    for line in lines:
        word, _, name = line.strip().partition(":")
        word, name = word.upper(), name.upper()
        if not inside and word == "BEGIN" and SKIPPED.fullmatch(name):
            inside = name
            if name == "VTIMEZONE":
                skipped.append([])
        elif not inside:
            kept.append(line)
        elif word == "END" and name == inside:
            inside = ""
        elif inside == "VTIMEZONE":
            skipped[-1].append(line.strip())
    return kept, skipped


def _meeting(method: str, events: Sequence[Event], known: zones.Zones) -> Meeting:
    event = events[0]
    start, zone = _when(event, "DTSTART", known)
    end, _ = _when(event, "DTEND", known)
    length = getattr(_value(event, "DURATION"), "dt", None)
    if end is None and start is not None and isinstance(length, timedelta):
        end = start + length
    stamp, _ = _when(event, "DTSTAMP", known)
    occurrence, _ = _when(event, "RECURRENCE-ID", known)
    return Meeting(
        method,
        _text(event, "UID")[:1000],
        max(0, min(_number(event, "SEQUENCE"), 1 << 31)),
        stamp if isinstance(stamp, datetime) and stamp.tzinfo else None,
        occurrence,
        _text(event, "SUMMARY")[:500],
        _text(event, "LOCATION")[:1000],
        _plain(_text(event, "DESCRIPTION")),
        start,
        end,
        zone,
        _rule(event),
        _person(_value(event, "ORGANIZER")),
        tuple(_people(event)),
        _text(event, "STATUS").upper() == "CANCELLED" or method == "cancel",
        len(events) - 1,
    )


def _value(component: Any, name: str) -> Any:
    """Return a property, the first of several; None where it cannot be read."""
    found = component.get(name)
    if isinstance(found, list):
        found = found[0] if found else None
    return None if isinstance(found, vBroken) else found


def _text(event: Event, name: str) -> str:
    return str(_value(event, name) or "")[:LONGEST_TEXT].strip()


def _number(event: Event, name: str) -> int:
    value = _value(event, name)
    return int(value) if isinstance(value, int) else 0


def _plain(text: str) -> str:
    """Return a description as text: many programs write HTML there."""
    return to_text(text) if HTML.search(text) else text


def _when(event: Event, name: str, known: zones.Zones) -> tuple[When | None, str]:
    """Return a time, and the name of its zone if nobody knows that one."""
    value = _value(event, name)
    found = getattr(value, "dt", None)
    if not isinstance(found, date):
        return None, ""
    if not isinstance(found, datetime) or found.tzinfo is not None:
        return _sane(found), ""
    named = str(value.params.get("TZID", ""))[:100]
    zone = zones.of(known, named, found) if named else None
    return _sane(found.replace(tzinfo=zone)), "" if zone else named


def _sane(found: When) -> When | None:
    """Return a time that arithmetic and time zones cannot carry out of the calendar."""
    return found if 2 <= found.year <= 9990 else None


def _rule(event: Event) -> dict[str, list[str]]:
    """Return the parts of the recurrence rule as text, in upper case."""
    value = _value(event, "RRULE")
    if not isinstance(value, dict):
        return {}
    found = {}
    for name, parts in list(value.items())[:20]:
        several = parts if isinstance(parts, list) else [parts]
        found[str(name).upper()] = [_spelled(one) for one in several[:31]]
    return found


def _spelled(part: object) -> str:
    if isinstance(part, datetime):
        aware = part if part.tzinfo else part.replace(tzinfo=UTC)
        return aware.isoformat()
    return part.isoformat() if isinstance(part, date) else str(part).upper()[:50]


def _people(event: Event) -> list[Person]:
    found = event.get("ATTENDEE") or []
    several = found if isinstance(found, list) else [found]
    people = [_person(one) for one in several[:MOST_PEOPLE]]
    return list({one.address: one for one in reversed(people) if one}.values())[::-1]


def _person(value: Any) -> Person | None:
    """Return somebody who is named by an address; others cannot be written to."""
    if value is None or isinstance(value, vBroken):
        return None
    address = address_in(str(value))
    if address is None:
        return None
    given = {k: str(v)[:200] for k, v in getattr(value, "params", {}).items()}
    name = " ".join(given.get("CN", "").strip('"').split())
    by = address_in(given.get("SENT-BY", ""))
    return Person(
        "".join(c for c in name if c.isprintable()),
        address.addr.casefold(),
        given.get("PARTSTAT", "").lower(),
        given.get("ROLE", "").upper() in {"OPT-PARTICIPANT", "NON-PARTICIPANT"},
        by.addr.casefold() if by else "",
    )


def address_in(url: str) -> Address | None:
    """Return the one address of a mailto: URL, None for anything else. RFC 6068."""
    scheme, _, rest = url.strip().strip('"').partition(":")
    if scheme.lower() != "mailto" or len(rest) > 320 or "?" in rest or "%" in rest:
        return None
    if any(c.isspace() or ord(c) < 33 or c in '<>,;:"' for c in rest):
        return None
    found = parse_addresses(rest.encode("utf-8", "replace"))
    whole = len(found) == 1 and bool(found[0].mailbox and found[0].host)
    return found[0] if whole else None
