"""LIST. RFC 9051 §6.3.9; RFC 5258; SPECIAL-USE is RFC 6154.

What RETURN adds beside attributes is in `listreturns.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.effects import Read
from protocols.imap.errors import Bad
from protocols.imap.listing import Entry, Tree, matcher
from protocols.imap.listreturns import Returns, look_up, returning
from protocols.imap.names import all_folders, written
from protocols.imap.parser import Parser
from protocols.imap.responses import untagged
from protocols.imap.session import Session
from protocols.imap.special import USES
from protocols.imap.wording import say

SELECTION = {"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"}
MOST_PATTERNS = 50
NONE = Returns()


@dataclass(frozen=True, slots=True)
class List:
    """Name mailboxes. `select` narrows, `returns` adds attributes.

    `extended`: said in one of the ways that RFC 5258 added.
    """

    reference: str
    patterns: tuple[str, ...]
    select: frozenset[str] = frozenset()
    returns: Returns = NONE
    extended: bool = False

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        select = frozenset[str]()
        extended = p.takes(b"(")
        if extended:
            select = _options(p, SELECTION)
            p.sp()
        if "RECURSIVEMATCH" in select and "SUBSCRIBED" not in select:
            raise Bad("RECURSIVEMATCH goes with SUBSCRIBED")  # RFC 5258 §3.1
        reference = p.mailbox()
        p.sp()
        extended |= p.next() == b"("
        patterns = _patterns(p)
        returns = NONE
        if p.takes(b" "):
            extended, returns = True, returning(p)
        p.crlf()
        return cls(reference, patterns, select, returns, extended)

    def run(self, session: Session) -> Run:
        if self.patterns == ("",) and not self.extended:
            # The separator, and the root of the reference. RFC 9051 §6.3.9
            yield untagged('LIST (\\Noselect) "/" ""')
            return ""
        who = session.who()
        found = yield Read(all_folders, (who.user_id, who.account_id), brief=True)
        session.shared = found.shared
        tree = Tree.of(found, with_subscribed="SUBSCRIBED" in self.select)
        # An empty pattern fits nothing. RFC 5258 §3
        matches = matcher(self.reference, [one for one in self.patterns if one])
        told = [e for e in tree.entries if matches(e.name)]
        if "RECURSIVEMATCH" in self.select:
            told = [e for e in told if self._is_shown(e, tree, matches)]
        else:
            told = [e for e in told if self._is_wanted(e)]
        lines = self._lines(session, told, tree)
        if not self.returns:
            yield "".join(lines).encode()
            return ""
        listed = [e.folder for e in told if e.folder is not None and self._is_wanted(e)]
        extras = yield from look_up(session, self.returns, listed)
        for entry, line in zip(told, lines, strict=True):
            yield line.encode()
            if entry.folder is not None and self._is_wanted(entry):
                yield from extras.responses(entry.name, entry.folder)
        return ""

    def _is_shown(
        self, entry: Entry, tree: Tree, matches: Callable[[str], bool]
    ) -> bool:
        """Whether it is wanted, or stands for something below that is not shown.

        RFC 5258 §3.5: no CHILDINFO for what is listed itself.
        """
        if self._is_wanted(entry):
            return True
        below = (child for child in tree.below(entry.name) if self._is_wanted(child))
        return any(not matches(child.name) for child in below)

    def _has_wanted_child(self, entry: Entry, tree: Tree) -> bool:
        return any(self._is_wanted(child) for child in tree.below(entry.name))

    def _is_wanted(self, entry: Entry) -> bool:
        wanted = True
        if "SUBSCRIBED" in self.select:
            wanted = entry.subscribed
        elif entry.folder is None and not entry.implied:
            wanted = False
        if "SPECIAL-USE" in self.select:
            wanted = wanted and entry.folder is not None and entry.folder.role in USES
        return wanted

    def _lines(
        self, session: Session, told: Sequence[Entry], tree: Tree
    ) -> Iterator[str]:
        tells_subscribed = "SUBSCRIBED" in self.select | self.returns.names
        for entry in told:
            shown = " ".join(entry.attributes(tree, subscribed=tells_subscribed))
            line = f'* LIST ({shown}) "/" {written(session, entry.name)}'
            if "RECURSIVEMATCH" in self.select and self._has_wanted_child(entry, tree):
                # RFC 5258 §3.5: why it is here though its child is what was asked for
                line += ' ("CHILDINFO" ("SUBSCRIBED"))'
            yield line + "\r\n"


def _patterns(p: Parser) -> tuple[str, ...]:
    if not p.takes(b"("):
        return (p.list_mailbox(),)
    found = [p.list_mailbox()]
    while p.takes(b" "):
        found.append(p.list_mailbox())
        if len(found) > MOST_PATTERNS:
            raise Bad("Too many patterns", "LIMIT")
    p.literally(b")")
    return tuple(found)


def _options(p: Parser, known: set[str]) -> frozenset[str]:
    """Read option names up to the closing bracket."""
    found: set[str] = set()
    while not p.takes(b")"):
        if found:
            p.sp()
        name = p.atom().upper()
        if name not in known:
            raise Bad(say("Unknown option {}", name[:40]))
        found.add(name)
    return frozenset(found)
