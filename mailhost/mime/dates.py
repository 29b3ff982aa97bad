"""The Date field. RFC 5322 §3.3, obsolete forms §4.3; broken zones as RFC 5256 §2.2."""

import re
from datetime import UTC, datetime, timedelta

from mailhost.mime.parameters import without_comments

# [day-of-week ","] day month year [hour ":" minute [":" second]] [zone]
DATE = re.compile(
    rb"\s*+(?:[A-Za-z]++\.?+\s*+,?+\s*+)?+(\d{1,2})[\s\-]++([A-Za-z]{3})[A-Za-z]*+\.?+"
    rb"[\s\-,]++(\d{2,4})(?!\d)"
    rb"(?:\s++(\d{1,2})\s*+[:.]\s*+(\d{1,2})(?:\s*+[:.]\s*+(\d{1,2}))?+(?:\.\d*+)?+)?+"
    rb"\s*+([+-]\d{4}(?!\d)|[A-Za-z]++)?+"
)
_MONTHS = {
    month: number
    for number, month in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1
    )
}
# Hours east of UTC.                                                    RFC 5322 §4.3
_ZONES = {b"edt": -4, b"est": -5, b"cdt": -5, b"cst": -6}
_ZONES |= {b"mdt": -6, b"mst": -7, b"pdt": -7, b"pst": -8}


def parse_date(value: bytes) -> datetime | None:
    """Return the date in UTC; None if there is no day, month and year in it."""
    match = DATE.match(without_comments(value[:200]))
    month = _MONTHS.get(match[2].lower()) if match else None
    if match is None or month is None:
        return None
    hour, minute, second = (int(match[n] or 0) for n in (4, 5, 6))
    if hour > 23 or minute > 59 or second > 60:
        hour = minute = second = 0
    try:
        day = datetime(_year(match[3]), month, int(match[1]), tzinfo=UTC)
        local = timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
        return day + local - _offset(match[7] or b"")
    except (ValueError, OverflowError):
        return None


def _year(digits: bytes) -> int:
    """RFC 5322 §4.3: two digits below 50 are 20xx, others and three digits 19xx."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _offset(zone: bytes) -> timedelta:
    """Return how far east of UTC a zone is; an unknown or impossible one is UTC."""
    if zone[:1] in (b"+", b"-"):
        hours, minutes = int(zone[1:3]), int(zone[3:5])
        if hours > 23 or minutes > 59:
            return timedelta()
        east = timedelta(hours=hours, minutes=minutes)
        return -east if zone[:1] == b"-" else east
    return timedelta(hours=_ZONES.get(zone.lower(), 0))
