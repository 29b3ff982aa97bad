"""When a meeting is, and how it repeats, in words of the reader's language and zone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from django.utils import formats, timezone
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailhost.webmail.calendars.reading import Meeting, When
from mailhost.webmail.calendars.zones import DAYS

Rule = Mapping[str, Sequence[str]]
DATED = frozenset(("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"))


def when(meeting: Meeting) -> str:
    """Return when it is: a day, days, or from then to then."""
    start, end = meeting.start, meeting.end
    if start is None:
        return ""
    if not isinstance(start, datetime):
        return _days(start, end)
    begins = local(start)
    day = formats.date_format(begins, "DATE_FORMAT")
    named = _("%(weekday)s, %(day)s, %(time)s") % {
        "weekday": WEEKDAYS[begins.weekday()],
        "day": day,
        "time": formats.time_format(begins, "TIME_FORMAT"),
    }
    if not isinstance(end, datetime):
        return named
    ends = local(end)
    if ends <= begins:
        return named
    until = formats.time_format(ends, "TIME_FORMAT")
    if ends.date() != begins.date():
        until = f"{formats.date_format(ends, 'DATE_FORMAT')}, {until}"
    return f"{named} – {until}"


def local(moment: datetime) -> datetime:
    """Return it in the reader's zone; what has no zone stays what it says."""
    return timezone.localtime(moment) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _days(start: date, end: When | None) -> str:
    first = formats.date_format(start, "DATE_FORMAT")
    # The end is the day after the last. RFC 5545 §3.6.1
    last = end - timedelta(days=1) if end and not isinstance(end, datetime) else start
    if last > start:
        return f"{first} – {formats.date_format(last, 'DATE_FORMAT')}"
    return _("%(weekday)s, %(day)s, all day") % {
        "weekday": WEEKDAYS[start.weekday()],
        "day": first,
    }


def repeats(rule: Rule) -> str:
    """Return how it repeats, "" for not at all. RFC 5545 §3.3.10."""
    if not rule.get("FREQ"):
        return ""
    every = _number(rule, "INTERVAL") or 1
    makes = {
        "DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly,
    }  # fmt: skip
    make = makes.get(rule["FREQ"][0])
    text = make(rule, every) if make else ""
    text = text or _("Repeats, by a rule of its own")
    return f"{text}{_ends(rule)}"


def _only(rule: Rule, *names: str) -> bool:
    return set(rule) <= {*DATED, *names}


def _number(rule: Rule, name: str) -> int:
    text = (rule.get(name) or [""])[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _daily(rule: Rule, every: int) -> str:
    if not _only(rule):
        return ""
    return ngettext("Every day", "Every %(n)d days", every) % {"n": every}


def _weekly(rule: Rule, every: int) -> str:
    days = _weekdays(rule.get("BYDAY", ()))
    if not _only(rule, "BYDAY") or days is None:
        return ""
    text = ngettext("Every week", "Every %(n)d weeks", every) % {"n": every}
    return _("%(every)s on %(days)s") % {"every": text, "days": days} if days else text


def _weekdays(names: Sequence[str]) -> str | None:
    if not all(name in DAYS for name in names):
        return None
    return ", ".join(str(WEEKDAYS[DAYS.index(name)]) for name in names)


def _monthly(rule: Rule, every: int) -> str:
    text = ngettext("Every month", "Every %(n)d months", every) % {"n": every}
    if _only(rule):
        return text
    where = _in_month(rule)
    return _("%(every)s on %(days)s") % {"every": text, "days": where} if where else ""


def _in_month(rule: Rule) -> str:
    """Return which day of a month, "" for what has no words here."""
    if _only(rule, "BYMONTHDAY", "BYMONTH"):
        days = rule.get("BYMONTHDAY", ())
        if days and all(day.isdigit() for day in days):
            return _("day %s") % ", ".join(days)
        return _("the last day") if list(days) == ["-1"] else ""
    if not _only(rule, "BYDAY", "BYSETPOS", "BYMONTH") or len(rule["BYDAY"]) != 1:
        return ""
    day = rule["BYDAY"][0]
    nth, name = (day[:-2] or (rule.get("BYSETPOS") or [""])[0]).lstrip("+"), day[-2:]
    nths = {
        "1": _("the first %s"), "2": _("the second %s"), "3": _("the third %s"),
        "4": _("the fourth %s"), "5": _("the fifth %s"), "-1": _("the last %s"),
    }  # fmt: skip
    if nth not in nths or name not in DAYS:
        return ""
    return nths[nth] % WEEKDAYS[DAYS.index(name)]


def _yearly(rule: Rule, every: int) -> str:
    text = ngettext("Every year", "Every %(n)d years", every) % {"n": every}
    if _only(rule):
        return text
    months = rule.get("BYMONTH", ())
    where = _in_month(rule) if _only(rule, "BYMONTH", "BYMONTHDAY", "BYDAY") else ""
    number = int(months[0]) if len(months) == 1 and months[0].isdigit() else 0
    if not where or number not in MONTHS:
        return ""
    named = {"every": text, "days": where, "month": MONTHS[number]}
    return _("%(every)s on %(days)s of %(month)s") % named


def _ends(rule: Rule) -> str:
    if count := _number(rule, "COUNT"):
        return ngettext(", %d time", ", %d times", count) % count
    until = (rule.get("UNTIL") or [""])[0]
    if not until:
        return ""
    try:
        day = date.fromisoformat(until[:10])
        if "T" in until:
            day = local(datetime.fromisoformat(until)).date()
    except (ValueError, OverflowError):
        return ""
    return _(", until %s") % formats.date_format(day, "DATE_FORMAT")
