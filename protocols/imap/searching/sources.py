"""Which mailboxes ESEARCH looks at. RFC 7377 §2.2, RFC 5465 §6."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailhost.store.values import FolderInfo
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad
from protocols.imap.names import SHARED, Found, all_folders
from protocols.imap.parser import Parser
from protocols.imap.session import Session
from protocols.imap.wording import say

NAMED = {"SUBTREE", "SUBTREE-ONE", "MAILBOXES"}
KINDS = NAMED | {"SELECTED", "INBOXES", "PERSONAL", "SUBSCRIBED"}
MOST_NAMES = 1_000  # written in one command


@dataclass(frozen=True, slots=True)
class Source:
    """One filter-mailboxes; `names` where its kind has some."""

    kind: str
    names: tuple[str, ...] = ()


SELECTED = Source("SELECTED")


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox to be searched, by the name it has for the user."""

    name: str
    folder: FolderInfo


def sources(p: Parser) -> tuple[Source, ...]:
    """Read "(" source-mbox ")"; no scope-options are defined."""
    p.literally(b"(")
    found: list[Source] = []
    count = 0
    while True:
        kind = p.atom().upper()
        if kind not in KINDS:
            raise Bad(say("Unknown source {}", kind[:40]))
        names: tuple[str, ...] = ()
        if kind in NAMED:
            p.sp()
            names = one_or_more_mailboxes(p)
        found.append(Source(kind, names))
        count += 1 + len(names)
        if count > MOST_NAMES:
            raise Bad("Too many sources", "LIMIT")
        if p.takes(b")"):
            return tuple(found)
        p.sp()


def one_or_more_mailboxes(p: Parser) -> tuple[str, ...]:
    """Read a name, or several in brackets. RFC 5465 §8."""
    if not p.takes(b"("):
        return (p.mailbox(),)
    found = [p.mailbox()]
    while p.takes(b" "):
        found.append(p.mailbox())
        if len(found) > MOST_NAMES:
            raise Bad("Too many mailboxes", "LIMIT")
    p.literally(b")")
    return tuple(found)


def places(
    session: Session, wanted: Sequence[Source]
) -> Generator[bytes | Effect, Any, list[Place]]:
    """Return the mailboxes that the user may search, each once, by name.

    What they may not is passed over, as is what there is not: RFC 7377 §5.
    """
    who = session.who()
    everything = yield Read(all_folders, (who.user_id, who.account_id))
    session.shared = everything.shared
    chosen: dict[int, Place] = {}
    for source in wanted:
        for place in _of(session, source, everything):
            if "r" in place.folder.rights:
                chosen[place.folder.id] = place
    return sorted(chosen.values(), key=lambda place: place.name)


def _of(session: Session, source: Source, everything: Found) -> Iterator[Place]:
    for name, folder in everything.folders:
        if _takes(session, source, everything.subscribed, name, folder):
            yield Place(name, folder)


def _takes(
    session: Session,
    source: Source,
    subscribed: Sequence[str],
    name: str,
    folder: FolderInfo,
) -> bool:
    names = source.names
    match source.kind:
        case "SELECTED":
            return folder.id == session.view().folder.id
        case "MAILBOXES":
            return name in names
        case "SUBTREE":
            return name in names or _is_below(name, names)
        case "SUBTREE-ONE":
            return name in names or name.rpartition("/")[0] in names
        case "SUBSCRIBED":
            return name in subscribed
        case _:  # PERSONAL, and INBOXES: rules may deliver into any of them
            return folder.account_id == session.who().account_id


def _is_below(name: str, tops: Iterable[str]) -> bool:
    return any(name.startswith(top + "/") for top in tops)


def name_of(session: Session, folder: FolderInfo) -> str:
    """Return the name that a folder has for the user."""
    for account in session.shared:
        if account.id == folder.account_id:
            return f"{SHARED}/{account.name}/{folder.name}"
    return folder.name
