"""CANCELUPDATE. RFC 5267 §4.3.5."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser, text
from protocols.imap.session import Session

MOST_TAGS = 100


@dataclass(frozen=True, slots=True)
class CancelUpdate:
    """Keep the results of these searches up to date no longer."""

    tags: tuple[str, ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        found = []
        while p.takes(b" "):
            found.append(text(p.string()))
            if len(found) > MOST_TAGS:
                raise Bad("Too many tags", "LIMIT")
        if not found:
            raise Bad("Expected a tag")
        p.crlf()
        return cls(tuple(found))

    def run(self, session: Session) -> Run:
        contexts = session.view().contexts
        if not set(self.tags) <= set(contexts):
            raise Bad("No search of this tag is being updated")
        for tag in set(self.tags):
            del contexts[tag]
        yield b""
        return ""
