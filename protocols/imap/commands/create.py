r"""CREATE. RFC 9051 §6.3.4; with a special use RFC 6154 §3, §5.2."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.folders import create_folder, to_make
from mailhost.store.rights import require_held, rights_to_make
from mailhost.store.values import FolderInfo
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import Bad, No
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.oldname import real_name, renamed
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.special import ROLES, attributes


@dataclass(frozen=True, slots=True)
class Create:
    """Make a mailbox, and the levels above it."""

    name: str
    given: str
    uses: tuple[str, ...] = ()

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name, given = p.mailbox(), p.given
        uses = _uses(p) if p.takes(b" (") else ()
        p.crlf()
        return cls(name, given, uses)

    def run(self, session: Session) -> Run:
        roles = [ROLES.get(use.lower()) for use in self.uses]
        if len(roles) > 1 or None in roles:
            raise No("This use is not supported", "USEATTR")
        account_id, name = places(session, self.name)
        role = (roles[0] if roles else "") or ""
        made = yield Write(
            (account_id,), _create, (session.user_id, account_id, name, role)
        )
        deeds.created(session, (account_id, made.name))
        full = real_name(self.name, name, made.name)
        yield renamed(session, full, attributes(made), self.given.removesuffix("/"))
        return f"MAILBOXID (F{made.mailbox_id})"  # RFC 8474 §4.1


def _create(user_id: int, account_id: int, name: str, role: str) -> FolderInfo:
    """RFC 4314 §4: "k" on the nearest mailbox above."""
    require_held(rights_to_make(user_id, account_id, to_make(name)), "k")
    return create_folder(account_id, name, role)


def _uses(p: Parser) -> tuple[str, ...]:
    if p.atom().upper() != "USE":
        raise Bad("Unknown parameter")
    p.sp()
    uses = p.flag_list()
    p.literally(b")")
    return tuple(uses)
