"""TOP msg n. RFC 1939 §7."""

from dataclasses import dataclass
from typing import Self

from protocols.pop3.actions import Action, Fetch
from protocols.pop3.commands.base import numbers
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Top:
    """Send the header and the first lines of the body."""

    number: int
    lines: int

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        return cls(*numbers(arguments, 2, 2))

    def run(self, session: Session) -> Action:
        drop = session.drop
        n = drop.check(self.number)
        return Fetch(
            drop.standing,
            ok("Top follows"),
            n,
            drop.contents[n - 1],
            drop.size(n),
            lines=self.lines,
            raw_headers=session.raw_headers,
        )
