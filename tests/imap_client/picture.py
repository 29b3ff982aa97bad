"""What a client knows of its mailbox, from responses alone. RFC 9051 §7.4, §7.5.

Raises Violation where the server says what cannot be, after what it has said.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from tests.imap_client.command import Change, Command
from tests.imap_client.cursor import Mode
from tests.imap_client.responses import Response


class Violation(AssertionError):
    """The server broke the protocol, or told what is not so."""


@dataclass(eq=False)
class Entry:
    """One message; None is what was never told."""

    uid: int | None = None
    flags: frozenset[str] | None = None  # without \\Recent
    modseq: int | None = None

    @override
    def __str__(self) -> str:
        words = "?" if self.flags is None else " ".join(sorted(self.flags))
        return f"{self.uid}({words})@{self.modseq}"


@dataclass
class Picture:
    """A selected mailbox as its client sees it."""

    name: str
    mode: Mode
    read_only: bool = False
    uid_validity: int = 0
    uid_next: int = 0
    mailbox_id: bytes = b""
    entries: list[Entry] = field(default_factory=list)
    modseq: int = 0  # up to which the client has heard all, as RFC 7162 §6 counts
    gone: set[int] = field(default_factory=set)  # VANISHED (EARLIER) at its opening
    doubtful: set[Entry] = field(default_factory=set)  # not answered: must be gone
    _heard: int = 0  # highest MODSEQ since the last tagged response
    _code: int = 0  # the last HIGHESTMODSEQ since then
    _undo: dict[Entry, frozenset[str] | None] = field(default_factory=dict)
    _answered: set[Entry] = field(default_factory=set)

    def find(self, uid: int) -> Entry | None:
        return next((one for one in self.entries if one.uid == uid), None)

    @property
    def uids(self) -> list[int]:
        """Those known, ascending."""
        return [one.uid for one in self.entries if one.uid is not None]

    @property
    def is_complete(self) -> bool:
        return all(e.uid is not None and e.flags is not None for e in self.entries)

    def take(self, response: Response, running: Command | None) -> None:
        """Take an untagged response that came while this command ran."""
        match response.kind:
            case "EXISTS":
                self._exists(response.number)
            case "RECENT" if response.number > len(self.entries):
                raise Violation(f"{response.number} RECENT of {len(self.entries)}")
            case "EXPUNGE":
                self._expunge(response.number, running)
            case "VANISHED":
                earlier, uids = response.value
                if earlier:
                    self._vanished_earlier(uids, running)
                else:
                    self._vanished(uids, running)
            case "FETCH":
                self._fetch(response.number, response.value, running)
            case "OK":
                self._ok(response)
            case _:
                pass

    def _exists(self, count: int) -> None:
        if count < len(self.entries):
            raise Violation(f"{count} EXISTS, and there were {len(self.entries)}")
        self.entries += [Entry() for _ in range(count - len(self.entries))]

    def _check_may_move(self, running: Command | None) -> None:
        if self.mode.free:
            return
        if running is None or running.keeps_numbers:
            name = "no command" if running is None else running.name
            raise Violation(f"message numbers move while {name} runs")

    def _expunge(self, number: int, running: Command | None) -> None:
        self._check_may_move(running)
        if self.mode.qresync:
            raise Violation("EXPUNGE instead of VANISHED after ENABLE QRESYNC")
        if number > len(self.entries):
            raise Violation(f"{number} EXPUNGE of {len(self.entries)}")
        self._remove(self.entries[number - 1])

    def _vanished_earlier(self, uids: Sequence[int], running: Command | None) -> None:
        if running is None or not (running.opens or running.name == "UID FETCH"):
            raise Violation("VANISHED (EARLIER) that nobody asked for")
        if running.opens:
            self.gone |= set(uids)

    def _vanished(self, uids: Sequence[int], running: Command | None) -> None:
        self._check_may_move(running)
        for uid in uids:
            entry = self.find(uid) or self._unknown_near(uid)
            if entry is None:
                raise Violation(f"VANISHED {uid}, which there is not")
            self._remove(entry)

    def merge(self, old: "Picture") -> None:
        """Take over what a former session knew and QRESYNC says still holds."""
        if old.uid_validity != self.uid_validity:
            return
        fetched = {e.uid: e for e in self.entries if e.uid is not None}
        kept = {e.uid: e for e in old.entries if e.uid and e.uid not in self.gone}
        both = [entry for _, entry in sorted((kept | fetched).items())]
        if len(both) == len(self.entries):
            for entry, known in zip(self.entries, both, strict=True):
                if entry.uid not in {None, known.uid}:
                    raise Violation("what QRESYNC told has other message numbers")
            self.entries = both
        elif old.is_complete:
            raise Violation(
                f"{len(self.entries)} EXISTS, and after QRESYNC {len(both)} are known"
            )

    def _unknown_near(self, uid: int) -> Entry | None:
        """Return a message of unknown UID that this may be the UID of."""
        for n, entry in enumerate(self.entries):
            if entry.uid is None and self._fits(n, uid):
                return entry
        return None

    def _fits(self, position: int, uid: int) -> bool:
        before = (e.uid for e in reversed(self.entries[:position]) if e.uid)
        behind = (e.uid for e in self.entries[position + 1 :] if e.uid)
        return next(before, 0) < uid < next(behind, 1 << 33)

    def _remove(self, entry: Entry) -> None:
        self.entries.remove(entry)
        self.doubtful.discard(entry)
        self._answered.discard(entry)

    def _fetch(
        self, number: int, items: dict[bytes, Any], running: Command | None
    ) -> None:
        if number > len(self.entries):
            raise Violation(f"{number} FETCH of {len(self.entries)}")
        entry = self.entries[number - 1]
        self._answered.add(entry)
        self._check_items(items, running)
        if (uid := items.get(b"UID")) is not None:
            self._take_uid(number - 1, entry, uid)
        if (modseq := items.get(b"MODSEQ")) is not None:
            if modseq < (entry.modseq or 0):
                raise Violation(f"MODSEQ {modseq} of {entry}")
            self._heard = max(self._heard, modseq)
            entry.modseq = modseq
        if (flags := items.get(b"FLAGS")) is not None:
            entry.flags = frozenset(f.decode() for f in flags) - {"\\Recent"}
            self._undo.pop(entry, None)

    def _check_items(self, items: dict[bytes, Any], running: Command | None) -> None:
        """RFC 7162 §3.1 and §3.2.4; RFC 9051 §6.4.9: what has to be among them."""
        by_uid = running is not None and running.name in {"UID FETCH", "UID STORE"}
        asked = running is not None and running.name in {"FETCH", "UID FETCH"}
        if b"UID" not in items and (by_uid or (self.mode.qresync and not asked)):
            raise Violation("FETCH without UID")
        if b"MODSEQ" not in items and self.mode.condstore and not asked:
            raise Violation("FETCH without MODSEQ after CONDSTORE")

    def _take_uid(self, position: int, entry: Entry, uid: int) -> None:
        if entry.uid not in {None, uid}:
            raise Violation(f"UID {uid} of number {position + 1}, which is {entry}")
        if entry.uid is None and not self._fits(position, uid):
            raise Violation(f"UID {uid} of number {position + 1} is out of order")
        entry.uid = uid

    def _ok(self, response: Response) -> None:
        match response.code:
            case "UIDVALIDITY":
                self.uid_validity = response.argument
            case "UIDNEXT":
                self.uid_next = response.argument
            case "MAILBOXID":
                self.mailbox_id = response.argument
            case "HIGHESTMODSEQ":
                self._code = response.argument
            case _:
                pass

    # What the client's own commands do.

    def begin(self, running: Command) -> None:
        """A command begins to run: what it changes in silence changes here."""
        self._answered.clear()
        self._undo.clear()
        if running.change is None or self.read_only:
            return
        if not running.change.silent:
            return
        for entry in self._named(running.change):
            self._undo[entry] = entry.flags
            if entry.flags is not None:
                entry.flags = running.change.of(entry.flags)
            elif running.change.sign == "":
                entry.flags = running.change.flags
        if running.change.uids is not None:
            for entry in self.entries:
                if entry.uid is None:  # it may have been one of them
                    entry.flags = None

    def end(self, running: Command, result: Response) -> None:
        """Take the tagged response."""
        change = running.change
        if change is not None:
            refused = self._refused(change, result)
            for entry, flags in self._undo.items():
                if result.kind != "OK" or entry in refused:
                    entry.flags = flags
            self._undo.clear()
            if result.kind == "OK" and not change.silent:
                self.doubtful |= set(self._named(change)) - self._answered - refused
        if result.kind == "OK" and running.asks:
            if running.name.startswith("UID"):
                asked = {e for e in self.entries if e.uid in running.asks}
            else:
                asked = {self.entries[n - 1] for n in running.asks}
            self.doubtful |= asked - self._answered
        if result.code == "HIGHESTMODSEQ":
            self._code = result.argument
        self.modseq = self._code or max(self.modseq, self._heard)
        self._code = self._heard = 0

    def as_left(self) -> "Picture":
        """Return what a client is sure of that leaves now, whatever was under way."""
        left = deepcopy(self)
        for entry, flags in left._undo.items():
            entry.flags = flags
        left.doubtful.clear()
        return left

    def _refused(self, change: Change, result: Response) -> set[Entry]:
        """Return what UNCHANGEDSINCE kept from being changed. RFC 7162 §3.1.3."""
        if result.code != "MODIFIED":
            return set()
        if change.numbers is not None:
            return {self.entries[n - 1] for n in result.argument}
        return {e for e in self.entries if e.uid in set(result.argument)}

    def _named(self, change: Change) -> list[Entry]:
        if change.numbers is not None:
            return [self.entries[n - 1] for n in change.numbers]
        uids = set(change.uids or ())
        return [e for e in self.entries if e.uid in uids]

    # Against the truth.

    def compare(self, truth: dict[int, tuple[frozenset[str], int]]) -> str | None:
        """Return how this differs from UID -> (flags, modseq), or None."""
        uids = sorted(truth)
        if len(uids) != len(self.entries):
            known = set(self.uids)
            return (
                f"{self.name}: {len(self.entries)} messages, and there are {len(uids)};"
                f" gone but known {sorted(known - set(uids))[:9]},"
                f" unknown {sorted(set(uids) - known)[:9]}"
            )
        for uid, entry in zip(uids, self.entries, strict=True):
            flags, modseq = truth[uid]
            same = entry.uid in {None, uid} and entry.flags in {None, flags}
            if self.mode.condstore:
                same = same and entry.modseq in {None, modseq}
            if not same:
                return f"{self.name}: {entry}, in truth {Entry(uid, flags, modseq)}"
        if self.doubtful:
            unanswered = ", ".join(map(str, self.doubtful))
            return f"{self.name}: never answered, and there: {unanswered}"
        return None
