"""RENAME. RFC 9051 §6.3.6."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.folders import open_folder, rename_folder, to_make
from mailhost.store.rights import require_held, require_on, rights_to_make
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import No
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a mailbox, and all below it, another name."""

    old: str
    new: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        old = p.mailbox()
        p.sp()
        new = p.mailbox()
        p.crlf()
        return cls(old, new)

    def run(self, session: Session) -> Run:
        account_id, old = places(session, self.old)
        to_account_id, new = places(session, self.new)
        if account_id != to_account_id:
            raise No("A mailbox cannot move to another account", "CANNOT")
        yield Write((account_id,), _rename, (session.user_id, account_id, old, new))
        deeds.renamed(session, (account_id, old), (account_id, new))
        return ""


def _rename(user_id: int, account_id: int, old: str, new: str) -> None:
    """RFC 4314 §4: "x" on the mailbox, "k" on the parent of the new name."""
    require_on(open_folder(account_id, old, user_id, "lx"), "x")
    require_held(rights_to_make(user_id, account_id, to_make(new)), "k")
    rename_folder(account_id, old, new)
