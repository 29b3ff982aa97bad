"""SEARCH, SORT and their UID forms. RFC 9051 §6.4.4, RFC 5256 §3.

ESEARCH is RFC 4731, ESORT RFC 5267 §3, "$" RFC 5182, UPDATE RFC 5267 §4.3.
"""

from dataclasses import dataclass, replace
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.errors import Bad, No
from protocols.imap.messagelimit import limited_key, require_range
from protocols.imap.parser import Parser
from protocols.imap.searching.answer import answer
from protocols.imap.searching.contexts import check_tag, keep
from protocols.imap.searching.keys import All
from protocols.imap.searching.options import return_options
from protocols.imap.searching.program import (
    Program,
    find,
    search_criteria,
    search_program,
    settled,
    sort_criteria,
)
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Search:
    """Find messages, and tell them in the order of the mailbox or another."""

    program: Program
    refused: No | None = None  # its charset is not known

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        options = return_options(p)
        try:
            key, names_charset = search_program(p)
        except No as error:
            return cls(Program(All(), options), error)
        p.crlf()
        return cls(Program(key, options, names_charset=names_charset))

    @classmethod
    def parse_uid(cls, p: Parser) -> "Search":
        return _by_uid(cls.parse(p))

    @classmethod
    def parse_sort(cls, p: Parser) -> Self:
        p.sp()
        options = return_options(p)
        criteria = sort_criteria(p)
        p.sp()
        try:
            key = search_criteria(p)
        except No as error:
            return cls(Program(All(), options, criteria), error)
        p.crlf()
        return cls(Program(key, options, criteria))

    @classmethod
    def parse_uid_sort(cls, p: Parser) -> "Search":
        return _by_uid(cls.parse_sort(p))

    def run(self, session: Session) -> Run:
        selected, program, options = session.view(), self.program, self.program.options
        check_tag(selected, program, session.tag)
        try:
            if self.refused:
                raise self.refused
            key = yield from settled(session, program)
            limit = ""
            if program.criteria is None:  # what SORT needs is at hand: RFC 9738 §3.3
                require_range(session, options.partial if options else None)
                key, limit = limited_key(session, selected, key)
            found = yield from find(selected, key, program)
        except Bad:
            raise
        except Exception:
            if options is not None and "SAVE" in options:
                selected.saved = ()  # RFC 5182 §2.1: empty after a failure
            raise
        if options is not None and "SAVE" in options:
            uids = selected.now.uids
            saved = options.chosen(found.rows)
            selected.saved = tuple(sorted(uids[i] for i in saved))
        yield answer(session, selected, program, found)
        if options is not None and "UPDATE" in options:
            yield keep(session, selected, program, key, found.rows)
        return limit


def _by_uid(found: Search) -> Search:
    return replace(found, program=replace(found.program, by_uid=True))
