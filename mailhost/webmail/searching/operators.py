"""What each operator of the search box means: one function and one row each.

A value that means nothing (`before:soon`) makes the operator a text like any other, so
that nothing is found rather than too much; one without a value is still being written.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from mailhost.search.query import (
    COLUMN_OF,
    READ,
    And,
    Contains,
    Fact,
    Not,
    Or,
    Query,
    Trait,
    Where,
)
from mailhost.store import flags, muting, reminding, snoozing
from mailhost.store.documents import contains, fold
from mailhost.store.values import FolderInfo
from mailhost.webmail.searching.grammar import Group, Node, Term, Without

EVERYTHING = And(())
NOTHING = Or(())
MOST_BREAKS = 5  # words of a phrase between which a line may end
BREAKS = ("\r\n", " \r\n")
SIZE = re.compile(r"(\d{1,9})([kmg]?)b?\Z", re.IGNORECASE)
UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
AGE = re.compile(r"(\d{1,4})([dwmy])\Z", re.IGNORECASE)
DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\Z")
LONGEST_IN_NAME = 3  # characters; of a longer one the field is not worth a slow look


@dataclass(frozen=True, slots=True)
class World:
    """What a query is read with: an account, and the moment."""

    folders: Sequence[FolderInfo]
    labels: Sequence[tuple[str, str]]  # (keyword, name)
    now: datetime  # in the user's own time


Meaning = Callable[[Term, World], Query | None]


def compiled(node: Node, world: World) -> Query:
    """Return the query that a tree of terms means in an account."""
    match node:
        case Term():
            return _term(node, world)
        case Without(part):
            return Not(compiled(part, world))
        case Group(parts, any_):
            found = tuple(compiled(part, world) for part in parts)
            return Or(found) if any_ else And(found)


def _term(term: Term, world: World) -> Query:
    known = OPERATORS.get(term.field)
    if known is None:
        return text(term if not term.field else Term("", f"{term.field}:{term.value}"))
    if not term.value:
        return EVERYTHING
    found = known.means(term, world)
    return NOTHING if found is None else found


def text(term: Term) -> Query:
    """Return the query for words anywhere a person reads."""
    return Or(tuple(_read(one) for one in _spellings(term.value)))


def _spellings(value: str) -> list[str]:
    """Return a phrase, and as it stands where a line ends within."""
    words = value.split()
    found = [" ".join(words)]
    for n in range(1, min(len(words), MOST_BREAKS + 1)):
        found += [f"{' '.join(words[:n])}{b}{' '.join(words[n:])}" for b in BREAKS]
    return found


def _read(value: str) -> Query:
    needle = contains(Where.READ, value)
    skipped = set(READ) - set(needle.columns)
    if not skipped or len(needle.needle) > LONGEST_IN_NAME:
        return needle
    # "to" stands before every recipient: only what follows the name counts.
    fields = [name for name, column in COLUMN_OF.items() if column in skipped]
    return Or((needle, *(contains(Where.FIELD, value, name) for name in fields)))


def _field(*names: str) -> Meaning:
    def means(term: Term, _: World) -> Query:
        found = [contains(Where.FIELD, term.value, name) for name in names]
        return found[0] if len(found) == 1 else Or(tuple(found))

    return means


def _is(term: Term, _: World) -> Query | None:
    states: dict[str, Query] = {
        "unread": Not(Fact(Trait.HAVING, flags.SEEN)),
        "read": Fact(Trait.HAVING, flags.SEEN),
        "flagged": Fact(Trait.HAVING, flags.FLAGGED),
        "starred": Fact(Trait.HAVING, flags.FLAGGED),
        "unflagged": Not(Fact(Trait.HAVING, flags.FLAGGED)),
        "answered": Fact(Trait.HAVING, flags.ANSWERED),
        "draft": Fact(Trait.HAVING, flags.DRAFT),
        "forwarded": Fact(Trait.KEYWORD, "$forwarded"),
        "muted": Fact(Trait.KEYWORD, muting.WORD),
        "snoozed": Fact(Trait.KEYWORD, snoozing.WORD),
        "unanswered": Fact(Trait.KEYWORD, reminding.WORD),
    }
    return states.get(term.value.lower())


def _has(term: Term, world: World) -> Query | None:
    if term.value.lower() in {"attachment", "attachments", "file"}:
        return Fact(Trait.ATTACHMENT)
    if term.value.lower() == "label":
        return Or(tuple(Fact(Trait.KEYWORD, word) for word, _ in world.labels))
    return None


def _file_name(term: Term, _: World) -> Query:
    needle = contains(Where.BODY, term.value)  # which has the names of files
    return And((needle, Fact(Trait.FILENAME, fold(term.value))))


def _label(term: Term, world: World) -> Query:
    wanted = term.value.casefold()
    words = [word for word, name in world.labels if wanted in {word, name.casefold()}]
    return Fact(Trait.KEYWORD, words[0] if words else wanted)


def _in(term: Term, world: World) -> Query:
    return Fact(Trait.FOLDERS, tuple(f.id for f in folders_named(term.value, world)))


def folders_named(value: str, world: World) -> list[FolderInfo]:
    """Return the folders that in: means: by role, by name, and all below them."""
    wanted = value.casefold().strip("/")
    if wanted in {"anywhere", "all"}:
        return list(world.folders)
    wanted = {"spam": "junk", "bin": "trash"}.get(wanted, wanted)
    exact = [
        folder
        for folder in world.folders
        if wanted in {folder.role, folder.name.casefold(), _leaf(folder)}
    ]
    above = tuple(f"{folder.name}/" for folder in exact)
    below = [f for f in world.folders if above and f.name.startswith(above)]
    return [*exact, *(f for f in below if f not in exact)]


def _leaf(folder: FolderInfo) -> str:
    return folder.name.rpartition("/")[2].casefold()


def _since(*, after: bool) -> Meaning:
    def means(term: Term, world: World) -> Query | None:
        day = _day(term.value, world.now)
        if day is None:
            return None
        if after:  # the day itself is not after it
            return Fact(Trait.SINCE, day + timedelta(days=1))
        return Not(Fact(Trait.SINCE, day))

    return means


def _day(value: str, now: datetime) -> datetime | None:
    """Return the beginning of a day: 2026/1/31, today, yesterday."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if value.lower() in {"today", "yesterday"}:
        return today - timedelta(days=value.lower() == "yesterday")
    match = DAY.match(value)
    try:
        if match is None:
            return None
        return today.replace(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def _age(*, older: bool) -> Meaning:
    def means(term: Term, world: World) -> Query | None:
        match = AGE.match(term.value)
        if match is None:
            return None
        days = int(match[1]) * DAYS[match[2].lower()]
        try:
            since = Fact(Trait.SINCE, world.now - timedelta(days=days))
        except OverflowError:
            return None
        return Not(since) if older else since

    return means


def _size(*, larger: bool) -> Meaning:
    def means(term: Term, _: World) -> Query | None:
        match = SIZE.match(term.value)
        if match is None:
            return None
        octets = int(match[1]) * UNITS[match[2].lower()]
        if larger:
            return Fact(Trait.LARGER, octets)
        return Not(Fact(Trait.LARGER, octets - 1))

    return means


@dataclass(frozen=True, slots=True)
class Operator:
    """What it means, and how it is told to people."""

    means: Meaning
    example: str
    says: object = ""  # empty: another name of one that is told


OPERATORS: dict[str, Operator] = {
    "from": Operator(_field("FROM"), "from:", _("who wrote it")),
    "to": Operator(_field("TO", "CC", "BCC"), "to:", _("who got it")),
    "cc": Operator(_field("CC"), "cc:", _("who got a copy")),
    "bcc": Operator(_field("BCC"), "bcc:"),
    "subject": Operator(_field("SUBJECT"), "subject:", _("words of the subject")),
    "in": Operator(_in, "in:", _("a folder; in:anywhere for all")),
    "label": Operator(_label, "label:", _("a label")),
    "is": Operator(_is, "is:unread", _("unread, read, flagged, answered")),
    "has": Operator(_has, "has:attachment", _("with files")),
    "filename": Operator(_file_name, "filename:", _("name of a file")),
    "before": Operator(_since(after=False), "before:2026/01/31", _("until a day")),
    "after": Operator(_since(after=True), "after:2026/01/31", _("after a day")),
    "older_than": Operator(_age(older=True), "older_than:1y", _("d, w, m or y")),
    "newer_than": Operator(_age(older=False), "newer_than:7d", _("d, w, m or y")),
    "larger": Operator(_size(larger=True), "larger:5M", _("size, with K, M or G")),
    "smaller": Operator(_size(larger=False), "smaller:10K", _("size")),
    "list": Operator(_field("LIST-ID"), "list:", _("a mailing list")),
    "size": Operator(_size(larger=True), "size:"),
    "tag": Operator(_label, "tag:"),
    "keyword": Operator(_label, "keyword:"),
    "newer": Operator(_since(after=True), "newer:"),
    "older": Operator(_since(after=False), "older:"),
}


def texts_of(node: Node) -> list[str]:
    """Return the words to be highlighted in what is found."""
    match node:
        case Term(field, value) if field in {"", "from", "to", "cc", "subject"}:
            return value.split()[:20]
        case Group(parts):
            return [word for part in parts for word in texts_of(part)]
        case _:
            return []


__all__ = ["OPERATORS", "Contains", "Operator", "World", "compiled", "texts_of"]
