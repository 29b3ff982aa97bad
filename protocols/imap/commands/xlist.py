r"""XLIST: LIST that says what mailboxes are for, in words older than RFC 6154's.

Gmail's, from before SPECIAL-USE; no RFC has it. Old phones still ask for it.
"""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.listing import Entry, Tree, matcher
from protocols.imap.names import all_folders, written
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.special import USES

# Attribute of RFC 6154 -> that of XLIST, where it is another.
WORDS = {"\\All": "\\AllMail", "\\Flagged": "\\Starred", "\\Junk": "\\Spam"}


@dataclass(frozen=True, slots=True)
class Xlist:
    """Name mailboxes."""

    reference: str
    pattern: str

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        reference = p.mailbox()
        p.sp()
        pattern = p.list_mailbox()
        p.crlf()
        return cls(reference, pattern)

    def run(self, session: Session) -> Run:
        if not self.pattern:
            yield b'* XLIST (\\Noselect) "/" ""\r\n'
            return ""
        who = session.who()
        found = yield Read(all_folders, (who.user_id, who.account_id), brief=True)
        session.shared = found.shared
        tree = Tree.of(found, with_subscribed=False)
        matches = matcher(self.reference, (self.pattern,))
        told = [one for one in tree.entries if matches(one.name)]
        yield "".join(
            f'* XLIST ({_shown(one, tree)}) "/" {written(session, one.name)}\r\n'
            for one in told
        ).encode()
        return ""


def _shown(entry: Entry, tree: Tree) -> str:
    found = [
        WORDS.get(one, one) if one in USES.values() else one
        for one in entry.attributes(tree, subscribed=False)
        if one != "\\NonExistent"  # is of RFC 5258; \Noselect says it here
    ]
    if entry.name == "INBOX":
        found.append("\\Inbox")
    return " ".join(found)
