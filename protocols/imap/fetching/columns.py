"""How each item of a FETCH response is written, for a batch of messages at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

from mailhost.mime import imap
from protocols.imap.fetching.batch import Batch, picked
from protocols.imap.fetching.items import FROM_CONTENT, Body, Wanted
from protocols.imap.flagtext import flag_lists
from protocols.imap.parser import MONTHS

# A value for each message.
Values = Callable[[Batch], Sequence[Any]]
# What the item looks like, with one hole, and what fills it.
Column = tuple[bytes, Values]


def column(one: Wanted) -> Column:
    """Return how an item is written."""
    if isinstance(one, Body):
        return escaped(one.label) + b" %b", lambda batch: batch.bodies[one.label]
    if one.name in COLUMNS:
        return COLUMNS[one.name]
    name = FROM_CONTENT[one.name]
    return one.name.encode() + b" %b", lambda batch: batch.content[name]


def escaped(label: bytes) -> bytes:
    """Write a label into a template."""
    return label.replace(b"%", b"%%")


def date_time(seconds: int) -> bytes:
    """Write date-time without its quotes, in UTC. RFC 9051 §9."""
    day, second = divmod(seconds, 86_400)
    return b"%b %02d:%02d:%02d +0000" % (
        _date(day), second // 3600, second // 60 % 60, second % 60,
    )  # fmt: skip


@lru_cache(maxsize=8192)
def _date(day: int) -> bytes:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return f"{at.day:2d}-{MONTHS[at.month - 1]}-{at:%Y}".encode()


def _thread(value: int | None) -> bytes:
    return b"NIL" if value is None else b"(T%x)" % value


def _saved(value: datetime) -> bytes:
    return b'"%b"' % date_time(int(value.timestamp()))


COLUMNS: dict[str, Column] = {
    "UID": (b"UID %d", attrgetter("uids")),
    "FLAGS": (b"FLAGS %b", lambda b: flag_lists(b.now, b.at, b.recent_from)),
    "RFC822.SIZE": (b"RFC822.SIZE %d", lambda b: picked(b.now.sizes, b.at)),
    "MODSEQ": (b"MODSEQ (%d)", lambda b: picked(b.now.modseqs, b.at)),
    "INTERNALDATE": (
        b'INTERNALDATE "%b"',
        lambda b: [date_time(at) for at in picked(b.now.dates, b.at)],
    ),
    "EMAILID": (
        b"EMAILID (%b)",
        lambda b: [b"M%x" % value for value in b.message["email_id"]],
    ),
    "THREADID": (
        b"THREADID %b",
        lambda b: [_thread(value) for value in b.message["thread_id"]],
    ),
    "SAVEDATE": (
        b"SAVEDATE %b",
        lambda b: [_saved(value) for value in b.message["saved_at"]],
    ),
    "PREVIEW": (
        b"PREVIEW %b",
        lambda b: [imap.string(value.encode()) for value in b.content["preview"]],
    ),
}
