"""A search, as a tree: for texts, and for facts that are no text.

Whether a document matches the texts is told here. What a fact says of a message its
row tells (store.facts): facts are replaced by what they are before documents are read.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Union

from mailhost.search.trigrams import trigrams

# What a document is made of. The first four hold fields, "NAME: value" each.
FIELD_COLUMNS = ("sender", "recipients", "subject", "header")
COLUMNS = (*FIELD_COLUMNS, "nested", "body")
# What a person reads of a letter, and the names of fields that stand in the column.
READ = {
    "sender": "FROM: ",
    "recipients": "TO: CC: BCC: ",
    "subject": "SUBJECT: ",
    "body": "",
}
COLUMN_OF = {
    "FROM": "sender",
    "TO": "recipients",
    "CC": "recipients",
    "BCC": "recipients",
    "SUBJECT": "subject",
}
LONGEST = 64  # characters of a needle that the engine is asked for
SEPARATOR = "\x1f"  # around every piece of a column; no piece holds one

Texts = Mapping[str, str]  # column -> folded text
Test = Callable[[Texts], bool]


class Where(enum.Enum):
    """What a text is looked for in."""

    FIELD = enum.auto()  # fields of one name
    BODY = enum.auto()
    TEXT = enum.auto()  # everything
    READ = enum.auto()  # what a person reads; no column that has it in its names


@dataclass(frozen=True, slots=True)
class Contains:
    """Those in which the needle occurs; an empty one where there is such a field."""

    where: Where
    needle: str
    field: str = ""  # upper case, of FIELD

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        if self.where is Where.BODY:
            return ("body",)
        if self.where is Where.READ:
            return tuple(n for n, names in READ.items() if self.needle not in names)
        if self.where is Where.TEXT:
            return COLUMNS
        return (COLUMN_OF.get(self.field, "header"),)

    @property
    def necessary(self) -> str:
        """A text without which none of the columns matches; "" says nothing.

        It is short, so that an engine's naive comparison stays quick on any text.
        """
        if self.columns == ("header",) and not trigrams(self.needle):
            return f"{SEPARATOR}{self.field[:LONGEST]}"
        return self.needle[:LONGEST]


class Trait(enum.Enum):
    """What a fact is about, and the type of its value."""

    HAVING = enum.auto()  # flags, one of these bits: int
    KEYWORD = enum.auto()  # str, lower case
    LARGER = enum.auto()  # octets: int
    SINCE = enum.auto()  # the date it arrived: datetime
    FOLDERS = enum.auto()  # ids: tuple
    ATTACHMENT = enum.auto()  # has one
    FILENAME = enum.auto()  # part of the name of one, folded: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Those of which this is true, whatever their texts."""

    trait: Trait
    value: int | str | datetime | tuple[int, ...] = 0


@dataclass(frozen=True, slots=True)
class And:
    """Those that match all."""

    queries: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Those that match any."""

    queries: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Those that do not match."""

    query: "Query"


Query = Union[Contains, Fact, And, Or, Not]  # noqa: UP007 - it names itself


def columns(query: Query) -> tuple[str, ...]:
    """Return the columns that decide about the query, in the order of COLUMNS."""
    wanted = _columns(query)
    return tuple(name for name in COLUMNS if name in wanted)


def _columns(query: Query) -> set[str]:
    match query:
        case Contains():
            return set(query.columns)
        case Fact():
            return set()
        case Not(inner):
            return _columns(inner)
        case And(queries) | Or(queries):
            return set().union(*map(_columns, queries))


def test_of(query: Query) -> Test:
    """Return the function that tells whether a document matches."""
    match query:
        case Contains(Where.FIELD):
            return _field_test(query)
        case Contains():
            names, needle = query.columns, query.needle
            return lambda texts: any(needle in texts[name] for name in names)
        case Fact():
            raise TypeError("a document knows no facts")
        case Not(inner):
            test = test_of(inner)
            return lambda texts: not test(texts)
        case And(queries):
            tests = [test_of(one) for one in queries]
            return lambda texts: all(test(texts) for test in tests)
        case Or(queries):
            tests = [test_of(one) for one in queries]
            return lambda texts: any(test(texts) for test in tests)


def facts(query: Query) -> tuple[Fact, ...]:
    """Return the facts of a query, each once."""
    match query:
        case Contains():
            return ()
        case Fact():
            return (query,)
        case Not(inner):
            return facts(inner)
        case And(queries) | Or(queries):
            return tuple(dict.fromkeys(f for one in queries for f in facts(one)))


def settled(query: Query, truth: Mapping[Fact, bool]) -> Query | bool:
    """Return what is left of a query once its facts are known."""
    match query:
        case Contains():
            return query
        case Fact():
            return truth[query]
        case Not(inner):
            left = settled(inner, truth)
            return not left if isinstance(left, bool) else Not(left)
        case And(queries) | Or(queries):
            ends = isinstance(query, Or)  # of these one decides, of the others none
            parts = [settled(one, truth) for one in queries]
            if ends in parts:
                return ends
            open_ = tuple(part for part in parts if not isinstance(part, bool))
            return type(query)(open_) if open_ else not ends


def _field_test(query: Contains) -> Test:
    (column,) = query.columns
    start, needle = f"{SEPARATOR}{query.field}: ", query.needle
    if ":" in query.field:  # no field's name; what follows it would be a value
        return lambda _: False

    def test(texts: Texts) -> bool:
        text = texts[column]
        if needle not in text:
            return False
        at = text.find(start)
        while at >= 0:
            value = at + len(start)
            end = text.find(SEPARATOR, value)
            if text.find(needle, value, end) >= 0:
                return True
            at = text.find(start, end)
        return False

    return test
