"""What stands in the search box, as a tree of terms. Never fails: bad input is words.

    query  = 1*either
    either = term *("OR" term)
    term   = ["-"] ("(" query ")" / [operator ":"] (word / quoted))

As people know it: OR binds closer than standing side by side.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 500  # characters that are read
MOST_TERMS = 40
DEEPEST = 8  # parentheses
TOKEN = re.compile(
    r"\s*(?:(?P<open>-?\()|(?P<close>\))|(?P<not>-)?(?:(?P<field>[A-Za-z_]{2,12}):)?"
    r"(?:\"(?P<quoted>[^\"]*)\"?|(?P<word>[^\s()\"]+|(?<=:))))"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word, a phrase, or an operator with its value."""

    field: str  # lower case, empty for a text
    value: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """All of them, or with `any_` one of them."""

    parts: tuple["Node", ...]
    any_: bool = False


@dataclass(frozen=True, slots=True)
class Without:
    """What is not wanted."""

    part: "Node"


Node = Term | Group | Without


def parse(text: str) -> Group:
    """Return the tree of a query."""
    return _Reader(text[:LONGEST]).whole()


class _Reader:
    """Reads tokens from left to right; each is looked at once."""

    def __init__(self, text: str) -> None:
        self.tokens = [match for match in TOKEN.finditer(text) if match[0].strip()]
        self.position = 0
        self.terms = 0

    def whole(self) -> Group:
        """Read all; a closing parenthesis too many is passed over."""
        parts: list[Node] = []
        while self.position < len(self.tokens):
            parts += self.query(0).parts
            self.position += 1
        return Group(tuple(parts))

    def query(self, depth: int) -> Group:
        """Read up to a closing parenthesis or the end."""
        parts: list[list[Node]] = []
        joins = False
        while (token := self.peek()) is not None and not token["close"]:
            self.position += 1
            if _is_or(token):
                joins = bool(parts)
                continue
            node = self.term(token, depth)
            if node is None:
                continue
            if joins:
                parts[-1].append(node)
            else:
                parts.append([node])
            joins = False
        return Group(tuple(_either(some) for some in parts))

    def term(self, token: "re.Match[str]", depth: int) -> Node | None:
        """Return what a token begins; None for nothing, or too much."""
        if token["open"]:
            return self.group(token, depth)
        self.terms += 1
        value = token["quoted"] if token["quoted"] is not None else token["word"] or ""
        field = (token["field"] or "").lower()
        if self.terms > MOST_TERMS or not (value.strip() or field):
            return None
        found = Term(field, value.strip(), token["quoted"] is not None)
        return Without(found) if token["not"] else found

    def group(self, token: "re.Match[str]", depth: int) -> Node | None:
        """Read parentheses; those too deep count for nothing."""
        if depth >= DEEPEST:
            return None
        inside = self.query(depth + 1)
        self.position += 1
        if not inside.parts:
            return None
        return Without(inside) if token["open"].startswith("-") else inside

    def peek(self) -> "re.Match[str] | None":
        """Return the next token."""
        at = self.position
        return self.tokens[at] if at < len(self.tokens) else None


def _is_or(token: "re.Match[str]") -> bool:
    return token["word"] == "OR" and not (token["field"] or token["not"])


def _either(parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Group(tuple(parts), any_=True)
