"""RSET. RFC 1939 §5."""

from dataclasses import dataclass
from typing import Self

from protocols.pop3.actions import Action, Say
from protocols.pop3.commands.base import no_arguments
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Rset:
    """Take back every deletion of this session."""

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        no_arguments(arguments)
        return cls()

    def run(self, session: Session) -> Action:
        session.drop.reset()
        return Say(ok())
