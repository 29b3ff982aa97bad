r"""CLOSE and UNSELECT. RFC 9051 §6.4.1, §6.4.2."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.change import expunge
from protocols.imap.commands.base import Run
from protocols.imap.effects import Watch, Write
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Close:
    r"""Remove what is flagged \Deleted, untold, and select nothing."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        selected = session.view()
        folder = selected.folder
        if not selected.read_only and "e" in folder.rights:
            place = (folder.account_id, folder.id, None)
            yield Write((folder.account_id,), expunge, place)
        session.leave()
        yield Watch(None)
        return ""


@dataclass(frozen=True, slots=True)
class Unselect:
    """Select nothing; nothing is removed."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        session.leave()
        yield Watch(None)
        return ""
