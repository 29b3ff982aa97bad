"""Some messages of a FETCH, and what was read of them."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mailhost.store.view import Generation


@dataclass(slots=True)
class Batch:
    """Lists of the same length, a message at the same place in each."""

    now: Generation
    recent_from: int
    numbers: Sequence[int]
    uids: Sequence[int]
    at: Sequence[int]  # rows of `now`; a range where they follow each other
    content: dict[str, Sequence[Any]] = field(default_factory=dict)
    message: dict[str, Sequence[Any]] = field(default_factory=dict)
    octets: dict[int, bytes] = field(default_factory=dict)  # by UID; small ones only
    bodies: dict[bytes, Sequence[Any]] = field(default_factory=dict)  # by label

    def keep(self, kept: Sequence[int]) -> None:
        """Leave out all but these places."""
        self.numbers = [self.numbers[i] for i in kept]
        self.uids = [self.uids[i] for i in kept]
        self.at = [self.at[i] for i in kept]
        for columns in (self.content, self.message):
            for name, values in columns.items():
                columns[name] = [values[i] for i in kept]


def picked(column: "array[int]", at: Sequence[int]) -> Sequence[int]:
    """Return these rows of a view's column."""
    if isinstance(at, range):
        return column[at.start : at.stop]
    return [column[i] for i in at]
