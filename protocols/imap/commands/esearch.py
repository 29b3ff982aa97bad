"""ESEARCH: one search in many mailboxes. RFC 7377."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mailhost.store.errors import NoSuchFolder
from mailhost.store.view import views
from protocols.imap.commands.base import Run
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad, No
from protocols.imap.names import written
from protocols.imap.parser import Parser
from protocols.imap.searching.answer import esearch
from protocols.imap.searching.contexts import check_tag, keep, refused
from protocols.imap.searching.keys import Key
from protocols.imap.searching.options import Options, return_options
from protocols.imap.searching.program import Program, find, search_program, settled
from protocols.imap.searching.sources import (
    SELECTED,
    Place,
    Source,
    name_of,
    places,
    sources,
)
from protocols.imap.selected import NEVER_RECENT, Selected, select
from protocols.imap.session import Session

MOST_MAILBOXES = 1_000  # searched by one command


@dataclass(frozen=True, slots=True)
class Esearch:
    """Search the mailboxes of these sources, and tell of each that has matches."""

    sources: tuple[Source, ...]
    program: Program
    options: Options

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        wanted: tuple[Source, ...] = (SELECTED,)
        if p.octets[p.offset : p.offset + 4].upper() == b"IN (":
            p.offset += 3
            wanted = sources(p)
            p.sp()
        options = return_options(p) or Options()
        key, names_charset = search_program(p)
        p.crlf()
        if "SAVE" in options and set(wanted) != {SELECTED}:
            raise Bad("SAVE is for the selected mailbox alone")  # RFC 7377 §2.2
        program = Program(key, options, by_uid=True, names_charset=names_charset)
        return cls(wanted, program, options)

    def run(self, session: Session) -> Run:
        selected = session.selected
        if selected is None and (SELECTED in self.sources or "UPDATE" in self.options):
            raise Bad("No mailbox is selected")
        if selected is not None:
            check_tag(selected, self.program, session.tag)
        key = yield from settled(session, self.program)
        wanted = yield from self._places(session)
        if len(wanted) > MOST_MAILBOXES:
            raise No("Too many mailboxes to search", "LIMIT")
        is_kept = "UPDATE" not in self.options
        for place in wanted:
            if selected is not None and place.folder.id == selected.folder.id:
                rows = yield from self._search(session, selected, key, place.name)
                is_kept = True
                self._save(selected, rows)
                if "UPDATE" in self.options:
                    yield keep(session, selected, self.program, key, rows)
            elif place.folder.messages:
                yield from self._elsewhere(session, key, place)
        if not is_kept:
            yield refused(session)
        return ""

    def _places(self, session: Session) -> Generator[bytes | Effect, Any, list[Place]]:
        if session.selected is not None and set(self.sources) == {SELECTED}:
            folder = session.selected.folder
            return [Place(name_of(session, folder), folder)]
        return (yield from places(session, self.sources))

    def _elsewhere(
        self, session: Session, key: Key, place: Place
    ) -> Generator[bytes | Effect, Any, None]:
        try:
            now = yield Read(views.get, (place.folder.id,))
        except NoSuchFolder:
            return
        there = select(place.folder, now, read_only=True, recent_from=NEVER_RECENT)
        yield from self._search(session, there, key, place.name)

    def _search(
        self, session: Session, there: Selected, key: Key, name: str
    ) -> Generator[bytes | Effect, Any, Sequence[int]]:
        """Search one mailbox and tell what was found; return the rows."""
        found = yield from find(there, key, self.program)
        if found.rows and self.options.names != {"SAVE"}:
            where = f" MAILBOX {written(session, name)}"
            where += f" UIDVALIDITY {there.now.uid_validity}"
            yield esearch(session, there, self.program, self.options, found, where)
        return found.rows

    def _save(self, selected: Selected, rows: Sequence[int]) -> None:
        if "SAVE" in self.options:
            chosen = self.options.chosen(rows)
            selected.saved = tuple(selected.now.uids[i] for i in chosen)
