"""What LIST tells beside the names, if asked: RETURN options with their own responses.

STATUS is RFC 5819, MYRIGHTS RFC 8440, METADATA RFC 9590.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailhost.store.annotations import annotations
from mailhost.store.values import FolderInfo
from protocols.imap.commands.getmetadata import special_use
from protocols.imap.commands.status import deleted_storage, status_items
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad
from protocols.imap.metadata import NEEDED, Name, entries, with_values
from protocols.imap.names import written
from protocols.imap.parser import Parser
from protocols.imap.responses import untagged
from protocols.imap.rightsgrammar import shown
from protocols.imap.session import Session
from protocols.imap.statusline import status_line
from protocols.imap.wording import say

# Attributes: they are told whether asked or not, but for SUBSCRIBED.
PLAIN = {"SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "MYRIGHTS"}
Tell = Generator[bytes | Effect, Any, "Extras"]
Listed = tuple[str, FolderInfo]


@dataclass(frozen=True, slots=True)
class Returns:
    """The options, as parsed."""

    names: frozenset[str] = frozenset()
    status: tuple[str, ...] = ()
    metadata: tuple[Name, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is more to send than LIST responses."""
        return bool(self.status or self.metadata or "MYRIGHTS" in self.names)


@dataclass(frozen=True, slots=True)
class Extras:
    """What was looked up for all mailboxes at once; responses for one."""

    session: Session
    returns: Returns
    storage: Any
    values: dict[int, dict[Name, bytes]]

    def responses(self, name: str, folder: FolderInfo) -> Iterator[bytes]:
        """Yield what follows the LIST response of this mailbox."""
        session, held = self.session, set(folder.rights)
        mailbox = written(session, name)
        if self.returns.status and "r" in held:
            items = self.returns.status
            yield status_line(session, name, folder, items, self.storage)
        if "MYRIGHTS" in self.returns.names:
            yield untagged(f"MYRIGHTS {mailbox} {shown(folder.rights)}")
        if self.returns.metadata and set(NEEDED) & held:
            known = self.values.get(folder.id, {}) | special_use(folder)
            asked = {one: known.get(one) for one in self.returns.metadata}
            yield with_values(mailbox, asked)


def look_up(session: Session, returns: Returns, folders: Sequence[FolderInfo]) -> Tell:
    """Ask for all mailboxes what cannot be told from their counters."""
    storage = yield from deleted_storage(folders, returns.status)
    values: dict[int, dict[Name, bytes]] = {}
    if returns.metadata:
        values = yield Read(_values, (folders, session.user_id))
    return Extras(session, returns, storage, values)


def _values(
    folders: Sequence[FolderInfo], user_id: int
) -> dict[int, dict[Name, bytes]]:
    """Return {folder: entries}: one query for each account."""
    found: dict[int, dict[Name, bytes]] = {}
    for account_id in {one.account_id for one in folders}:
        ids = [one.id for one in folders if one.account_id == account_id]
        for one in annotations(account_id, ids, user_id):
            if one.folder_id is not None:
                name = Name(one.shared, one.name)
                found.setdefault(one.folder_id, {})[name] = one.value
    return found


def returning(p: Parser) -> Returns:
    """Read RETURN and its options."""
    if p.atom().upper() != "RETURN":
        raise Bad("Expected RETURN")
    p.literally(b" (")
    names: set[str] = set()
    status: tuple[str, ...] = ()
    metadata: tuple[Name, ...] = ()
    while not p.takes(b")"):
        if names:
            p.sp()
        name = p.atom().upper()
        names.add(name)
        if name == "STATUS":
            p.sp()
            status = status_items(p)
        elif name == "METADATA":
            p.sp()
            metadata = entries(p)
        elif name not in PLAIN:
            raise Bad(say("Unknown option {}", name[:40]))
    return Returns(frozenset(names), status, metadata)
