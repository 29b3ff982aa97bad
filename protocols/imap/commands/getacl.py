"""GETACL. RFC 4314 §3.3, §3.6."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.acl import AclEntry, access_list
from mailhost.store.folders import open_folder
from mailhost.store.rights import require_on
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.names import places, written
from protocols.imap.parser import Parser
from protocols.imap.responses import astring, untagged
from protocols.imap.rightsgrammar import shown
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Getacl:
    """Tell who may do what with a mailbox."""

    name: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.crlf()
        return cls(name)

    def run(self, session: Session) -> Run:
        place = places(session, self.name)
        found = yield Read(_entries, (session.user_id, *place))
        pairs = [f"{astring(one.identifier)} {shown(one.rights)}" for one in found]
        yield untagged(" ".join(["ACL", written(session, self.name), *pairs]))
        return ""


def _entries(asker_id: int, account_id: int, name: str) -> list[AclEntry]:
    folder = open_folder(account_id, name, asker_id, "la")
    require_on(folder, "a")
    return [one for one in access_list(account_id, folder.id) if one.rights]
