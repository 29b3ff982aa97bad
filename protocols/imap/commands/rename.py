"""RENAME. RFC 9051 §6.3.6."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.folders import open_folder, rename_folder, to_make
from mailhost.store.rights import require_held, require_on, rights_to_make
from mailhost.store.values import FolderInfo
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import No
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.oldname import real_name, renamed
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.special import attributes


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a mailbox, and all below it, another name."""

    old: str
    new: str
    given: tuple[str, str]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        old, given_old = p.mailbox(), p.given
        p.sp()
        new, given_new = p.mailbox(), p.given
        p.crlf()
        return cls(old, new, (given_old, given_new))

    def run(self, session: Session) -> Run:
        account_id, old = places(session, self.old)
        to_account_id, new = places(session, self.new)
        if account_id != to_account_id:
            raise No("A mailbox cannot move to another account", "CANNOT")
        where = (session.user_id, account_id, old, new)
        was, made = yield Write((account_id,), _rename, where)
        deeds.renamed(session, (account_id, was), (account_id, made.name))
        names = real_name(self.old, old, was), real_name(self.new, new, made.name)
        if names != (self.given[0], self.given[1].removesuffix("/")):
            yield renamed(session, names[1], attributes(made), self.given[0])
        return ""


def _rename(
    user_id: int, account_id: int, old: str, new: str
) -> tuple[str, FolderInfo]:
    """Return the old name as it was stored, and the folder of the new one.

    RFC 4314 §4: "x" on the mailbox, "k" on the parent of the new name.
    """
    folder = open_folder(account_id, old, user_id, "lx")
    require_on(folder, "x")
    require_held(rights_to_make(user_id, account_id, to_make(new)), "k")
    rename_folder(account_id, old, new)
    return folder.name, open_folder(account_id, to_make(new))
