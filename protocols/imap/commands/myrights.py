"""MYRIGHTS. RFC 4314 §3.5, §3.8."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.folders import open_folder
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.names import places, written
from protocols.imap.parser import Parser
from protocols.imap.responses import untagged
from protocols.imap.rightsgrammar import shown
from protocols.imap.session import Session

ANY_OF = "lrikxa"  # RFC 4314 §4


@dataclass(frozen=True, slots=True)
class Myrights:
    """Tell what the user may do with a mailbox."""

    name: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.crlf()
        return cls(name)

    def run(self, session: Session) -> Run:
        place = places(session, self.name)
        folder = yield Read(open_folder, (*place, session.user_id, ANY_OF))
        yield untagged(f"MYRIGHTS {written(session, self.name)} {shown(folder.rights)}")
        return ""
