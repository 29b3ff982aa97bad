"""GETMETADATA. RFC 5464 §4.2; /private/specialuse is RFC 6154 §4."""

import math
import re
from dataclasses import dataclass
from typing import Self

from accounts.auth import Login
from mailhost.store.annotations import annotations
from mailhost.store.folders import open_folder
from mailhost.store.rights import require_on
from mailhost.store.values import FolderInfo
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.errors import Bad
from protocols.imap.metadata import (
    ADMIN,
    NEEDED,
    SPECIAL_USE,
    Name,
    entries,
    is_within,
    with_values,
)
from protocols.imap.names import places, written
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.special import USES
from protocols.imap.wording import say

OPTIONS = re.compile(rb"\((?=(?:MAXSIZE|DEPTH)[ )])", re.IGNORECASE)
DEPTHS = {"0": 0.0, "1": 1.0, "INFINITY": math.inf}
Place = tuple[int, str] | None  # None: the server
Values = dict[Name, bytes]


@dataclass(frozen=True, slots=True)
class Getmetadata:
    """Tell the values of entries."""

    name: str
    entries: tuple[Name, ...]
    depth: float = 0
    max_size: int | None = None

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        # The grammar has the options before the mailbox, the examples after it.
        options = _options(p)
        name = p.mailbox()
        p.sp()
        options |= _options(p)
        names = entries(p, may_be_root=True)
        p.crlf()
        depth = DEPTHS.get(str(options.get("DEPTH", "0")))
        if depth is None:
            raise Bad("DEPTH is 0, 1 or infinity")
        size = options.get("MAXSIZE")
        return cls(name, names, depth, int(size) if size is not None else None)

    def run(self, session: Session) -> Run:
        place = places(session, self.name) if self.name else None
        known = yield Read(known_entries, (session.who(), place))
        found: dict[Name, bytes | None] = {}
        for asked in self.entries:
            if not self.depth and asked.rest:
                found[asked] = known.get(asked)
            below = [n for n in known if is_within(n, asked, self.depth)]
            found |= {n: known[n] for n in below}
        longest = 0
        if self.max_size is not None:
            sizes = {n: len(v) for n, v in found.items() if v is not None}
            too_long = {n for n, size in sizes.items() if size > self.max_size}
            longest = max((sizes[n] for n in too_long), default=0)
            found = {n: v for n, v in found.items() if n not in too_long}
        if found:
            mailbox = written(session, self.name) if self.name else '""'
            yield with_values(mailbox, found)
        return f"METADATA LONGENTRIES {longest}" if longest else ""


def known_entries(who: Login, place: Place) -> Values:
    """Return all entries of a mailbox, or of the server, that this user sees."""
    if place is None:
        domain = who.email.rpartition("@")[2]
        known = {ADMIN: f"mailto:postmaster@{domain}".encode()}
        return stored(who.account_id, None, who.user_id) | known
    folder = open_folder(*place, who.user_id)
    if not set(NEEDED) & set(folder.rights):
        require_on(folder, "r")
    own = special_use(folder) if place[0] == who.account_id else {}
    return stored(place[0], folder.id, who.user_id) | own


def stored(account_id: int, folder_id: int | None, user_id: int) -> Values:
    """Return the entries that somebody has set."""
    return {
        Name(one.shared, one.name): one.value
        for one in annotations(account_id, [folder_id], user_id)
    }


def special_use(folder: FolderInfo) -> Values:
    """Return /private/specialuse of a folder of one's own, if it has a use."""
    use = USES.get(folder.role)
    return {SPECIAL_USE: use.encode()} if use else {}


def _options(p: Parser) -> dict[str, str | int]:
    """Read MAXSIZE and DEPTH in brackets, if that is what follows, and the space."""
    found: dict[str, str | int] = {}
    if not OPTIONS.match(p.octets, p.offset):
        return found
    p.literally(b"(")
    while not p.takes(b") "):
        if found:
            p.sp()
        name = p.atom().upper()
        p.sp()
        if name == "MAXSIZE":
            found[name] = p.number()
        elif name == "DEPTH":
            found[name] = p.atom().upper()
        else:
            raise Bad(say("Unknown option {}", name[:40]))
    return found
