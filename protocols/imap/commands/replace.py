"""REPLACE and UID REPLACE. RFC 8508 §3."""

from dataclasses import dataclass
from typing import Self

from mailhost.store import change
from mailhost.store.append import Item
from mailhost.store.errors import NoSuchFolder, NoSuchMessage
from protocols.imap.appending.assemble import assembled
from protocols.imap.appending.grammar import Message, append_message
from protocols.imap.commands.append import Appended, append_to, note_stored
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import Bad, No
from protocols.imap.names import places
from protocols.imap.parser import Parser
from protocols.imap.selected import require_right
from protocols.imap.sequence import SequenceSet
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Replace:
    """Put a message into a mailbox and remove one here, in one transaction."""

    chosen: SequenceSet
    name: str
    message: Message
    by_uid: bool

    @classmethod
    def parse(cls, p: Parser) -> Self:
        return cls._parse(p, by_uid=False)

    @classmethod
    def parse_uid(cls, p: Parser) -> Self:
        return cls._parse(p, by_uid=True)

    @classmethod
    def _parse(cls, p: Parser, *, by_uid: bool) -> Self:
        p.sp()
        chosen = p.sequence_set()
        if chosen.saved or len(chosen.ranges) > 1 or len({*chosen.ranges[0]}) > 1:
            raise Bad("REPLACE takes one message")
        p.sp()
        name = p.mailbox()
        message = append_message(p)
        p.crlf()
        return cls(chosen, name, message, by_uid)

    def run(self, session: Session) -> Run:
        selected = session.writable("e")
        source = selected.folder
        require_right(source, "te")  # RFC 8508 §4.1
        spans = selected.positions(self.chosen, by_uid=self.by_uid)
        uids = selected.chosen_uids(spans)
        if not uids:
            raise No("There is no such message", "NONEXISTENT")
        try:
            target, name = places(session, self.name)
            item = yield from assembled(session, self.message)
            there = (target, name, session.asker(target), [item])
            accounts = tuple(sorted({source.account_id, target}))
            here = (source.account_id, source.id, uids[0])
            done = yield Write(accounts, _replace, (here, there))
        except NoSuchFolder as error:
            raise No(error.args[0], "TRYCREATE") from None
        session.look_again()
        session.removes = True
        note_stored(session, done.stored)
        # Before the EXPUNGE, so that the client can pair them. RFC 8508 §4.3
        if done.code:
            yield session.say("Replaced", done.code)
        return ""


def _replace(
    here: tuple[int, int, int], there: tuple[int, str, int | None, list[Item]]
) -> Appended:
    """Remove first, so that only the difference counts for the quota (§3.4)."""
    account_id, folder_id, uid = here
    if not change.expunge(account_id, folder_id, [uid], force=True).uids:
        raise NoSuchMessage("The message is gone")
    return append_to(*there)
