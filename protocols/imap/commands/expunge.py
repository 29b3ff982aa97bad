r"""EXPUNGE and UID EXPUNGE. RFC 9051 §6.4.3, §6.4.9; RFC 4315 §2.1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from mailhost.store import flags as store_flags
from mailhost.store.change import expunge
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.messagelimit import limited_uids
from protocols.imap.parser import Parser
from protocols.imap.selected import Selected
from protocols.imap.sequence import SequenceSet
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Expunge:
    r"""Remove for good the messages flagged \Deleted; `uids` narrows the removal."""

    uids: SequenceSet | None = None

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    @classmethod
    def parse_uid(cls, p: Parser) -> Self:
        p.sp()
        uids = p.sequence_set()
        p.crlf()
        return cls(uids)

    def run(self, session: Session) -> Run:
        selected = session.writable("e")
        folder = selected.folder
        only, limit = None, ""
        if self.uids is not None:
            spans = selected.positions(self.uids, by_uid=True)
            uids: Sequence[int] = selected.chosen_uids(spans)
            if len(uids) > session.at.message_limit > 0:  # not EXPUNGE: RFC 9738 §3.1
                uids, limit = limited_uids(session, _deleted(selected, uids))
            only = tuple(uids)
        place = (folder.account_id, folder.id, only)
        done = yield Write((folder.account_id,), expunge, place)
        # The connection tells what is gone, as it tells what others removed,
        # and says HIGHESTMODSEQ. RFC 7162 §3.2.7
        session.mark(done.modseq)
        session.removes = True
        return limit


def _deleted(selected: Selected, uids: Sequence[int]) -> Sequence[int]:
    now = selected.now
    found = ((uid, now.index(uid)) for uid in uids)
    return [
        uid for uid, i in found if i is not None and now.flags[i] & store_flags.DELETED
    ]
