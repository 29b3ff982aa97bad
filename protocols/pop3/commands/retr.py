"""RETR msg. RFC 1939 §5."""

from dataclasses import dataclass
from typing import Self

from protocols.common.wording import say
from protocols.pop3.actions import Action, Fetch
from protocols.pop3.commands.base import numbers
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Retr:
    """Send a whole message; what the policy does about it, QUIT does."""

    number: int

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        return cls(*numbers(arguments, 1, 1))

    def run(self, session: Session) -> Action:
        drop = session.drop
        n = drop.check(self.number)
        size = drop.size(n)
        drop.downloaded.add(n)
        return Fetch(
            drop.standing,
            ok(say("{} octets", size)),
            n,
            drop.contents[n - 1],
            size,
            raw_headers=session.raw_headers,
        )
