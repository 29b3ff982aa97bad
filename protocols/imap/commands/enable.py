"""ENABLE. RFC 9051 §6.3.1, RFC 5161 §3.1."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.modseqs import make_aware
from protocols.imap.parser import Parser
from protocols.imap.responses import untagged
from protocols.imap.session import Session

KNOWN = {
    "CONDSTORE": "CONDSTORE",
    "IMAP4REV2": "IMAP4rev2",
    "QRESYNC": "QRESYNC",
    "UIDONLY": "UIDONLY",
    "UTF8=ACCEPT": "UTF8=ACCEPT",
}


@dataclass(frozen=True, slots=True)
class Enable:
    """Switch on what changes what the server says; others are left alone."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        names = [p.atom().upper()]
        while p.takes(b" "):
            names.append(p.atom().upper())
        p.crlf()
        return cls(tuple(names))

    def run(self, session: Session) -> Run:
        new = dict.fromkeys(
            name for name in self.names if name in KNOWN and name not in session.enabled
        )
        yield untagged(" ".join(["ENABLED", *(KNOWN[name] for name in new)]))
        if {"CONDSTORE", "QRESYNC"} & set(new):
            yield from make_aware(session)
        session.enabled |= set(new)
        return ""
