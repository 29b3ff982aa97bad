"""DELETE. RFC 9051 §6.3.5."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.folders import delete_folder, open_folder
from mailhost.store.rights import require_on
from protocols.imap.commands.base import Run
from protocols.imap.effects import Watch, Write
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.oldname import real_name, renamed
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a mailbox with what is in it."""

    name: str
    given: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name, given = p.mailbox(), p.given
        p.crlf()
        return cls(name, given)

    def run(self, session: Session) -> Run:
        account_id, name = places(session, self.name)
        where = (session.user_id, account_id, name)
        stored = yield Write((account_id,), _delete, where)
        deeds.deleted(session, (account_id, stored))
        full = real_name(self.name, name, stored)
        yield renamed(session, full, ["\\NonExistent"], self.given)
        selected = session.selected
        if selected is not None and (
            selected.folder.account_id == account_id and selected.folder.name == stored
        ):
            # Our own selection went with it: nothing is selected any more.
            session.leave()
            yield Watch(None)
            yield session.say("The mailbox is gone", "CLOSED")
        return ""


def _delete(user_id: int, account_id: int, name: str) -> str:
    """Return the name as it was stored."""
    folder = open_folder(account_id, name, user_id, "lx")
    require_on(folder, "x")
    delete_folder(account_id, name)
    return folder.name
