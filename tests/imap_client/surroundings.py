"""What a client knows of its other mailboxes, from what NOTIFY tells. RFC 5465."""

from dataclasses import dataclass, field
from typing import Any

from tests.imap_client.command import Command
from tests.imap_client.responses import Response


@dataclass(frozen=True)
class Watching:
    """What a NOTIFY asked for.

    `selected`: SELECTED, SELECTED-DELAYED or NONE; `others`: all personal mailboxes.
    """

    selected: str
    others: bool

    @property
    def pushes(self) -> bool:
        """Whether news of the selected mailbox come unasked."""
        return self.selected != "NONE"

    @property
    def at_once(self) -> bool:
        return self.selected == "SELECTED"


@dataclass
class Surroundings:
    """The mailboxes by name; of each the counters, as far as they are known.

    Of the selected one they are not: STATUS is for the others.
    """

    counters: dict[str, dict[str, Any]] = field(default_factory=dict)
    selected: str = ""

    def take(self, told: Response) -> None:
        """Take an untagged response."""
        if told.kind == "STATUS":
            name, values = told.value
            self.counters.setdefault(name, {}).update(values)
            self.forget(self.selected)
        elif told.kind == "LIST":
            name = told.value["name"]
            old = told.value.get("extended", {}).get(b"OLDNAME")
            if old is not None:
                self.rename(old, name)
            elif b"\\nonexistent" in told.value["attributes"]:
                self.counters.pop(name, None)
            else:
                self.counters.setdefault(name, {})

    def rename(self, old: str, new: str) -> None:
        """Give a mailbox another name, and what is below it."""
        for name in list(self.counters):
            if name == old or name.startswith(old + "/"):
                self.counters[new + name[len(old) :]] = self.counters.pop(name)
                if name == self.selected:
                    self.selected = new + name[len(old) :]

    def make(self, name: str) -> None:
        """Take it that a mailbox is there, and the levels above it."""
        levels = name.split("/")
        for n in range(1, len(levels) + 1):
            self.counters.setdefault("/".join(levels[:n]), {})

    def did(self, done: Command) -> None:
        """Take what a command of the client's own has done."""
        match done.name:
            case "CREATE":
                self.make(done.target)
            case "DELETE":
                self.counters.pop(done.target, None)
            case "RENAME":
                if done.target == "INBOX":
                    self.forget("INBOX")
                else:
                    self.rename(done.target, done.onto)
                self.make(done.onto)
            case "SELECT" | "EXAMINE":
                self.selected = done.target
                self.forget(done.target)
            case "CLOSE" | "UNSELECT":
                self.selected = ""
            case "APPEND" | "COPY" | "MOVE":
                self.forget(done.target)
            case "UID COPY" | "UID MOVE":
                self.forget(done.target)
            case _:
                pass

    def forget(self, name: str) -> None:
        """The counters of a mailbox are not sure any more."""
        if name in self.counters:
            self.counters[name] = {}

    def compare(
        self, truth: dict[str, dict[str, Any]], *, condstore: bool
    ) -> str | None:
        """Return how this differs from name -> counters, or None.

        Mod-sequences are told to those alone who enabled them.
        """
        sure = NEVER_STALE | ({"HIGHESTMODSEQ"} if condstore else set())
        if self.counters.keys() != truth.keys():
            return f"mailboxes {sorted(self.counters)}, in truth {sorted(truth)}"
        for name, known in self.counters.items():
            wrong = {k: v for k, v in known.items() if k in sure}
            right = {k: truth[name][k] for k in wrong}
            if wrong != right:
                return f"{name}: {wrong}, in truth {right}"
        return None


NEVER_STALE = {"MESSAGES", "UIDNEXT", "UIDVALIDITY"}
