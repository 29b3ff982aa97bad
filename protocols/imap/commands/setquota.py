"""SETQUOTA. RFC 9208 §4.1.3."""

from dataclasses import dataclass
from typing import Self

from mailhost.store import quota
from protocols.imap.commands.base import Run
from protocols.imap.effects import Read, Write
from protocols.imap.errors import Bad, No
from protocols.imap.parser import Parser
from protocols.imap.quotaroots import KILO, account_of, told
from protocols.imap.session import Session

MOST = 2**62  # octets, messages
RESOURCES = {"STORAGE", "MESSAGE"}


@dataclass(frozen=True, slots=True)
class Setquota:
    """Set the limits of a quota root; one that is not named is lifted."""

    root: str
    limits: tuple[tuple[str, int], ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        root = p.astring()
        p.literally(b" (")
        limits: dict[str, int] = {}
        while not p.takes(b")"):
            if limits:
                p.sp()
            name = p.atom().upper()
            p.sp()
            if name in limits:
                raise Bad("A resource is named twice")
            limits[name] = p.number()
        p.crlf()
        return cls(root, tuple(limits.items()))

    def run(self, session: Session) -> Run:
        limits = dict(self.limits)
        if not set(limits) <= RESOURCES:
            raise No("Only STORAGE and MESSAGE are limited here", "CANNOT")
        who = session.who()
        account_id = yield Read(account_of, (who, self.root))
        most_bytes = limits.get("STORAGE")
        if most_bytes is not None:
            most_bytes = min(most_bytes * KILO, MOST)
        most_messages = limits.get("MESSAGE")
        if most_messages is not None:
            most_messages = min(most_messages, MOST)
        arguments = (who.user_id, account_id, most_bytes, most_messages)
        now = yield Write((account_id,), quota.set_limits, arguments)
        yield told(self.root, now)
        return ""
