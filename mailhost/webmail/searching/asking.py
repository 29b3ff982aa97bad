"""A search over all accounts of a user: which folders, and one page of hits."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from mailhost.search.query import Query
from mailhost.store import searching
from mailhost.store.gate import gate
from mailhost.store.searching import Row
from mailhost.store.values import FolderInfo, Place
from mailhost.webmail import door, labels, places, rows
from mailhost.webmail.searching import operators
from mailhost.webmail.searching.grammar import (
    LONGEST,
    Group,
    Node,
    Term,
    Without,
    parse,
)
from mailhost.webmail.searching.operators import World

# Not looked into unless they are named.
APART = frozenset(("trash", "junk"))


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits; `left` is what the next is asked with, None for the last."""

    rows: list[rows.Row]
    left: str | None
    words: list[str]  # to be highlighted


@dataclass(frozen=True, slots=True)
class Asked:
    """A query in one account."""

    account_id: int
    folders: dict[int, FolderInfo]
    query: Query


def page(
    user: User, text: str, *, before: str | None = None, limit: int = rows.PAGE
) -> Found:
    """Return the newest hits in all accounts a user may read."""
    tree = parse(text)
    place = places.read(before)
    found: list[tuple[Row, Asked]] = []
    left: list[Place] = []
    for asked in _asked(user, tree):
        hits = gate.read_sync(_search, asked, place, limit)
        found += [(row, asked) for row in hits.rows]
        left += [hits.left] if hits.left else []
    found.sort(key=lambda pair: pair[0].place, reverse=True)
    if len(found) > limit:
        left.append(found[limit - 1][0].place)
    # What an account did not come to is behind the newest such place.
    end = max(left, default=None)
    kept = [pair for pair in found[:limit] if end is None or pair[0].place >= end]
    return Found(_shown(user, kept), places.written(end), operators.texts_of(tree))


def words(text: str) -> list[str]:
    """Return the words of a query that are set off in what it finds."""
    return operators.texts_of(parse(text[:LONGEST]))


def _search(asked: Asked, place: Place | None, limit: int) -> searching.Hits:
    return searching.search(
        asked.account_id, list(asked.folders), asked.query, before=place, limit=limit
    )


def everything(user: User, text: str, most: int) -> dict[FolderInfo, list[int]]:
    """Return the UIDs of all hits by folder: for what is done with all of them."""
    found: dict[FolderInfo, list[int]] = {}
    for asked in _asked(user, parse(text)):
        for folder_id, uid in gate.read_sync(
            searching.everything,
            asked.account_id,
            list(asked.folders),
            asked.query,
            most,
        ):
            found.setdefault(asked.folders[folder_id], []).append(uid)
    return found


def _asked(user: User, tree: Group) -> list[Asked]:
    """Return what is asked of each account."""
    found = []
    now = timezone.localtime()
    for one in door.accounts(user):
        readable = [f for f in one.folders if "r" in f.rights]
        chips = labels.known(user, one.account.id)
        world = World(readable, [(c.keyword, c.name) for c in chips.values()], now)
        chosen = readable
        if not _names_a_folder(tree):
            chosen = [f for f in readable if f.role not in APART]
        query = operators.compiled(tree, world)
        if chosen and tree.parts:
            found.append(Asked(one.account.id, {f.id: f for f in chosen}, query))
    return found


def _names_a_folder(node: Node) -> bool:
    match node:
        case Term(field):
            return field == "in"
        case Group(parts):
            return any(map(_names_a_folder, parts))
        case Without():
            return False


def _shown(user: User, found: Sequence[tuple[Row, Asked]]) -> list[rows.Row]:
    listed = gate.read_sync(searching.listed, [row for row, _ in found])
    by_place = {(m.folder_id, m.uid): m for m in listed}
    accounts = {asked.account_id for _, asked in found}
    makes = {account_id: rows.known(user, account_id) for account_id in accounts}
    return [
        rows.row(asked.folders[row.folder_id], m, makes[asked.account_id])
        for row, asked in found
        if (m := by_place.get((row.folder_id, row.uid)))
    ]
