"""Facts of a search as SQL over the rows of messages, for both engines.

Each fact is a column of the answer; what every match has is a condition as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from django.db import connection

from mailhost.mime.structure import from_json
from mailhost.search.query import And, Fact, Not, Or, Query, Trait
from mailhost.store import sql
from mailhost.store.documents import fold

Condition = tuple[str, list[Any]]
ANY: Condition = ("1 = 1", [])


@dataclass(frozen=True, slots=True)
class Told:
    """How a fact is read: an expression over m (message) and c (content)."""

    expression: str
    parameters: tuple[Any, ...]
    reads_content: bool = False
    # None: the expression is the answer; else what tells it from the value.
    read: Callable[[Any], bool] | None = None
    # True of every message of which the fact is true; None: the expression.
    condition: Condition | None = None


def told(fact: Fact) -> Told:
    """Return how a fact is read."""
    value: Any = fact.value
    found: Told
    match fact.trait:
        case Trait.HAVING:
            found = Told("m.flags & %s <> 0", (value,))
        case Trait.KEYWORD:
            found = _keyword(value)
        case Trait.LARGER:
            found = Told("m.size > %s", (value,))
        case Trait.SINCE:
            found = Told("m.internal_date >= %s", tuple(sql.adapted([value])))
        case Trait.FOLDERS:
            expression, parameters = sql.one_of("m.folder_id", value or (0,))
            found = Told(expression, tuple(parameters))
        case Trait.ATTACHMENT:
            found = Told("c.has_attachment", (), reads_content=True)
        case Trait.FILENAME:
            found = _file_name(value)
        case _ as unknown:
            assert_never(unknown)
    return found


ESCAPE = "ESCAPE '!'"


def _like(text: str) -> str:
    return "".join(f"!{c}" if c in "!%_" else c for c in text)


def _keyword(word: str) -> Told:
    # ASCII, lower case: keywords are atoms, compared without case.
    spaced = "(' ' || lower(m.keywords) || ' ')"
    return Told(
        f"(m.keywords <> '' AND {spaced} LIKE %s {ESCAPE})", (f"% {_like(word)} %",)
    )


def _file_name(needle: str) -> Told:
    def read(parts: Any) -> bool:
        return any(needle in fold(part.filename) for part in from_json(parts).walk())

    like = "ILIKE" if connection.vendor == "postgresql" else "LIKE"
    # What casemap changes beyond ASCII the engines fold otherwise.
    plain = "".join(c if c.isascii() and c not in '"\\' else "%" for c in _like(needle))
    condition = (f"c.parts {like} %s {ESCAPE}", [f"%{plain}%"])
    return Told("c.parts", (), reads_content=True, read=read, condition=condition)


def necessary(query: Query) -> Condition:
    """Return a condition that is true of every message that matches."""
    found = ANY
    match query:
        case Fact():
            how = told(query)
            found = how.condition or (how.expression, list(how.parameters))
        case Not(Fact() as fact):
            how = told(fact)
            if how.read is None:
                found = f"NOT ({how.expression})", list(how.parameters)
        case And(queries):
            parts = [needed for one in queries if (needed := necessary(one)) != ANY]
            found = _joined(" AND ", parts)
        case Or(queries):
            parts = [necessary(one) for one in queries]
            found = ANY if ANY in parts else _joined(" OR ", parts)
        case _:  # a text, or what is not such a text: any may match
            pass
    return found


def _joined(word: str, parts: list[Condition]) -> Condition:
    if not parts:
        return ANY
    return (
        f"({word.join(condition for condition, _ in parts)})",
        [value for _, values in parts for value in values],
    )


def truth(those: Mapping[Fact, Told], values: tuple[Any, ...]) -> dict[Fact, bool]:
    """Return what a row's columns say of each fact."""
    return {
        fact: how.read(value) if how.read else bool(value)
        for (fact, how), value in zip(those.items(), values, strict=True)
    }
