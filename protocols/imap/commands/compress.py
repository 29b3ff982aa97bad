"""COMPRESS. RFC 4978 §3."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import Compress
from protocols.imap.errors import Bad, No
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class CompressCommand:
    """Compress both ways behind the tagged OK; DEFLATE is the only way there is."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        if p.atom().upper() != "DEFLATE":
            raise Bad("There is no such compression")
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        if session.compressed:
            # The RFC says BAD here and NO for another layer's; clients know the code.
            raise No("DEFLATE is active", "COMPRESSIONACTIVE")
        session.compressed = True
        session.then = Compress()
        yield from ()
        return ""
