"""DELE msg. RFC 1939 §5."""

from dataclasses import dataclass
from typing import Self

from protocols.common.wording import say
from protocols.pop3.actions import Action, Say
from protocols.pop3.commands.base import numbers
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Dele:
    """Mark a message as deleted; QUIT removes it."""

    number: int

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        return cls(*numbers(arguments, 1, 1))

    def run(self, session: Session) -> Action:
        session.drop.deleted.add(session.drop.check(self.number))
        return Say(ok(say("Message {} deleted", self.number)))
