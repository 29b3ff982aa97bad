"""DELETE. RFC 9051 §6.3.5."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.folders import delete_folder, open_folder
from mailhost.store.rights import require_on
from protocols.imap.commands.base import Run
from protocols.imap.effects import Watch, Write
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a mailbox with what is in it."""

    name: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.crlf()
        return cls(name)

    def run(self, session: Session) -> Run:
        account_id, name = places(session, self.name)
        yield Write((account_id,), _delete, (session.user_id, account_id, name))
        deeds.deleted(session, (account_id, name))
        selected = session.selected
        if selected is not None and (
            selected.folder.account_id == account_id and selected.folder.name == name
        ):
            # Our own selection went with it: nothing is selected any more.
            session.leave()
            yield Watch(None)
            yield session.say("The mailbox is gone", "CLOSED")
        return ""


def _delete(user_id: int, account_id: int, name: str) -> None:
    require_on(open_folder(account_id, name, user_id, "lx"), "x")
    delete_folder(account_id, name)
