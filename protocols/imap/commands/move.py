"""MOVE and UID MOVE. RFC 9051 §6.4.8; RFC 6851 §3."""

from dataclasses import dataclass, replace
from typing import Self

from mailhost.store import change
from mailhost.store.errors import NoSuchFolder
from mailhost.store.values import Copied
from protocols.imap.commands.base import Run
from protocols.imap.commands.copy import Place, copyuid, note_copied, shown
from protocols.imap.effects import Write
from protocols.imap.errors import No
from protocols.imap.messagelimit import limited
from protocols.imap.names import places
from protocols.imap.parser import Parser
from protocols.imap.selected import require_right
from protocols.imap.sequence import SequenceSet
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Move:
    """Copy messages and remove them here, in one transaction."""

    chosen: SequenceSet
    name: str
    by_uid: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        chosen = p.sequence_set()
        p.sp()
        name = p.mailbox()
        p.crlf()
        return cls(chosen, name)

    @classmethod
    def parse_uid(cls, p: Parser) -> Self:
        return replace(cls.parse(p), by_uid=True)

    def run(self, session: Session) -> Run:
        selected = session.writable("e")
        require_right(selected.folder, "te")  # RFC 6851 §4.3
        spans = selected.positions(self.chosen, by_uid=self.by_uid)
        spans, limit = limited(session, selected, spans)
        uids = selected.chosen_uids(spans)
        source = selected.folder
        try:
            target, name = places(session, self.name)
            place = Place(
                source.account_id, source.id, target, name, session.asker(target)
            )
            done = yield Write(place.accounts, _move, (place, uids))
        except NoSuchFolder as error:
            raise No(error.args[0], "TRYCREATE") from None
        session.look_again()
        session.removes = True
        note_copied(session, target, done)
        # Before the EXPUNGEs, so that the client can pair them. RFC 6851 §4.3
        if code := copyuid(done):
            yield session.say("Moved", code)
        return limit


def _move(place: Place, uids: list[int]) -> Copied:
    target = place.target()
    return shown(change.move(place.account_id, place.folder_id, uids, *target), target)
