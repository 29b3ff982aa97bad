"""vCards: people with their addresses and groups, read and written. RFC 6350.

A group is a card of KIND:group (§6.1.4) whose members are named by address or by UID;
other programs name groups in CATEGORIES (§6.7.1) of each person. Both are read and
written. What cannot be read is passed over; all is bounded.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

MOST_LINES = 200_000
MOST_GROUPS = 50  # of one card
FOLD = re.compile(r"\r?\n[ \t]")
LINE = re.compile(r"(?:[\w-]+\.)?([\w-]+)(?:;[^:\n]*)?:(.*)")
COMMA = re.compile(r"(?<!\\),")
NAMES = {
    "FN": "name", "EMAIL": "addresses", "CATEGORIES": "groups", "UID": "uid",
    "MEMBER": "members", "X-ADDRESSBOOKSERVER-MEMBER": "members", "KIND": "kind",
    "X-ADDRESSBOOKSERVER-KIND": "kind",
}  # fmt: skip


@dataclass(slots=True)
class Card:
    """A person, or with kind `group` a group."""

    name: str = ""
    addresses: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)  # mailto:… or a UID
    uid: str = ""
    kind: str = ""


def read(text: str, most: int) -> list[Card]:
    """Return the cards of a text, at most so many, groups resolved to people.

    A group's people have its name among their groups.
    """
    cards: list[Card] = []
    card: Card | None = None
    for line in FOLD.sub("", text).splitlines()[:MOST_LINES]:
        match = LINE.match(line.strip())
        if match is None:
            continue
        name, value = match[1].upper(), match[2]
        if (name, value.strip().upper()) == ("BEGIN", "VCARD"):
            card = Card()
        elif (name, value.strip().upper()) == ("END", "VCARD"):
            cards += [card] if card is not None and len(cards) < most else []
            card = None
        elif card is not None and name in NAMES:
            _take(card, NAMES[name], value)
    return _resolved(cards)


def _take(card: Card, name: str, value: str) -> None:
    if name in {"name", "uid"}:
        setattr(card, name, plain(value))
    elif name == "kind":
        card.kind = value.strip().lower()
    elif name == "groups":
        found = [plain(one)[:60] for one in COMMA.split(value)[:MOST_GROUPS]]
        card.groups += [one for one in found if one and one.casefold() != "mycontacts"]
    else:
        getattr(card, name).append(plain(value))


def plain(value: str) -> str:
    """Return a value without its escapes, on one line. §3.4."""
    return re.sub(r"\\(.)", lambda m: " " if m[1] in "nN" else m[1], value).strip()


def _resolved(cards: Sequence[Card]) -> list[Card]:
    people = [card for card in cards if card.kind != "group"]
    by_uid = {_bare(card.uid): card for card in people if card.uid}
    by_address = {a.casefold(): card for card in people for a in card.addresses}
    groups = [card for card in cards if card.kind == "group" and card.name]
    for group, member in ((g, member) for g in groups for member in g.members):
        scheme, _, rest = member.partition(":")
        card = by_uid.get(_bare(member))
        if card is None and scheme.lower() == "mailto":
            card = by_address.get(rest.casefold())
            if card is None:  # known by the group alone
                card = by_address[rest.casefold()] = Card(addresses=[rest])
                people.append(card)
        if card is not None and len(card.groups) < MOST_GROUPS:
            card.groups.append(group.name[:60])
    return people


def _bare(uid: str) -> str:
    return uid.strip().lower().removeprefix("urn:uuid:")


def written(
    people: Iterable[Card], groups: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[str]:
    """Yield vCard 4.0: the people, then the groups by (name, addresses)."""
    for card in people:
        lines = [f"FN:{escaped(card.name or card.addresses[0])}"]
        lines += [f"EMAIL:{escaped(one)}" for one in card.addresses]
        if card.groups:
            lines.append(f"CATEGORIES:{','.join(map(escaped, card.groups))}")
        yield _card(lines)
    for name, addresses in groups:
        members = [f"MEMBER:mailto:{escaped(one)}" for one in addresses]
        yield _card(["KIND:group", f"FN:{escaped(name)}", *members])


def _card(lines: Sequence[str]) -> str:
    inside = "".join(f"{line}\r\n" for line in lines)
    return f"BEGIN:VCARD\r\nVERSION:4.0\r\n{inside}END:VCARD\r\n"


def escaped(value: str) -> str:
    """Return a value that starts no other line. §3.4."""
    kept = "".join(c for c in value if c.isprintable())
    return re.sub(r"([\\,;])", r"\\\1", kept)
