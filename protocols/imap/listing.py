"""What LIST and LSUB choose from: folders, the levels between, subscribed names."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from mailhost.store.values import FolderInfo
from protocols.imap.names import Found
from protocols.imap.special import attributes

WILD = re.compile(r"[*%]+")
BY_REGEX = 4  # wildcards; with more, matching might take too many tries


@dataclass(frozen=True, slots=True)
class Entry:
    """A name. `implied`: no folder, but there are folders below it."""

    name: str
    folder: FolderInfo | None
    subscribed: bool
    implied: bool = False

    def attributes(self, tree: "Tree", *, subscribed: bool) -> list[str]:
        r"""Return what LIST shows in brackets. RFC 9051 §7.3.1."""
        has_children = any(child.exists for child in tree.below(self.name))
        if self.folder is not None:
            found = attributes(self.folder, has_children=has_children)
            if "r" not in self.folder.rights:  # RFC 5819 §2, RFC 4314 §4
                found.insert(0, "\\Noselect")
        else:
            found = ["\\NonExistent", "\\Noselect"]
            found.append("\\HasChildren" if has_children else "\\HasNoChildren")
        return [*found, "\\Subscribed"] if subscribed and self.subscribed else found

    @property
    def exists(self) -> bool:
        return self.folder is not None or self.implied


@dataclass(frozen=True, slots=True)
class Tree:
    """All names, INBOX first, then in order; `_sorted` for what is below one."""

    entries: Sequence[Entry]
    _sorted: Sequence[Entry] = field(repr=False)
    _names: Sequence[str] = field(repr=False)

    @classmethod
    def of(cls, found: Found, *, with_subscribed: bool) -> Self:
        """Put the folders together with the levels above them, and subscribed names."""
        subscribed = set(found.subscribed)
        folders = dict(found.folders)
        names = set(folders)
        implied = {
            name[:cut]
            for name in folders
            for cut in (m.start() for m in re.finditer("/", name))
        } - names
        extra = subscribed - names - implied if with_subscribed else set()
        everything = sorted(names | implied | extra)
        made = [
            Entry(name, folders.get(name), name in subscribed, name in implied)
            for name in everything
        ]
        shown = sorted(made, key=lambda e: (e.name != "INBOX", e.name))
        return cls(shown, made, everything)

    def below(self, name: str) -> Sequence[Entry]:
        """Return what stands under a name, at any depth."""
        start = bisect_left(self._names, name + "/")
        end = bisect_left(self._names, name + "0")  # "0" follows "/"
        return self._sorted[start:end]


def matcher(reference: str, patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a test of names. "*" is anything, "%" anything without the separator."""
    tests = [_test(reference + pattern) for pattern in patterns]
    return lambda name: any(test(name) for test in tests)


def _test(pattern: str) -> Callable[[str], bool]:
    if pattern.partition("/")[0].upper() == "INBOX":
        pattern = "INBOX" + pattern[5:]  # in any case, also above others
    # A run of wildcards is one: "*" if there is any in it.
    pattern = WILD.sub(lambda m: "*" if "*" in m[0] else "%", pattern)
    if len(WILD.findall(pattern)) > BY_REGEX:
        return lambda name: matches_slowly(pattern, name)
    written = re.escape(pattern).replace(r"\*", ".*").replace("%", "[^/]*")
    compiled = re.compile(written + r"\Z", re.DOTALL)
    return lambda name: compiled.match(name) is not None


def matches_slowly(pattern: str, name: str) -> bool:
    """Match in |pattern| x |name| steps, however many wildcards there are."""
    at = {0}
    for position in range(len(name) + 1):
        at = _past_wildcards(pattern, at)
        if position == len(name):
            break
        c = name[position]
        at = {
            n if pattern[n] in "*%" else n + 1
            for n in at
            if n < len(pattern)
            and (
                pattern[n] == "*" or (pattern[n] == "%" and c != "/") or pattern[n] == c
            )
        }
        if not at:
            return False
    return len(pattern) in at


def _past_wildcards(pattern: str, at: set[int]) -> set[int]:
    found = set(at)
    for n in at:
        if n < len(pattern) and pattern[n] in "*%":
            found.add(n + 1)
    return found
