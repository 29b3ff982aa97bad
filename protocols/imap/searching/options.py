"""search-return-opts: RFC 9051 §9, RFC 4731 §4.

CONTEXT, UPDATE are RFC 5267 §5, what UPDATE fetches RFC 5465 §7; PARTIAL is
RFC 9394 §4, RELEVANCY RFC 6203 §7.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from protocols.imap.errors import Bad
from protocols.imap.fetching.grammar import attribute_list
from protocols.imap.fetching.items import Wanted
from protocols.imap.parser import MAX_UINT32, Parser
from protocols.imap.wording import say

T = TypeVar("T")

NAMES = {"MIN", "MAX", "ALL", "COUNT", "SAVE", "CONTEXT", "UPDATE", "RELEVANCY"}
# partial-range = partial-range-first / partial-range-last
RANGE = re.compile(rb"(-?)([1-9]\d{0,9}):(-?)([1-9]\d{0,9})")


@dataclass(frozen=True, slots=True)
class Partial:
    """The results from `first` to `last`, counted from 1; `from_end`: backwards."""

    first: int
    last: int
    from_end: bool
    written: str

    def of(self, found: Sequence[T]) -> Sequence[T]:
        """Return those of the results; there may be none."""
        start, end = self.bounds(len(found))
        return found[start:end]

    def bounds(self, count: int) -> tuple[int, int]:
        """Return the positions [start, end) among so many results."""
        if self.from_end:
            return max(0, count - self.last), max(0, count - self.first + 1)
        return min(count, self.first - 1), min(count, self.last)


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be told of the result."""

    names: frozenset[str] = frozenset({"ALL"})
    partial: Partial | None = None
    attributes: tuple[Wanted, ...] = ()  # of what is new in an updated result

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def chosen(self, found: Sequence[T]) -> Sequence[T]:
        """Return the results that are told of one by one, in their order; else all.

        They are what SAVE saves (RFC 5182 §2.4, RFC 9394 §3.2), and whose highest
        mod-sequence is told (RFC 4731 §3.2).
        """
        if not found or self.names & {"ALL", "COUNT"}:
            return found
        at: set[int] = set()
        if self.partial:
            at.update(self.partial.of(range(len(found))))
        if "MIN" in self:
            at.add(0)
        if "MAX" in self:
            at.add(len(found) - 1)
        if not at and not self.partial:
            return found
        return [found[n] for n in sorted(at)]


def return_options(p: Parser) -> Options | None:
    """Read RETURN and its list, and the space after it; None: it is not there."""
    if p.octets[p.offset : p.offset + 8].upper() != b"RETURN (":
        return None
    p.offset += 8
    names: set[str] = set()
    partial = None
    attributes: tuple[Wanted, ...] = ()
    is_first = True
    while not p.takes(b")"):
        if not is_first:
            p.sp()
        is_first = False
        name = p.atom().upper()
        if name == "PARTIAL":
            p.sp()
            partial = _only(partial, partial_range(p))
        elif name in NAMES:
            names.add(name)
            if name == "UPDATE" and p.takes(b" ("):
                attributes = attribute_list(p)
        else:
            raise Bad(say("Unknown option {}", name[:40]))
    p.sp()
    if partial and "ALL" in names:
        raise Bad("PARTIAL and ALL do not go together")
    if not names and not partial:
        return Options()
    return Options(frozenset(names), partial, attributes)


def _only(before: Partial | None, now: Partial) -> Partial:
    if before is not None:
        raise Bad("There can be one PARTIAL")
    return now


def partial_range(p: Parser) -> Partial:
    """Read 1:500, or -1:-500: from the end."""
    match = p.match(RANGE, "a range of results")
    if match[1] != match[3]:
        raise Bad("A range of results has both ends on one side")
    first, last = sorted((int(match[2]), int(match[4])))
    if last > MAX_UINT32:
        raise Bad("The number is too big")
    return Partial(first, last, bool(match[1]), match[0].decode("ascii"))
