"""When a message may come back: the times that are offered, and a time of one's own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts import locales

MORNING, EVENING = 8, 18  # hours
SATURDAY = 5  # day of a week
LONGEST = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Offer:
    """A time by its name, in the user's own zone."""

    key: str
    text: str
    when: datetime


def offers(now: datetime | None = None) -> list[Offer]:
    """Return what is offered now."""
    now = timezone.localtime(now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    evening = hour.replace(hour=EVENING)
    late = evening if now < evening - timedelta(hours=2) else hour + timedelta(hours=3)
    found = [
        Offer("tomorrow", _("Tomorrow"), _morning(now, 1)),
        Offer("weekend", _("This weekend"), _morning(now, _days(now, SATURDAY))),
        Offer("week", _("Next week"), _morning(now, _days(now, locales.first_day()))),
    ]
    if late.date() == now.date():
        found.insert(0, Offer("later", _("Later today"), late))
    return found


def _morning(now: datetime, days: int) -> datetime:
    """Return the morning some days from now, whatever the clocks do between."""
    day = (now + timedelta(days=days)).date()
    made = datetime(day.year, day.month, day.day, MORNING)  # noqa: DTZ001 - aware next
    return timezone.make_aware(made)


def _days(now: datetime, weekday: int) -> int:
    """Return how many days it is to the next such day; today is none."""
    return (weekday - now.weekday() - 1) % 7 + 1


def read(text: str) -> datetime | None:
    """Return the time that a form means: the key of an offer, or a date and time.

    None for what cannot be read, is over, or too far away.
    """
    for one in offers():
        if one.key == text:
            return one.when
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None:
        return None
    if timezone.is_naive(found):
        found = timezone.make_aware(found)
    now = timezone.now()
    return found if now < found < now + LONGEST else None
