"""NAMESPACE. RFC 9051 §6.3.10, RFC 2342 §5."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.names import SHARED, look_up_shares
from protocols.imap.parser import Parser
from protocols.imap.responses import untagged
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Namespace:
    """Tell the prefixes: the user's own, and that of shared accounts."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        yield from look_up_shares(session)
        shared = f'(("{SHARED}/" "/"))' if session.shared else "NIL"
        yield untagged(f'NAMESPACE (("" "/")) NIL {shared}')
        return ""
