"""RESETKEY. RFC 4467 (text not read)."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.urlkeys import reset_url_keys
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.urlauth import MECHANISM


@dataclass(frozen=True, slots=True)
class Resetkey:
    """Make void every URL signed for a mailbox of the user's own, or for all."""

    name: str | None

    @classmethod
    def parse(cls, p: Parser) -> Self:
        name = None
        if p.takes(b" "):
            name = p.mailbox()
        while name is not None and p.takes(b" "):
            if p.atom().upper() != MECHANISM:
                raise Bad("There is no such mechanism")
        p.crlf()
        return cls(name)

    def run(self, session: Session) -> Run:
        who = session.who()
        args = (who.account_id, who.user_id, self.name)
        yield Write((who.account_id,), reset_url_keys, args)
        return f"URLMECH {MECHANISM}"
