"""SUBSCRIBE and UNSUBSCRIBE. RFC 9051 §6.3.7, §6.3.8."""

from dataclasses import dataclass, replace
from typing import Self

from mailhost.store import folders
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Remember or forget a name, whether there is such a mailbox or not."""

    name: str
    undo: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.crlf()
        return cls(name)

    @classmethod
    def parse_un(cls, p: Parser) -> Self:
        return replace(cls.parse(p), undo=True)

    def run(self, session: Session) -> Run:
        account = session.who().account_id
        if self.undo:
            yield Write((account,), folders.unsubscribe, (session.user_id, self.name))
            deeds.subscribed(session, self.name, holds=False)
            return ""
        where = places(session, self.name)
        yield Write((account,), _subscribe, (session.user_id, self.name, *where))
        deeds.subscribed(session, self.name, holds=True)
        return ""


def _subscribe(user_id: int, name: str, account_id: int, folder: str) -> None:
    folders.open_folder(account_id, folder, user_id)  # RFC 9051 §6.3.7: it must exist
    folders.subscribe(user_id, name)
