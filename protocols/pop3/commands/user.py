"""USER name. RFC 1939 §7."""

from dataclasses import dataclass
from typing import Self

from protocols.pop3.actions import Action, Say
from protocols.pop3.commands.base import text
from protocols.pop3.errors import Refused
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class User:
    """Say who will log in; nothing is told about whether there is such a user."""

    name: str

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        return cls(text(arguments.strip()))

    def run(self, session: Session) -> Action:
        if not session.may_log_in:
            raise Refused("Begin TLS before you log in")  # RFC 2595 §2.1
        session.user = self.name
        return Say(ok("Now the password"))
