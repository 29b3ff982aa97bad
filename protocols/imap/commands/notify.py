"""NOTIFY. RFC 5465 §3.1."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import Listen
from protocols.imap.errors import Bad, No
from protocols.imap.notify.differences import Difference
from protocols.imap.notify.events import Event
from protocols.imap.notify.grammar import Asked, event_groups
from protocols.imap.notify.news import Overflow, accounts_of, written_down
from protocols.imap.notify.notified import WHATEVER, Notified
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.sync import tell_changes


@dataclass(frozen=True, slots=True)
class Notify:
    """Say what is to be told unasked, from now on."""

    asked: Asked
    is_set: bool = True
    status: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        word = p.atom().upper()
        if word == "NONE":
            p.crlf()
            return cls(Asked(), is_set=False)
        if word != "SET":
            raise Bad("Expected SET or NONE")
        p.sp()
        status = p.next() != b"("
        if status:
            if p.atom().upper() != "STATUS":
                raise Bad("Expected STATUS or a group")
            p.sp()
        asked = event_groups(p)
        p.crlf()
        return cls(asked, status=status)

    def run(self, session: Session) -> Run:
        if self.asked.refused is not None:
            raise self.asked.refused
        former = session.notified
        # In its place at once: what happens while the accounts are read is heard.
        notified = session.notified = Notified(self.asked.wishes, self.asked.groups)
        try:
            notified.take((yield from accounts_of(session, notified)))
        except Exception as error:
            session.notified = former
            if former is not None:
                former.moved = dict.fromkeys(former.told, WHATEVER)
            yield Listen(tuple(former.told) if former is not None else ())
            if isinstance(error, Overflow):
                raise No(str(error), "NOTIFICATIONOVERFLOW") from None
            raise
        if self.is_set:
            # All that is untold, also if nothing is to be told after it.
            yield from tell_changes(session, expunges=True, everything=True)
            yield from self._described(session, notified)
        return ""

    def _described(self, session: Session, notified: Notified) -> Iterator[bytes]:
        """Yield LIST for what may not be read, and STATUS, if asked, of the rest."""
        told, own_id = notified.told, session.who().account_id
        if not told:
            return
        selected_id = session.selected.folder.id if session.selected else None
        found = Difference(notified, told, told, own_id, session.condstore)
        everything = ((a, one) for a in told.values() for one in a.all_seen())
        for account, seen in everything:
            events = found.events(seen.name, is_own=account.is_own)
            if events and not seen.readable:
                found.news.listed[seen.name] = None
            elif not self.status or seen.folder.id == selected_id:
                continue
            elif Event.MESSAGE_NEW in events:
                status = (seen.name, seen.folder, _items(session, events))
                found.news.statuses.append(status)
        yield from written_down(session, found)


def _items(session: Session, events: frozenset[Event]) -> list[str]:
    """Return what STATUS says at first: what later ones are measured by. §3.1."""
    items = ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]
    if session.condstore or Event.FLAG_CHANGE in events:
        items.append("HIGHESTMODSEQ")
    return items
