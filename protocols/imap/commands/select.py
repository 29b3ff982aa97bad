"""SELECT and EXAMINE. RFC 9051 §6.3.2, §6.3.3.

CONDSTORE is RFC 7162 §3.1.8, QRESYNC §3.2.5.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from mailhost.store import folders
from mailhost.store.values import FolderInfo
from mailhost.store.view import Generation, views
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read, Watch, Write
from protocols.imap.errors import Bad
from protocols.imap.names import places
from protocols.imap.oldname import list_line, real_name
from protocols.imap.parser import Parser
from protocols.imap.permanent import flag_responses
from protocols.imap.resync import (
    NOTHING,
    Known,
    Missed,
    missed,
    require_qresync,
    tell_earlier,
)
from protocols.imap.selected import Selected, require_right, select
from protocols.imap.session import Session
from protocols.imap.special import attributes
from protocols.imap.sync import count_recent, tell_flags
from protocols.imap.urlauth import MECHANISM
from protocols.imap.wording import in_language, say

SEEN = bytes(bits & 1 for bits in range(256))


@dataclass(frozen=True, slots=True)
class Select:
    """Open a mailbox and describe it."""

    name: str
    given: str
    condstore: bool = False
    known: Known | None = None
    read_only: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name, given = p.mailbox(), p.given
        condstore, known = False, None
        if p.takes(b" ("):  # RFC 4466 §2.1
            condstore, known = _parameters(p)
        p.crlf()
        return cls(name, given, condstore, known)

    @classmethod
    def parse_examine(cls, p: Parser) -> Self:
        return replace(cls.parse(p), read_only=True)

    def run(self, session: Session) -> Run:
        if self.known is not None:
            require_qresync(session)
            if self.known.numbers is not None:
                session.use_numbers()
        # A failed SELECT leaves no mailbox selected. RFC 9051 §6.3.2
        if session.leave():
            # What follows is about the new mailbox. RFC 9051 §7.1
            yield session.say("The former mailbox is closed", "CLOSED")
        if self.condstore:
            session.enabled.add("CONDSTORE")
        account_id, name = places(session, self.name)
        # Hear of changes from before the mailbox is read on, so that none is missed.
        session.heard = 0
        yield Watch(account_id)
        heard = session.heard
        asker = session.asker(account_id)
        brief = asker is None  # whose rights need not be looked up
        where = (account_id, name, asker, self.known)
        folder, now, news = yield Read(_open, where, brief)
        require_right(folder, "r")
        read_only = self.read_only or not set("swtei") & set(folder.rights)
        selected = select(
            folder, now, read_only=read_only, recent_from=folder.recent_uid
        )
        if not self.read_only and folder.recent_uid < folder.uid_next:
            first = yield Write((account_id,), folders.claim_recent, (folder.id,))
            selected.recent_from = first
        session.selected, session.synced = selected, heard
        full = real_name(self.name, name, folder.name)
        yield "".join(_described(session, selected, full, self.given)).encode()
        yield from tell_earlier(news.gone)
        yield from tell_flags(session, selected, news.changed)
        return "READ-ONLY" if read_only else "READ-WRITE"


def _open(
    account_id: int, name: str, user_id: int | None, known: Known | None
) -> tuple[FolderInfo, Generation, Missed]:
    folder = folders.open_folder(account_id, name, user_id, "lr")
    now = views.get(folder.id)
    return folder, now, NOTHING if known is None else missed(now, known)


def _described(
    session: Session, selected: Selected, name: str, given: str
) -> Iterator[str]:
    folder, now = selected.folder, selected.now
    say = partial(in_language, session.language)
    yield from flag_responses(selected, session.language)
    yield f"* {len(now.uids)} EXISTS\r\n"
    if session.rev2:
        yield list_line(session, name, attributes(folder), given)
    else:
        yield f"* {count_recent(selected)} RECENT\r\n"
        first = _first_unseen(now)
        if first and not session.uid_only:
            yield f"* OK [UNSEEN {first}] {say('First unseen')}\r\n"
    yield f"* OK [UIDVALIDITY {folder.uid_validity}] {say('UIDs valid')}\r\n"
    next_uid = max(folder.uid_next, now.uids[-1] + 1 if now.uids else 1)
    yield f"* OK [UIDNEXT {next_uid}] {say('Next UID')}\r\n"
    yield f"* OK [HIGHESTMODSEQ {now.modseq}] {say('Highest')}\r\n"
    yield f"* OK [MAILBOXID (F{folder.mailbox_id})] {say('Id')}\r\n"
    yield f"* OK [URLMECH {MECHANISM}] {say('URLs can be signed')}\r\n"  # RFC 4467


def _first_unseen(now: Generation) -> int:
    """Return the number of the first message not seen, or 0."""
    # The low octet of each; a table makes it 1 where the message is seen.
    low = now.flags.tobytes()[0 if sys.byteorder == "little" else 1 :: 2]
    return low.translate(SEEN).find(0) + 1


def _parameters(p: Parser) -> tuple[bool, Known | None]:
    condstore, known = False, None
    while True:
        name = p.atom().upper()
        if name == "CONDSTORE":
            condstore = True
        elif name == "QRESYNC" and known is None:
            known = Known.parse(p)
        else:
            raise Bad(say("Unknown parameter {}", name[:40]))
        if p.takes(b")"):
            return condstore, known
        p.sp()
