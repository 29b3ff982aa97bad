"""NAMESPACE. RFC 9051 §6.3.10, RFC 2342 §5."""

from dataclasses import dataclass
from typing import Self

from protocols.imap import utf7
from protocols.imap.commands.base import Run
from protocols.imap.effects import Steps
from protocols.imap.names import SHARED, look_up_shares
from protocols.imap.parser import Parser
from protocols.imap.responses import quoted, untagged
from protocols.imap.session import Session
from protocols.imap.wording import ENGLISH, in_language


@dataclass(frozen=True, slots=True)
class Namespace:
    """Tell the prefixes: the user's own, and that of shared accounts."""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.crlf()
        return cls()

    def run(self, session: Session) -> Run:
        yield from tell_namespaces(session)
        return ""


def tell_namespaces(session: Session) -> Steps:
    """Yield the response; prefixes with their translation. RFC 5255 §3.4."""
    yield from look_up_shares(session)
    if not session.shared:
        yield untagged('NAMESPACE (("" "/")) NIL NIL')
        return
    name, more = in_language(session.language, SHARED), ""
    if session.language not in ENGLISH:
        more = f' "TRANSLATION" ({quoted(utf7.encode(name) + "/")})'
    yield untagged(f'NAMESPACE (("" "/")) NIL (("{SHARED}/" "/"{more}))')
