"""SETACL. RFC 4314 §3.1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from mailhost.store.acl import Subject, change_rights, subject
from mailhost.store.folders import open_folder
from mailhost.store.rights import require, require_on
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read, Write
from protocols.imap.names import places
from protocols.imap.parser import Parser
from protocols.imap.rightsgrammar import identifier, rights_change
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Setacl:
    """Give, take or replace what somebody may do with a mailbox."""

    name: str
    identifier: str
    operation: str
    rights: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.sp()
        _, prepared = identifier(p)
        p.sp()
        operation, rights = rights_change(p)
        p.crlf()
        return cls(name, prepared, operation, rights)

    def run(self, session: Session) -> Run:
        arguments = (self.operation, self.rights)
        yield from administer(
            session, self.name, self.identifier, change_rights, arguments
        )
        return ""


def administer(
    session: Session,
    name: str,
    identifier: str,
    change: Callable[..., None],
    arguments: tuple[Any, ...] = (),
) -> Run:
    """Run `change(account, folder, subject, *arguments)`, for who holds "a" there."""
    account_id, inner = places(session, name)
    asker = session.user_id
    folder_id, who = yield Read(named, (asker, account_id, inner, identifier))
    accounts = tuple(sorted({account_id, who.account_id or account_id}))
    place = (account_id, folder_id, who)
    yield Write(accounts, _change, (asker, change, place, arguments))
    return ""


def named(
    asker_id: int, account_id: int, name: str, identifier: str
) -> tuple[int, Subject]:
    """Return the folder and whom an identifier names there, for who holds "a"."""
    folder = open_folder(account_id, name, asker_id, "la")
    require_on(folder, "a")
    return folder.id, subject(asker_id, folder.id, identifier)


def _change(
    asker_id: int,
    change: Callable[..., None],
    place: tuple[int, int, Subject],
    arguments: tuple[Any, ...],
) -> None:
    require(asker_id, place[1], "a")  # it may have been taken meanwhile
    change(*place, *arguments)
