"""LISTRIGHTS. RFC 4314 §3.4, §3.7."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.acl import always_held
from mailhost.store.rights import ALL
from protocols.imap.commands.base import Run
from protocols.imap.commands.setacl import named
from protocols.imap.effects import Read
from protocols.imap.names import places, written
from protocols.imap.parser import Parser
from protocols.imap.responses import astring, untagged
from protocols.imap.rightsgrammar import OBSOLETE, identifier, shown
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Listrights:
    """Tell which rights somebody always holds, and which may be given."""

    name: str
    identifier: str
    prepared: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.sp()
        written, prepared = identifier(p)
        p.crlf()
        return cls(name, written, prepared)

    def run(self, session: Session) -> Run:
        place = places(session, self.name)
        always = yield Read(_always, (session.user_id, *place, self.prepared))
        required = shown(always)
        optional = [r for r in (*ALL, *OBSOLETE) if r not in required]
        words = [written(session, self.name), astring(self.identifier)]
        yield untagged(" ".join(["LISTRIGHTS", *words, astring(required), *optional]))
        return ""


def _always(asker_id: int, account_id: int, name: str, identifier: str) -> str:
    _, who = named(asker_id, account_id, name, identifier)
    return always_held(account_id, who)
