"""The keys of messages: casemapped strings, dates in seconds. RFC 5256 §2, §3.

Strings are decoded before they are casemapped: RFC 5255 §4.6. Keys are read a few
thousand messages to a query, once, and kept by UID.
"""

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from mailhost.mime.casemap import casemap
from mailhost.mime.subjects import is_reply_or_forward
from mailhost.store import read
from mailhost.store.sorting.results import Kept
from mailhost.store.view import Generation, seconds

ROWS = 4_000  # messages of one query
OCTETS_A_VALUE = 24  # about: its place in a column, and a number
OCTETS_A_STRING = 200  # about, with its place in the table
FEW = 20  # of how many messages one is looked for by itself

Values = list[Any]
Strings = dict[str, str]  # each string once, however many messages have it


@dataclass(frozen=True, slots=True)
class Group:
    """Keys that are read together. `absent`: those of a message that is gone."""

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    read: Callable[[tuple[Any, ...], Strings], tuple[Any, ...]]
    absent: tuple[Any, ...]


UNREADABLE, LAST = "\ufffd", "\U0010ffff"


def _date(row: tuple[Any, ...], strings: Strings) -> tuple[Any, ...]:
    del strings
    return (None if row[0] is None else seconds(row[0]),)


def _subject(row: tuple[Any, ...], strings: Strings) -> tuple[Any, ...]:
    key = _collated(row[0])
    return (strings.setdefault(key, key),)


def _collated(text: str) -> str:
    """Let what was not in its charset follow all that was. RFC 5255 §4.6."""
    return LAST + text if UNREADABLE in text else text


def _people(row: tuple[Any, ...], strings: Strings) -> tuple[Any, ...]:
    lists = json.loads(row[0] or "{}")
    groups = lists.get("groups", {})
    found = []
    for field in ("from", "to", "cc"):
        if field in groups:  # a group's begin is the first address: its name
            mailbox = shown = casemap(groups[field])
        else:
            name, address = (lists.get(field) or [("", "")])[0]
            mailbox = casemap(address.rpartition("@")[0])
            shown = casemap(name or address.removesuffix("@"))
        both = (_collated(mailbox), _collated(shown))
        found += [strings.setdefault(one, one) for one in both]
    return tuple(found)


def _links(row: tuple[Any, ...], strings: Strings) -> tuple[Any, ...]:
    message_id, references, subject, base = row
    message_id = _normal(message_id) if "@" in message_id else ""
    found = [_normal(one) for one in references.split("\n")] if references else ()
    is_reply = base != casemap(subject) and is_reply_or_forward(subject)
    return (
        strings.setdefault(message_id, message_id),
        tuple([strings.setdefault(one, one) for one in found]),
        is_reply,
    )


def _normal(message_id: str) -> str:
    """Return an id without the quotes that it may be written with. RFC 5256 §3."""
    if '"' not in message_id and "\\" not in message_id:
        return message_id
    left, _, right = message_id.rpartition("@")
    if len(left) > 1 and left[0] == left[-1] == '"':
        left = left[1:-1]
        pieces = left.split("\\\\")
        left = "\\".join(piece.replace("\\", "") for piece in pieces)
    return f"{left}@{right}"


GROUPS = (
    Group(("sent_at",), ("date",), _date, (None,)),
    Group(("base_subject",), ("subject",), _subject, ("",)),
    Group(
        ("addresses",),
        ("from", "displayfrom", "to", "displayto", "cc", "displaycc"),
        _people,
        ("",) * 6,
    ),
    Group(
        ("message_id", "references", "subject", "base_subject"),
        ("id", "references", "reply"),
        _links,
        ("", (), False),
    ),
)
GROUP_OF = {key: group for group in GROUPS for key in group.keys}


@dataclass(frozen=True, slots=True)
class Held:
    """The keys of one group of a folder: columns beside ascending UIDs."""

    uids: "array[int]"
    columns: tuple[Values, ...]
    strings: Strings


def _weight(key: Hashable, held: Held) -> int:
    del key
    values = len(held.uids) * (len(held.columns) + 1)
    return OCTETS_A_VALUE * values + OCTETS_A_STRING * len(held.strings)


kept: Kept[Held] = Kept(_weight, 0.75)


def columns(
    now: Generation, uids: "array[int]", names: Sequence[str]
) -> list[Sequence[Any]]:
    """Return the values of each key, in the order of `uids`, which ascend.

    Runs SQL for messages it has not seen.
    """
    found: dict[str, Sequence[Any]] = {}
    for group in {id(g): g for g in (GROUP_OF[name] for name in names)}.values():
        held = _held(now, uids, group)
        chosen = _chosen(held, uids)
        for name in names:
            if name in group.keys:
                column = held.columns[group.keys.index(name)]
                found[name] = chosen(column)
    return [found[name] for name in names]


def _chosen(held: Held, uids: "array[int]") -> Callable[[Values], Sequence[Any]]:
    """Return what picks the values of these UIDs, which are all held."""
    if len(held.uids) == len(uids):
        return lambda column: column
    if len(uids) < len(held.uids) // FEW:
        at = [bisect_left(held.uids, uid) for uid in uids]
    else:
        places = dict(zip(held.uids, range(len(held.uids)), strict=True))
        at = [places[uid] for uid in uids]
    return lambda column: [column[n] for n in at]


def _held(now: Generation, uids: "array[int]", group: Group) -> Held:
    """Return the keys held, those of `uids` among them."""
    place = now.folder_id, now.uid_validity, group.keys[0]
    held = kept.get(place)
    if held is None:
        held = Held(array("Q"), tuple([] for _ in group.keys), {})
    if held.uids == uids:
        return held
    known = set(held.uids)
    missing = [uid for uid in uids if uid not in known]
    if missing:
        held = _with_more(now, held, missing, group)
        kept.put(place, held)
    return held


def _with_more(now: Generation, held: Held, missing: list[int], group: Group) -> Held:
    """Return the keys with those of more messages, without those of dead ones."""
    strings = dict(held.strings)
    rows: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(missing), ROWS):
        some = missing[start : start + ROWS]
        found = read.contents(now.folder_id, some, group.columns)
        # One that is gone never comes back: it is remembered as absent.
        rows |= {
            uid: group.read(found[uid], strings) if uid in found else group.absent
            for uid in some
        }
    old, uids, last = held, held.uids, held.uids[-1] if held.uids else 0
    if last < missing[0] and len(uids) <= len(now.uids):
        added = zip(*rows.values(), strict=True)
        both = zip(old.columns, added, strict=True)
        return Held(
            uids + array("Q", missing), tuple([*a, *b] for a, b in both), strings
        )
    alive = set(now.uids) | set(missing)
    before = zip(uids, zip(*old.columns, strict=True), strict=True)
    rows |= {uid: row for uid, row in before if uid in alive}
    ordered = array("Q", sorted(rows))
    merged = zip(*(rows[uid] for uid in ordered), strict=True)
    return Held(ordered, tuple(list(column) for column in merged), strings)
