"""Message flags as bits. RFC 9051 §2.3.2."""

from collections.abc import Iterable

SEEN = 1
ANSWERED = 2
FLAGGED = 4
DELETED = 8
DRAFT = 16

NAMES = {
    SEEN: "\\Seen",
    ANSWERED: "\\Answered",
    FLAGGED: "\\Flagged",
    DELETED: "\\Deleted",
    DRAFT: "\\Draft",
}
BITS = {name.lower(): bit for bit, name in NAMES.items()}


def changeable(rights: str) -> int:
    """Return the system flags that these rights let one change. RFC 4314 §4."""
    other = ANSWERED | FLAGGED | DRAFT
    return sum(
        bits for r, bits in {"s": SEEN, "t": DELETED, "w": other}.items() if r in rights
    )


def names(bits: int) -> tuple[str, ...]:
    r"""Spell the bits out, as `\Seen`."""
    return tuple(name for bit, name in NAMES.items() if bits & bit)


def bits_of(words: Iterable[str]) -> int:
    """Add up the system flags named, in any case; other words count nothing."""
    total = 0
    for word in words:
        total |= BITS.get(word.lower(), 0)
    return total
