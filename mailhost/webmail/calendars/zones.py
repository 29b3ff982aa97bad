"""Offsets of time zones that only the file itself describes. RFC 5545 §3.6.5.

A rule is never expanded: of a year one change is computed, by month and weekday. What
says more than that counts as if it had no rule.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

MOST_ZONES = 20
MOST_CHANGES = 100  # of one zone
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?\Z")
NTH_DAY = re.compile(r"(-?[1-5])([A-Z]{2})\Z")
STAMP = re.compile(r"\d{8}T\d{6}")
LINE = re.compile(r"([A-Z-]+)(?:;[^:]*)?:(.*)\Z")


@dataclass(frozen=True, slots=True)
class Change:
    """Since when an offset holds, and, with a month, on which day it comes again."""

    start: datetime
    offset: timedelta
    month: int = 0
    nth: int = 0
    weekday: int = 0

    def last_before(self, when: datetime) -> datetime | None:
        """Return the newest change at or before a local time."""
        if when < self.start:
            return None
        if not self.month:
            return self.start
        for year in (when.year, when.year - 1):
            day = self._day(year)
            if day is not None and self.start <= day <= when:
                return day
        return self.start

    def _day(self, year: int) -> datetime | None:
        first, length = calendar.monthrange(year, self.month)
        days = list(range(1 + (self.weekday - first) % 7, length + 1, 7))
        at = self.nth - 1 if self.nth > 0 else self.nth
        if not -len(days) <= at < len(days):
            return None
        return self.start.replace(year=year, month=self.month, day=days[at])


Zones = Mapping[str, Sequence[Change]]


def read(blocks: Sequence[Sequence[str]]) -> dict[str, list[Change]]:
    """Return the changes of each zone; a block are the lines of one VTIMEZONE."""
    found: dict[str, list[Change]] = {}
    for lines in blocks[:MOST_ZONES]:
        name, fields = "", dict[str, str]()
        changes = list[Change]()
        for line in lines:
            match = LINE.match(line)
            if match is None:
                continue
            key, value = match[1], match[2].strip()
            if key == "TZID":
                name = value
            elif key == "BEGIN":
                fields = {}
            elif key == "END" and len(changes) < MOST_CHANGES:
                changes += [one for one in [_change(fields)] if one]
                fields = {}
            else:
                fields[key] = value
        found[name] = changes
    return found


def _change(fields: Mapping[str, str]) -> Change | None:
    stamp, to = fields.get("DTSTART", ""), OFFSET.match(fields.get("TZOFFSETTO", ""))
    if to is None or not STAMP.match(stamp):
        return None
    seconds = int(to[2]) * 3600 + int(to[3]) * 60 + int(to[4] or 0)
    offset = timedelta(seconds=-seconds if to[1] == "-" else seconds)
    try:
        start = datetime.strptime(stamp[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local
        timezone(offset)
    except ValueError:
        return None
    rule = dict(part.partition("=")[::2] for part in fields.get("RRULE", "").split(";"))
    day = NTH_DAY.match(rule.get("BYDAY", ""))
    month = rule.get("BYMONTH", "")
    known = rule.get("FREQ") == "YEARLY" and month.isdigit() and len(month) < 3
    if known and day and day[2] in DAYS and 1 <= int(month) <= 12:
        return Change(start, offset, int(month), int(day[1]), DAYS.index(day[2]))
    return Change(start, offset)


def of(zones: Zones, name: str, local: datetime) -> tzinfo | None:
    """Return the offset that a zone of the file has at a local time, None: unknown."""
    changes = zones.get(name, ())
    past = [(day, one) for one in changes if (day := one.last_before(local))]
    if past:
        return timezone(max(past, key=lambda pair: pair[0])[1].offset)
    return timezone(changes[0].offset) if changes else None
