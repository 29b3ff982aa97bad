"""A command on its way, and what came back for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.imap_client.responses import Response

if TYPE_CHECKING:
    from tests.imap_client.surroundings import Watching

# Message numbers must not move while these run. RFC 9051 §7.5.1, RFC 5256 §3.
BY_NUMBER = {"FETCH", "STORE", "SEARCH", "SORT", "THREAD"}
OPENING = {"SELECT", "EXAMINE"}


@dataclass(frozen=True)
class Change:
    """What a STORE does: `sign` "", "+" or "-"; to `uids`, or to message `numbers`."""

    sign: str
    flags: frozenset[str]
    silent: bool
    uids: Sequence[int] | None = None
    numbers: Sequence[int] | None = None

    def of(self, had: frozenset[str]) -> frozenset[str]:
        """Return the flags as they are afterwards."""
        if self.sign == "+":
            return had | self.flags
        return had - self.flags if self.sign == "-" else self.flags


@dataclass(eq=False)
class Command:
    """`parts`: what is sent; the client waits for a continuation between two."""

    name: str  # UID FETCH
    parts: Sequence[bytes]
    target: str = ""  # the mailbox that is opened, filled, created or deleted
    onto: str = ""  # what RENAME makes of it
    watching: "Watching | None" = None  # what NOTIFY asks for
    change: Change | None = None
    asks: Sequence[int] = ()  # UIDs or numbers that have to be answered with FETCH
    digests: Sequence[bytes] = ()  # of the messages that an APPEND brings
    tag: str = ""
    said: list[Response] = field(default_factory=list)
    result: Response | None = None

    @property
    def keeps_numbers(self) -> bool:
        return self.name in BY_NUMBER

    @property
    def opens(self) -> bool:
        return self.name in OPENING

    def told(self, kind: str) -> list[Response]:
        """Return the untagged responses of a kind that came while it ran."""
        return [one for one in self.said if one.kind == kind]


def command(text: str, **more: object) -> Command:
    """Return a command that is one line."""
    words = text.split(" ", 2)
    name = " ".join(words[:2]) if words[0].upper() == "UID" else words[0]
    rest = text[len(name) :].encode()
    return Command(name.upper(), (rest,), **more)  # type: ignore[arg-type] # by name
