"""Where a page of a list ends, as a query string carries it: microseconds.number."""

from datetime import UTC, datetime, timedelta

from mailhost.store.values import Place

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def read(text: str | None) -> Place | None:
    """Read what `written` wrote; None for anything else."""
    date, _, number = (text or "").partition(".")
    if not all(n.isascii() and n.isdigit() and len(n) <= 18 for n in (date, number)):
        return None
    try:
        return Place(EPOCH + int(date) * MICROSECOND, int(number))
    except OverflowError:
        return None


def written(place: Place | None) -> str | None:
    """Return the text of a place."""
    if place is None:
        return None
    return f"{(place.date - EPOCH) // MICROSECOND}.{place.id}"
