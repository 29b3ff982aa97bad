"""DELETEACL. RFC 4314 §3.2."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.acl import drop_rights
from protocols.imap.commands.base import Run
from protocols.imap.commands.setacl import administer
from protocols.imap.parser import Parser
from protocols.imap.rightsgrammar import identifier
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Deleteacl:
    """Take all that somebody was given on a mailbox."""

    name: str
    identifier: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.sp()
        _, prepared = identifier(p)
        p.crlf()
        return cls(name, prepared)

    def run(self, session: Session) -> Run:
        yield from administer(session, self.name, self.identifier, drop_rights)
        return ""
