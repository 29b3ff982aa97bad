"""LSUB. RFC 3501 §6.3.9."""

from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.listing import Tree, matcher
from protocols.imap.names import all_folders, written
from protocols.imap.parser import Parser
from protocols.imap.session import Session


@dataclass(frozen=True, slots=True)
class Lsub:
    """Name what the user is subscribed to."""

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
        who = session.who()
        found = yield Read(all_folders, (who.user_id, who.account_id))
        session.shared = found.shared
        tree = Tree.of(found, with_subscribed=True)
        matches = matcher(self.reference, (self.pattern,))
        lines = []
        for entry in tree.entries:
            below = any(child.subscribed for child in tree.below(entry.name))
            # "%" shows a parent for its subscribed children. RFC 3501 §6.3.9
            if not matches(entry.name) or not (
                entry.subscribed or (below and "%" in self.pattern)
            ):
                continue
            noselect = not entry.subscribed or entry.folder is None
            shown = "\\Noselect" if noselect else ""
            lines.append(f'* LSUB ({shown}) "/" {written(session, entry.name)}\r\n')
        yield "".join(lines).encode()
        return ""
