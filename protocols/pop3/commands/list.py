"""LIST [msg]. RFC 1939 §5."""

from dataclasses import dataclass
from typing import Self

from protocols.common.wording import say
from protocols.pop3.actions import Action, Pages, Say
from protocols.pop3.commands.base import numbers
from protocols.pop3.replies import multi_line, ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class List:
    """Say the size of one message, or of all that are not deleted."""

    number: int | None

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        return cls(next(iter(numbers(arguments, 0, 1)), None))

    def run(self, session: Session) -> Action:
        drop = session.drop
        if self.number is not None:
            n = drop.check(self.number)
            return Say(ok(f"{n} {drop.size(n)}"))
        lines = (f"{n} {drop.size(n)}" for n in drop.numbers())
        return Pages(multi_line(say("{} messages", drop.totals()[0]), lines))
