"""PASS string. RFC 1939 §7."""

from dataclasses import dataclass, field
from typing import Self

from accounts.claims import Password
from protocols.pop3.actions import Action, Authenticate
from protocols.pop3.commands.base import text
from protocols.pop3.errors import Refused
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Pass:
    """Log in as the user that was named; spaces belong to the password."""

    password: str = field(repr=False)

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        return cls(text(arguments))

    def run(self, session: Session) -> Action:
        user, session.user = session.user, None
        if user is None:
            raise Refused("USER comes first")
        return Authenticate(Password(user, self.password))
