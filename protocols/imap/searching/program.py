"""What a searching command asks for, from its words to the rows that were found."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from mailhost.store.sorting import Criterion, order
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad
from protocols.imap.modseqs import make_aware
from protocols.imap.parser import Parser
from protocols.imap.searching.charsets import ASCII, UTF8, charset
from protocols.imap.searching.evaluate import matching, search
from protocols.imap.searching.filters import resolve
from protocols.imap.searching.fuzzy import is_fuzzy, relevance
from protocols.imap.searching.grammar import SearchParser
from protocols.imap.searching.keys import Among, Filter, Key, Since, inside
from protocols.imap.searching.options import Options
from protocols.imap.selected import Selected
from protocols.imap.session import Session
from protocols.imap.wording import say

RELEVANCY = "relevancy"
SORT_KEYS = {
    "ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO",  # RFC 5256 §5
    "DISPLAYFROM", "DISPLAYTO",  # RFC 5957 §5
    "RELEVANCY",  # RFC 6203 §7
}  # fmt: skip
MOST_CRITERIA = 20


@dataclass(frozen=True, slots=True)
class Program:
    """A search, and how its result is to be ordered and told.

    `options` None: the old response is wanted. `criteria` None: it is a SEARCH.
    """

    key: Key
    options: Options | None = None
    criteria: tuple[Criterion, ...] | None = None
    by_uid: bool = False
    names_charset: bool = False

    @property
    def needs_scores(self) -> bool:
        """Whether how well a message matches is asked for."""
        return (self.options is not None and "RELEVANCY" in self.options) or any(
            one.key == RELEVANCY for one in self.criteria or ()
        )

    @property
    def asks_modseq(self) -> bool:
        """Whether the answer tells a mod-sequence. RFC 7162 §3.1.5."""
        return any(isinstance(one, Since) for one in inside(self.key))


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of `selected.now` in the order asked for; scores of rows if asked for."""

    rows: Sequence[int]
    scores: dict[int, int]


Finding = Generator[bytes | Effect, Any, Found]


def search_program(p: Parser) -> tuple[Key, bool]:
    """Read ["CHARSET" SP charset SP] search-key *(SP search-key).

    Returns the key, and whether a charset was named.
    """
    named = p.octets[p.offset : p.offset + 8].upper() == b"CHARSET "
    if not named:
        return _keys(p, UTF8), False
    p.offset += 8
    codec = charset(p)
    p.sp()
    return _keys(p, codec), True


def search_criteria(p: Parser) -> Key:
    """Read charset 1*(SP search-key). RFC 5256 §5."""
    codec = charset(p)
    p.sp()
    return _keys(p, codec)


def _keys(p: Parser, codec: str) -> Key:
    key = SearchParser(p, codec).keys()
    if codec not in {UTF8, ASCII} and any(isinstance(k, Filter) for k in inside(key)):
        raise Bad("A filter is UTF-8", "BADCHARSET (US-ASCII UTF-8)")  # RFC 5466 §3.1
    return key


def sort_criteria(p: Parser) -> tuple[Criterion, ...]:
    """Read "(" sort-criterion *(SP sort-criterion) ")"."""
    p.literally(b"(")
    found: list[Criterion] = []
    while True:
        name = p.atom().upper()
        reverse = name == "REVERSE"
        if reverse:
            p.sp()
            name = p.atom().upper()
        if name not in SORT_KEYS:
            raise Bad(say("Unknown sort key {}", name[:40]))
        found.append(Criterion(name.lower(), reverse))
        if len(found) > MOST_CRITERIA:
            raise Bad("Too many sort keys", "LIMIT")
        if p.takes(b")"):
            return tuple(found)
        p.sp()


def settled(session: Session, program: Program) -> Generator[bytes | Effect, Any, Key]:
    """Return the key as it is searched for. Raises Bad for what cannot be asked."""
    if program.names_charset and "UTF8=ACCEPT" in session.enabled:
        raise Bad("The charset is UTF-8 since UTF8=ACCEPT")  # RFC 6855 §3
    if program.asks_modseq:
        yield from make_aware(session)
    key = yield from resolve(session, program.key)
    if any(isinstance(one, Among) and one.is_by_number for one in inside(key)):
        session.use_numbers()
    if program.needs_scores and not is_fuzzy(key):
        raise Bad("RELEVANCY needs a FUZZY key")  # RFC 6203 §4
    return key


def find(selected: Selected, key: Key, program: Program) -> Finding:
    """Search, score and sort."""
    rows = yield from matching(selected, key)
    scores: dict[int, int] = {}
    if program.needs_scores:
        scores = yield from relevance(search, selected, key, rows)
    if program.criteria is not None:
        given = scores if program.needs_scores else None
        rows = yield Read(order, (selected.now, rows, program.criteria, given))
    return Found(rows, scores)
