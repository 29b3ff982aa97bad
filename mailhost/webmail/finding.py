"""The search box: words, and from: to: subject: is: has: in front of them."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from mailhost.store import flags, read
from mailhost.store.gate import gate
from mailhost.store.read import Listed
from mailhost.store.values import FolderInfo
from mailhost.webmail.letters import Row, row

MOST_WORDS = 20
MOST_FOUND = 200
# Messages of one folder that are looked at, the newest; one query each BATCH.
MOST_SEARCHED, BATCH = 5000, 500

Test = Callable[[Listed], bool]
FIELDS: dict[str, Callable[[Listed], str]] = {
    "from": lambda m: f"{m.from_name} {m.from_address}",
    "to": lambda m: m.addresses,
    "subject": lambda m: m.subject,
}
STATES: dict[str, Test] = {
    "is:unread": lambda m: not m.flags & flags.SEEN,
    "is:read": lambda m: bool(m.flags & flags.SEEN),
    "is:flagged": lambda m: bool(m.flags & flags.FLAGGED),
    "is:starred": lambda m: bool(m.flags & flags.FLAGGED),
    "is:answered": lambda m: bool(m.flags & flags.ANSWERED),
    "has:attachment": lambda m: m.has_attachment,
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word that stands somewhere in a field, or in any."""

    field: str
    needle: str

    def __call__(self, message: Listed) -> bool:
        """Tell whether the message has it."""
        if self.field:
            return self.needle in FIELDS[self.field](message).casefold()
        everything = (
            message.subject,
            message.from_name,
            message.from_address,
            message.addresses,
            message.preview,
        )
        return any(self.needle in text.casefold() for text in everything)


def tests(query: str) -> list[Test]:
    """Read a query; all of its words must be met."""
    found: list[Test] = []
    for word in _words(query)[:MOST_WORDS]:
        field, colon, rest = word.partition(":")
        if word.lower() in STATES:
            found.append(STATES[word.lower()])
        elif colon and field.lower() in FIELDS and rest:
            found.append(Word(field.lower(), rest.casefold()))
        else:
            found.append(Word("", word.casefold()))
    return found


def _words(query: str) -> list[str]:
    try:
        return shlex.split(query[:500])
    except ValueError:  # a quote that does not end
        return query[:500].replace('"', " ").split()


def find(folders: list[FolderInfo], query: str) -> list[Row]:
    """Return the messages of these folders that meet the query, newest first."""
    wanted = tests(query)
    found = [
        row(folder, listed)
        for folder in folders
        for listed in gate.read_sync(_in_folder, folder.id, wanted)
    ]
    found.sort(key=lambda one: one.when, reverse=True)
    return found[:MOST_FOUND]


def _in_folder(folder_id: int, wanted: list[Test]) -> list[Listed]:
    kept: list[Listed] = []
    before: int | None = None
    for _ in range(MOST_SEARCHED // BATCH):
        batch = read.page(folder_id, before_uid=before, limit=BATCH)
        kept += [m for m in batch if all(test(m) for test in wanted)]
        if len(batch) < BATCH or len(kept) >= MOST_FOUND:
            break
        before = batch[-1].uid
    return kept[:MOST_FOUND]
