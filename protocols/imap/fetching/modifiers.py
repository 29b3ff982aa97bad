"""fetch-modifiers. RFC 4466 §2.4.

CHANGEDSINCE is RFC 7162 §3.1.4, VANISHED §3.2.6, PARTIAL RFC 9394 §3.3.
"""

from dataclasses import dataclass, replace

from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.searching.options import Partial, partial_range
from protocols.imap.selected import Span
from protocols.imap.wording import say


@dataclass(frozen=True, slots=True)
class Modifiers:
    """Which of the messages named are told of."""

    changed_since: int | None = None
    partial: Partial | None = None
    vanished: bool = False

    def within(self, spans: list[Span]) -> list[Span]:
        """Return the part of ascending spans that PARTIAL wants."""
        if self.partial is None:
            return spans
        first, last = self.partial.bounds(sum(end - start for start, end in spans))
        found = []
        passed = 0
        for start, end in spans:
            low, high = start + first - passed, start + last - passed
            if max(start, low) < min(end, high):
                found.append((max(start, low), min(end, high)))
            passed += end - start
        return found


def fetch_modifiers(p: Parser) -> Modifiers:
    """Read [SP "(" fetch-modifier *(SP fetch-modifier) ")"], each at most once."""
    if not p.takes(b" ("):
        return Modifiers()
    found = Modifiers()
    while True:
        found = _with_one_more(p, found)
        if p.takes(b")"):
            return found
        p.sp()


def _with_one_more(p: Parser, found: Modifiers) -> Modifiers:
    name = p.atom().upper()
    if name == "VANISHED" and not found.vanished:
        return replace(found, vanished=True)
    if name == "CHANGEDSINCE" and found.changed_since is None:
        p.sp()
        return replace(found, changed_since=p.mod_sequence())
    if name == "PARTIAL" and found.partial is None:
        p.sp()
        return replace(found, partial=partial_range(p))
    raise Bad(say("Unknown modifier {}", name[:40]))
