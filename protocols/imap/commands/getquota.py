"""GETQUOTA. RFC 9208 §4.1.1."""

from dataclasses import dataclass
from typing import Self

from accounts.auth import Login
from mailhost.store.quota import Usage, usage
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.parser import Parser
from protocols.imap.quotaroots import account_of, told
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Getquota:
    """Tell usage and limits of a quota root."""

    root: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        root = p.astring()
        p.crlf()
        return cls(root)

    def run(self, session: Session) -> Run:
        found = yield Read(_usage, (session.who(), self.root))
        yield told(self.root, found)
        return ""


def _usage(who: Login, root: str) -> Usage:
    return usage(account_of(who, root))
