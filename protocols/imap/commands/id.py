"""ID. RFC 2971 §3.1."""

import logging
from dataclasses import dataclass
from typing import Self

from protocols.imap.capabilities import capabilities
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser, text
from protocols.imap.quirks import cache, hidden_from
from protocols.imap.responses import untagged
from protocols.imap.session import Session

log = logging.getLogger(__name__)

MOST_FIELDS = 30  # RFC 2971 §3.3
LOGGED = ("name", "version")


@dataclass(frozen=True, slots=True)
class Id:
    """Tell each other which programs these are."""

    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        fields: list[tuple[str, str]] = []
        if p.next() != b"(":
            _nil(p)
        else:
            p.literally(b"(")
            while not p.takes(b")"):
                if fields:
                    p.sp()
                name = text(p.string())
                p.sp()
                fields.append((name, _nstring(p)))
                if len(fields) > MOST_FIELDS:
                    raise Bad("Too many fields")
        p.crlf()
        return cls(tuple(fields))

    def run(self, session: Session) -> Run:
        known = {k.lower(): v for k, v in self.fields}
        code = yield from _hide(session, known)
        shown = " ".join(repr(known[k][:80]) for k in LOGGED if k in known)
        log.debug("client %s", shown)
        session.client = " ".join(known[k][:40] for k in LOGGED if k in known)
        yield untagged('ID ("name" "mailhost")')
        return code


def _hide(session: Session, said: dict[str, str]) -> Run:
    """Hide what the program cannot handle; return the code if that changes anything."""
    quirks = cache.fresh()
    if quirks is None:
        quirks = yield Read(cache.read)
    before, session.hidden = capabilities(session), hidden_from(quirks, said)
    after = capabilities(session)
    return f"CAPABILITY {' '.join(after)}" if after != before else ""


def _nstring(p: Parser) -> str:
    if p.next() in {b'"', b"{"}:
        return text(p.string())
    _nil(p)
    return ""


def _nil(p: Parser) -> None:
    if p.atom().upper() != "NIL":
        raise Bad("Expected NIL")
