"""A search for texts, as a tree; and whether a document matches it."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Union

from mailhost.search.trigrams import trigrams

# What a document is made of. The first four hold fields, "NAME: value" each.
FIELD_COLUMNS = ("sender", "recipients", "subject", "header")
COLUMNS = (*FIELD_COLUMNS, "nested", "body")
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


Query = Union[Contains, And, Or, Not]  # noqa: UP007 - it names itself


def columns(query: Query) -> tuple[str, ...]:
    """Return the columns that decide about the query, in the order of COLUMNS."""
    wanted = _columns(query)
    return tuple(name for name in COLUMNS if name in wanted)


def _columns(query: Query) -> set[str]:
    match query:
        case Contains():
            return set(query.columns)
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
        case Not(inner):
            test = test_of(inner)
            return lambda texts: not test(texts)
        case And(queries):
            tests = [test_of(one) for one in queries]
            return lambda texts: all(test(texts) for test in tests)
        case Or(queries):
            tests = [test_of(one) for one in queries]
            return lambda texts: any(test(texts) for test in tests)


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
