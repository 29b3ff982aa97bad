"""UTF8. RFC 6856 §2.1."""

from dataclasses import dataclass
from typing import Self

from protocols.pop3.actions import Action, Say
from protocols.pop3.commands.base import no_arguments
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Utf8:
    """Say that UTF-8 in header fields is understood."""

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        no_arguments(arguments)
        return cls()

    def run(self, session: Session) -> Action:
        session.utf8 = True
        return Say(ok("UTF-8 it is"))
