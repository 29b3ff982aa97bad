"""APPEND. RFC 9051 §6.3.12; several at once RFC 3502 §6.3.11."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from mailhost.store import folders
from mailhost.store.append import Item, append_all
from mailhost.store.change import permitted
from mailhost.store.errors import NoSuchFolder
from mailhost.store.rights import require_on
from mailhost.store.values import Stored
from mailhost.store.writer import Bulk
from protocols.imap.appending.assemble import assembled
from protocols.imap.appending.grammar import Message, append_message
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import Bad, No
from protocols.imap.messagelimit import require_few
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.parser import Parser
from protocols.imap.sequence import written
from protocols.imap.session import Session

MOST_MESSAGES = 200  # of one command


@dataclass(frozen=True, slots=True)
class Append:
    """Put messages into a mailbox: all of them or none."""

    name: str
    messages: tuple[Message, ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        name = p.mailbox()
        messages: list[Message] = []
        while not messages or p.next() == b" ":
            messages.append(append_message(p))
            if len(messages) > MOST_MESSAGES:
                raise Bad("Too many messages", "LIMIT")
        p.crlf()
        return cls(name, tuple(messages))

    def run(self, session: Session) -> Run:
        items: list[Item] = []
        require_few(session, len(self.messages))
        try:
            account_id, name = places(session, self.name)
            for message in self.messages:
                item = yield from assembled(session, message)
                items.append(item)
            where = (account_id, name, session.asker(account_id), items)
            done: Appended = yield Write((account_id,), APPENDS, (where,))
        except NoSuchFolder as error:
            raise No(error.args[0], "TRYCREATE") from None
        session.changed(account_id, done.stored[-1].modseq)
        note_stored(session, done.stored)
        return done.code


@dataclass(frozen=True, slots=True)
class Appended:
    """Where messages were put, and whether the user may look there."""

    stored: Sequence[Stored]
    readable: bool

    @property
    def code(self) -> str:
        """The APPENDUID code; none for who may not open the mailbox. RFC 4315 §3."""
        if not self.readable:
            return ""
        uids = written([one.uid for one in self.stored])
        return f"APPENDUID {self.stored[0].uid_validity} {uids}"


def note_stored(session: Session, stored: Sequence[Stored]) -> None:
    """Let NOTIFY know whose messages these are."""
    one = stored[0]
    place = (one.account_id, one.folder_id)
    deeds.filled(session, place, one.uid, len(stored), one.modseq)


def append_to(
    account_id: int, name: str, user_id: int | None, items: Sequence[Item]
) -> Appended:
    """Put messages into the folder of this name. Runs SQL. RFC 4314 §4: "i"."""
    return _append_all([(account_id, name, user_id, items)])[0]


def _append_all(
    wanted: Sequence[tuple[int, str, int | None, Sequence[Item]]],
) -> list[Appended]:
    """Do as `append_to` for each of several commands, or raise for all of them."""
    groups: list[tuple[int, int, Sequence[Item]]] = []
    readable: list[bool] = []
    for account_id, name, user_id, items in wanted:
        folder = folders.open_folder(account_id, name, user_id, "li")
        require_on(folder, "i")
        kept = [
            (prepared, *permitted(flags, keywords, folder.rights), date)
            for prepared, flags, keywords, date in items
        ]
        groups.append((account_id, folder.id, kept))
        readable.append("r" in folder.rights)
    return list(map(Appended, append_all(groups), readable))


APPENDS = Bulk(_append_all)
