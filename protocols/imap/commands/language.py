"""LANGUAGE. RFC 5255 §3.2."""

import re
from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.commands.namespace import tell_namespaces
from protocols.imap.errors import Bad, No
from protocols.imap.parser import Parser
from protocols.imap.responses import untagged
from protocols.imap.session import Session
from protocols.imap.wording import LANGUAGES, chosen, say

MOST_RANGES = 50
# language-range, also an extended one.                             RFC 4647 §2.1, §2.2
RANGE = re.compile(r"(?:[a-z]{1,8}|\*)(?:-(?:[a-z0-9]{1,8}|\*))*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Language:
    """Speak the first of these languages that is known; without any, list them."""

    ranges: tuple[str, ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        found: list[str] = []
        while p.takes(b" "):
            found.append(p.astring())
            if not RANGE.fullmatch(found[-1]):
                raise Bad("This names no language")
            if len(found) > MOST_RANGES:
                raise Bad("Too many languages", "LIMIT")
        p.crlf()
        return cls(tuple(found))

    def run(self, session: Session) -> Run:
        if not self.ranges:
            yield untagged(f"LANGUAGE ({' '.join(LANGUAGES)})")
            return ""
        known = [one for one in map(chosen, self.ranges) if one]
        if not known:
            raise No(say("The language {} is not supported", self.ranges[0][:40]))
        session.language = known[0]
        yield untagged(f"LANGUAGE ({session.language})")
        if session.login is not None:
            yield from tell_namespaces(session)
        return ""
