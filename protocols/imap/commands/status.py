"""STATUS. RFC 9051 §6.3.11; SIZE RFC 8438, HIGHESTMODSEQ RFC 7162 §3.1.7.

DELETED-STORAGE: RFC 9208 §4.1.4.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mailhost.store.folders import open_folder
from mailhost.store.quota import deleted_bytes
from mailhost.store.values import FolderInfo
from protocols.imap.commands.base import Run
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad
from protocols.imap.modseqs import make_aware
from protocols.imap.names import places
from protocols.imap.parser import ATOM, Parser
from protocols.imap.selected import require_right
from protocols.imap.session import Session
from protocols.imap.statusline import status_line
from protocols.imap.wording import say

ITEMS = (
    "MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE",
    "HIGHESTMODSEQ", "MAILBOXID", "APPENDLIMIT", "DELETED-STORAGE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """Tell the counters of a mailbox without selecting it."""

    name: str
    items: tuple[str, ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        p.sp()
        items = status_items(p)
        p.crlf()
        return cls(name, items)

    def run(self, session: Session) -> Run:
        account_id, name = places(session, self.name)
        asker = session.asker(account_id)
        where = (account_id, name, asker, "lr")
        folder = yield Read(open_folder, where, brief=asker is None)
        require_right(folder, "r")
        if "HIGHESTMODSEQ" in self.items:
            yield from make_aware(session)
        storage = yield from deleted_storage([folder], self.items)
        yield status_line(session, self.name, folder, self.items, storage)
        return ""


def deleted_storage(
    folders: Sequence[FolderInfo], items: Sequence[str]
) -> Generator[Effect, Any, Mapping[int, int]]:
    """Return what DELETED-STORAGE says of each folder, if it is asked. RFC 9208 §4."""
    if "DELETED-STORAGE" not in items:
        return {}
    found: Mapping[int, int] = yield Read(deleted_bytes, (folders,))
    return found


def status_items(p: Parser) -> tuple[str, ...]:
    """Read "(" status-att *(SP status-att) ")"."""
    p.literally(b"(")
    found: dict[str, None] = {}
    while True:
        name = p.match(ATOM, "an item")[0].decode("ascii").upper()
        if name not in ITEMS:
            raise Bad(say("Unknown item {}", name[:40]))
        found[name] = None
        if p.takes(b")"):
            return tuple(found)
        p.sp()
