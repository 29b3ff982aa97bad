"""search-key. RFC 9051 §9.

WITHIN is RFC 5032 §2, SAVEDATE RFC 8514 §6, FUZZY RFC 6203 §7, FILTER RFC 5466 §4,
UIDAFTER and UIDBEFORE RFC 9738 §3.2.
"""

import time
from collections.abc import Callable
from datetime import datetime

from mailhost.store import flags as f
from protocols.imap.errors import Bad
from protocols.imap.parser import MAX_DEPTH, MAX_UINT32, Parser
from protocols.imap.searching.charsets import UTF8, decoded
from protocols.imap.searching.keys import (
    All,
    Among,
    And,
    Arrived,
    Filter,
    Flags,
    Fuzzy,
    Key,
    Keyword,
    Not,
    ObjectId,
    Or,
    Recent,
    Saved,
    Sent,
    Since,
    Size,
    Text,
    Where,
)
from protocols.imap.sequence import SequenceSet
from protocols.imap.wording import say

MOST_KEYS = 1_000
DAY = 86_400
NOTHING = Not(All())

PLAIN: dict[str, Key] = {
    "ALL": All(),
    "ANSWERED": Flags(f.ANSWERED, f.ANSWERED),
    "DELETED": Flags(f.DELETED, f.DELETED),
    "DRAFT": Flags(f.DRAFT, f.DRAFT),
    "FLAGGED": Flags(f.FLAGGED, f.FLAGGED),
    "SEEN": Flags(f.SEEN, f.SEEN),
    "UNANSWERED": Flags(f.ANSWERED, 0),
    "UNDELETED": Flags(f.DELETED, 0),
    "UNDRAFT": Flags(f.DRAFT, 0),
    "UNFLAGGED": Flags(f.FLAGGED, 0),
    "UNSEEN": Flags(f.SEEN, 0),
    "NEW": And((Recent(), Flags(f.SEEN, 0))),
    "OLD": Not(Recent()),
    "RECENT": Recent(),
    "SAVEDATESUPPORTED": All(),
}
FIELDS = {"BCC", "CC", "FROM", "SUBJECT", "TO"}


class SearchParser:
    """Reads keys off a Parser, counting them."""

    def __init__(self, p: Parser, codec: str = UTF8) -> None:
        self.p = p
        self.codec = codec  # of the texts looked for
        self.count = 0
        self.depth = 0

    def text(self) -> str:
        """Read an astring in the charset of the search."""
        return decoded(self.p.astring_octets(), self.codec)

    def keys(self) -> Key:
        """Read search-key *(SP search-key): all must match."""
        found = [self.key()]
        while self.p.takes(b" "):
            found.append(self.key())
        return found[0] if len(found) == 1 else And(tuple(found))

    def key(self) -> Key:
        self.count += 1
        self.depth += 1
        if self.count > MOST_KEYS or self.depth > MAX_DEPTH:
            raise Bad("The search is too complex", "LIMIT")
        found = self._key()
        self.depth -= 1
        return found

    def _key(self) -> Key:
        p = self.p
        if p.takes(b"("):
            inner = self.keys()
            p.literally(b")")
            return inner
        if p.next().isdigit() or p.next() in {b"*", b"$"}:
            return Among(p.sequence_set(), by_uid=False)
        name = p.atom().upper()
        if name in PLAIN:
            return PLAIN[name]
        p.sp()
        if name in FIELDS:
            return Text(Where.HEADER, self.text(), name)
        reader = READERS.get(name)
        if reader is None:
            raise Bad(say("Unknown search key {}", name[:40]))
        return reader(self)


def _not(s: SearchParser) -> Key:
    return Not(s.key())


def _or(s: SearchParser) -> Key:
    first = s.key()
    s.p.sp()
    return Or((first, s.key()))


def _header(s: SearchParser) -> Key:
    field = s.p.astring()
    s.p.sp()
    return Text(Where.HEADER, s.text(), field)


def _filter(s: SearchParser) -> Key:
    name = s.p.atom()
    if "/" in name:
        raise Bad("The name of a filter holds no slash")
    return Filter(name)


def _modseq(s: SearchParser) -> Key:
    if s.p.next() == b'"':  # an entry and its kind: all flags share one mod-sequence
        s.p.string()
        s.p.sp()
        if s.p.atom().lower() not in {"priv", "shared", "all"}:
            raise Bad("Unknown kind of entry")
        s.p.sp()
    return Since(s.p.mod_sequence())


def _uids(first: int, last: int) -> Key:
    """Return those of a range: the last message is not taken for its end. RFC 9738."""
    ranges = ((first, last),) if first <= last else ()
    return Among(SequenceSet(ranges), by_uid=True)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _day(at: datetime) -> tuple[int, int, int]:
    return at.year, at.month, at.day


def _next_day(at: datetime) -> tuple[int, int, int]:
    return at.year, at.month, at.day + 1  # compared as a tuple, never made a date


def _interval(s: SearchParser) -> int:
    seconds = s.p.number32()
    if not seconds:
        raise Bad("Expected a number above 0")
    return int(time.time()) - seconds


def _object_id(s: SearchParser, letter: str, column: str) -> Key:
    written = s.p.astring()
    try:
        return ObjectId(column, int(written.removeprefix(letter), 16))
    except ValueError:
        return NOTHING


READERS: dict[str, Callable[[SearchParser], Key]] = {
    "NOT": _not,
    "FUZZY": lambda s: Fuzzy(s.key()),
    "FILTER": _filter,
    "OR": _or,
    "UID": lambda s: Among(s.p.sequence_set(), by_uid=True),
    "UIDAFTER": lambda s: _uids(s.p.nz_number() + 1, MAX_UINT32),
    "UIDBEFORE": lambda s: _uids(1, s.p.nz_number() - 1),
    "KEYWORD": lambda s: Keyword(s.p.atom().lower()),
    "UNKEYWORD": lambda s: Not(Keyword(s.p.atom().lower())),
    "LARGER": lambda s: Size(over=s.p.number()),
    "SMALLER": lambda s: Size(under=s.p.number()),
    "BEFORE": lambda s: Arrived(end=_seconds(s.p.date())),
    "SINCE": lambda s: Arrived(start=_seconds(s.p.date())),
    "ON": lambda s: (lambda t: Arrived(t, t + DAY))(_seconds(s.p.date())),
    "SENTBEFORE": lambda s: Sent(end=_day(s.p.date())),
    "SENTSINCE": lambda s: Sent(start=_day(s.p.date())),
    "SENTON": lambda s: (lambda d: Sent(_day(d), _next_day(d)))(s.p.date()),
    "SAVEDBEFORE": lambda s: Saved(end=_seconds(s.p.date())),
    "SAVEDSINCE": lambda s: Saved(start=_seconds(s.p.date())),
    "SAVEDON": lambda s: (lambda t: Saved(t, t + DAY))(_seconds(s.p.date())),
    "YOUNGER": lambda s: Arrived(start=_interval(s)),
    "OLDER": lambda s: Arrived(end=_interval(s) + 1),
    "HEADER": _header,
    "BODY": lambda s: Text(Where.BODY, s.text()),
    "TEXT": lambda s: Text(Where.TEXT, s.text()),
    "MODSEQ": _modseq,
    "EMAILID": lambda s: _object_id(s, "M", "email_id"),
    "THREADID": lambda s: _object_id(s, "T", "thread_id"),
}
