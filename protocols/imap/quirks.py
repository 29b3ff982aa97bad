"""Capabilities hidden from programs that cannot handle them. See ClientQuirk.

The table is small and read whole, at most every few seconds in each process, when a
client says its ID: a login costs no query more.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from protocols.models import ClientQuirk

FRESH_SECONDS = 3.0
FIELDS = ("name", "version", "vendor", "os")


@dataclass(frozen=True, slots=True)
class Quirk:
    """One row: patterns for fields of an ID, and what is hidden."""

    patterns: tuple[tuple[str, str], ...]
    hidden: frozenset[str]

    def fits(self, said: Mapping[str, str]) -> bool:
        return all(fnmatchcase(said.get(name, ""), p) for name, p in self.patterns)


@dataclass(slots=True)
class Cache:
    """The table as it was read last."""

    quirks: Sequence[Quirk] = ()
    read_at: float = float("-inf")

    def fresh(self) -> Sequence[Quirk] | None:
        """Return the quirks; None: they have to be read again."""
        is_fresh = time.monotonic() - self.read_at < FRESH_SECONDS
        return self.quirks if is_fresh else None

    def read(self) -> Sequence[Quirk]:
        """Read the table. Runs SQL."""
        rows = ClientQuirk.objects.filter(is_active=True)
        found = [
            Quirk(
                tuple(
                    (name, pattern.lower())
                    for name, pattern in zip(FIELDS, patterns, strict=True)
                    if pattern
                ),
                frozenset(hidden.upper().split()),
            )
            for *patterns, hidden in rows.values_list(*FIELDS, "hidden")
        ]
        self.quirks, self.read_at = found, time.monotonic()
        return found


cache = Cache()


def hidden_from(quirks: Sequence[Quirk], said: Mapping[str, str]) -> frozenset[str]:
    """Return what is hidden from a program that says this of itself."""
    known = {name.lower(): value.lower() for name, value in said.items()}
    return frozenset[str]().union(*[one.hidden for one in quirks if one.fits(known)])


def shown(names: Sequence[str], hidden: frozenset[str]) -> tuple[str, ...]:
    """Leave the hidden ones out; THREAD hides all that begin with `THREAD=`."""
    return tuple(
        name
        for name in names
        if name.upper() not in hidden and name.upper().partition("=")[0] not in hidden
    )
