"""SETMETADATA. RFC 5464 §4.3; /private/specialuse is RFC 6154 §4."""

from dataclasses import dataclass
from typing import Self

from mailhost.store.annotations import annotate
from mailhost.store.folders import open_folder
from mailhost.store.rights import require_on
from mailhost.store.roles import set_role
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import Bad, No
from protocols.imap.metadata import (
    ADMIN,
    MOST,
    NEEDED,
    SPECIAL_USE,
    Name,
    entry,
    value,
    with_values,
)
from protocols.imap.names import places, written
from protocols.imap.notify import deeds
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.special import ROLES

Values = tuple[tuple[Name, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Setmetadata:
    """Set entries, all or none; NIL removes."""

    name: str
    values: Values

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.literally(b" (")
        found: dict[Name, bytes | None] = {}
        while not found or p.takes(b" "):
            one = entry(p)
            p.sp()
            found[one] = value(p)
            if len(found) > MOST:
                raise Bad("Too many entries", "LIMIT")
        p.literally(b")")
        p.crlf()
        return cls(name, tuple(found.items()))

    def run(self, session: Session) -> Run:
        user_id, own = session.user_id, session.who().account_id
        names = [name for name, _ in self.values]
        if not self.name:
            if {ADMIN, SPECIAL_USE} & set(names):
                raise No("This entry is read-only", "NOPERM")
            yield Write((own,), _set, (own, None, user_id, self.values))
            deeds.annotated(session, None, names)
            return ""
        role = self._role()
        account_id, inner = places(session, self.name)
        if role is not None and account_id != own:
            raise No("Only the owner says what a mailbox is for", "NOPERM")
        arguments = (account_id, inner, user_id, self.values, role)
        lost = yield Write((account_id,), _set_on_folder, arguments)
        deeds.annotated(session, (account_id, inner), names)
        if lost is not None:
            deeds.annotated(session, (account_id, lost), [SPECIAL_USE])
            yield with_values(written(session, lost), {SPECIAL_USE: None})
        return ""

    def _role(self) -> str | None:
        """Return the role that is to be set, "" for none; None: it is not touched."""
        values = dict(self.values)
        if SPECIAL_USE not in values:
            return None
        uses = (values[SPECIAL_USE] or b"").decode("ascii", "replace").split()
        roles = [ROLES.get(use.lower()) for use in uses]
        if len(roles) > 1 or None in roles:
            raise No("This use is not supported", "USEATTR")
        return (roles[0] if roles else "") or ""


def _set_on_folder(
    account_id: int, name: str, user_id: int, values: Values, role: str | None
) -> str | None:
    """Set entries; return the name of the folder that lost its use to this one."""
    folder = open_folder(account_id, name, user_id)
    if not set(NEEDED) & set(folder.rights):
        require_on(folder, "r")
    if any(one.shared for one, _ in values):
        require_on(folder, "w")
    lost = None
    if role is not None and role != folder.role:
        lost = set_role(account_id, folder.id, role)
    rest = tuple((one, octets) for one, octets in values if one != SPECIAL_USE)
    _set(account_id, folder.id, user_id, rest)
    return lost


def _set(account_id: int, folder_id: int | None, user_id: int, values: Values) -> None:
    for shared in (False, True):
        some = [(one.rest, octets) for one, octets in values if one.shared == shared]
        if some:
            annotate(account_id, folder_id, None if shared else user_id, some)
