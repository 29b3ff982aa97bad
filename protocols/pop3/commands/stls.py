"""STLS. RFC 2595 §4."""

from dataclasses import dataclass
from typing import Self

from protocols.pop3.actions import Action, StartTls
from protocols.pop3.commands.base import no_arguments
from protocols.pop3.errors import Refused
from protocols.pop3.replies import ok
from protocols.pop3.session import Session


@dataclass(frozen=True, slots=True)
class Stls:
    """Begin TLS; what was said before is forgotten."""

    @classmethod
    def parse(cls, arguments: bytes) -> Self:
        no_arguments(arguments)
        return cls()

    def run(self, session: Session) -> Action:
        if not session.offers_stls:
            raise Refused("TLS is not to be had here")
        if session.utf8:
            raise Refused("STLS comes before UTF8")  # RFC 6856 §2.1
        return StartTls(ok("Begin TLS now"))
