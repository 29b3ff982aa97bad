"""QUIT. RFC 1939 §5, §6."""

from dataclasses import dataclass
from typing import Self

from protocols.pop3.actions import Action, Say, Update
from protocols.pop3.commands.base import no_arguments
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Quit:
    """End; only this removes what was marked as deleted."""

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        no_arguments(arguments)
        return cls()

    def run(self, session: Session) -> Action:
        session.ended = True
        drop = session.maildrop
        if drop is None or not (drop.gone() or drop.seen()):
            return Say(ok("Goodbye"), close=True)
        return Update(drop.standing, drop.gone(), drop.seen(), ok("Goodbye"))
