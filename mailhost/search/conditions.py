"""A query as an SQL condition on the stored columns; engines differ in an operator.

A condition is true of every document that matches. Where it is `exact` it is true of no
other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mailhost.search.query import And, Contains, Fact, Not, Or, Query, Where


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL with the engine's marks, and what they stand for."""

    sql: str
    parameters: tuple[str, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an engine says that a column contains a text."""

    operator: str  # with the mark of the parameter
    pattern: Callable[[str], str]

    def condition(self, query: Query) -> Condition:
        """Return what SQL can tell of the query."""
        match query:
            case Contains():
                return self._contains(query)
            case Fact():
                return Condition("1 = 1", (), exact=False)
            case Not(inner):
                told = self.condition(inner)
                if told.exact:
                    return Condition(f"NOT {told.sql}", told.parameters, exact=True)
                return Condition("1 = 1", (), exact=False)
            case And(queries):
                return self._joined(" AND ", queries)
            case Or(queries):
                return self._joined(" OR ", queries)

    def _contains(self, query: Contains) -> Condition:
        text = query.necessary
        exact = query.where is not Where.FIELD and text == query.needle
        if not text:
            return Condition("1 = 1", (), exact=exact)
        parts = [f"{name} {self.operator}" for name in query.columns]
        return Condition(
            f"({' OR '.join(parts)})", (self.pattern(text),) * len(parts), exact
        )

    def _joined(self, word: str, queries: tuple[Query, ...]) -> Condition:
        parts = [self.condition(one) for one in queries]
        return Condition(
            f"({word.join(part.sql for part in parts)})",
            tuple(value for part in parts for value in part.parameters),
            exact=all(part.exact for part in parts),
        )
