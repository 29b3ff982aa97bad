"""COPY and UID COPY. RFC 9051 §6.4.7; COPYUID is RFC 4315 §3."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from mailhost.store import change, folders
from mailhost.store.errors import NoSuchFolder, NoSuchMessage
from mailhost.store.rights import require_on
from mailhost.store.sql import runs
from mailhost.store.values import Copied
from protocols.imap.commands.base import Run
from protocols.imap.effects import Write
from protocols.imap.errors import No
from protocols.imap.messagelimit import require_all
from protocols.imap.names import places
from protocols.imap.notify import deeds
from protocols.imap.parser import Parser
from protocols.imap.sequence import SequenceSet, written_spans
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Copy:
    """Copy messages to another mailbox, or the same."""

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
        selected = session.view()
        spans = selected.positions(self.chosen, by_uid=self.by_uid)
        require_all(session, selected, spans)
        uids = selected.chosen_uids(spans)
        source = selected.folder
        try:
            target, name = places(session, self.name)
            place = Place(
                source.account_id, source.id, target, name, session.asker(target)
            )
            done = yield Write(place.accounts, _copy, (place, uids, self.by_uid))
        except NoSuchFolder as error:
            raise No(error.args[0], "TRYCREATE") from None
        session.changed(target, done.modseq)
        note_copied(session, target, done)
        return copyuid(done)


@dataclass(frozen=True, slots=True)
class Place:
    """From where, to where, and for whom."""

    account_id: int
    folder_id: int
    to_account_id: int
    to_name: str
    user_id: int | None

    @property
    def accounts(self) -> tuple[int, ...]:
        return tuple(sorted({self.account_id, self.to_account_id}))

    def target(self) -> tuple[int, int, str]:
        """Return account, folder and the rights there. Runs SQL. RFC 4314 §4: "i"."""
        folder = folders.open_folder(
            self.to_account_id, self.to_name, self.user_id, "li"
        )
        require_on(folder, "i")
        return folder.account_id, folder.id, folder.rights


def _copy(place: Place, uids: Sequence[int], by_uid: bool) -> Copied:  # noqa: FBT001 - an effect's arguments have no names
    """Copy all or none; a UID that is gone is no error (RFC 9051 §6.4.9)."""
    target = place.target()
    done = change.copy(place.account_id, place.folder_id, uids, *target)
    if len(done.uids) < len(uids) and not by_uid:
        raise NoSuchMessage("Some of these messages are gone")
    return shown(done, target)


def shown(done: Copied, target: tuple[int, int, str]) -> Copied:
    """Leave the UIDs out where the user may not open the mailbox. RFC 4315 §3."""
    uids = done.uids if "r" in target[2] else ()
    return replace(done, uids=uids, to_folder_id=target[1])


def note_copied(session: Session, account_id: int, done: Copied) -> None:
    """Let NOTIFY know whose messages these are."""
    if done.uids:
        place = (account_id, done.to_folder_id)
        deeds.filled(session, place, done.first, len(done.uids), done.modseq)


def copyuid(done: Copied) -> str:
    """Return the COPYUID code; nothing where nothing was copied. RFC 4315 §3."""
    if not done.uids:
        return ""
    last = done.first + len(done.uids) - 1
    targets = str(done.first) if last == done.first else f"{done.first}:{last}"
    sources = written_spans((low, high + 1) for low, high in runs(done.uids))
    return f"COPYUID {done.uid_validity} {sources} {targets}"
