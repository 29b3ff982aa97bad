"""Address lists: mailboxes, groups, comments, and what senders write instead.

RFC 5322 §3.4, obsolete forms §4.4. The common forms are read by one regex each; the
rest of a list from the first odd entry on goes through the token reader.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mailhost.mime import words
from mailhost.mime.headers import unfold
from mailhost.mime.limits import MAX_ADDRESSES

# name <local@host> or local@host, then "," or the end.
_ATOM = rb"[^\s\"(),:;<>@\[\]\\]++"
SIMPLE = re.compile(
    rb'[ \t,]*+(?:(?:"([^"\\]*+)"|([^"(),:;<>@\[\]\\]*+))[ \t]*+<(' + _ATOM + rb")@("
    rb"" + _ATOM + rb")>|(" + _ATOM + rb")@(" + _ATOM + rb"))[ \t]*+(?:,|\Z)"
)
TOKEN = re.compile(
    rb'(?P<space>\s++)|(?P<quoted>"(?:[^"\\]|\\.)*+"?+)|(?P<literal>\[[^\]]*+\]?+)'
    rb"|(?P<atom>" + _ATOM + rb")|(?P<mark>.)",
    re.DOTALL,
)
COMMENT_MARK = re.compile(rb"\\.|[()]", re.DOTALL)
QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox. `name` is decoded; `mailbox` has lost its quotes (RFC 5322 §3.4.1).

    Any of the three may be "" where the sender wrote none.
    """

    name: str
    mailbox: str
    host: str

    @property
    def addr(self) -> str:
        """mailbox@host, or the mailbox alone."""
        return f"{self.mailbox}@{self.host}" if self.host else self.mailbox


class Entry(NamedTuple):
    """One item of a list in raw octets, as ENVELOPE tells it.

    A mailbox has a host, b"" if it was missing. A group's begin has host None and its
    name as mailbox; its end has None for both.
    """

    name: bytes
    route: bytes
    mailbox: bytes | None
    host: bytes | None


_END = Entry(b"", b"", None, None)


def parse_addresses(value: bytes) -> tuple[Address, ...]:
    """Return the mailboxes of a field's value, those in groups too."""
    return mailboxes(parse_entries(value))


def mailboxes(entries: Iterable[Entry]) -> tuple[Address, ...]:
    """Return the entries that are mailboxes, decoded."""
    decode = words.decode
    return tuple(
        [
            Address(
                decode(entry.name), decode(entry.mailbox or b""), decode(entry.host)
            )
            for entry in entries
            if entry.host is not None
        ]
    )


def parse_entries(value: bytes) -> list[Entry]:
    """Read a field's value, at most MAX_ADDRESSES entries of it."""
    if b"\n" in value or b"\r" in value:
        value = unfold(value)
    entries: list[Entry] = []
    position, end = 0, len(value)
    while position < end:
        match = SIMPLE.match(value, position)
        if match is None:
            _Reader(value, entries).read(position)
            break
        quoted, phrase, mailbox, host, bare, bare_host = match.groups()
        if bare is None:
            name = quoted or b" ".join((phrase or b"").split())  # RFC 5322 §3.2.2
            entries.append(Entry(name, b"", mailbox, host))
        else:
            entries.append(Entry(b"", b"", bare, bare_host))
        position = match.end()
    return entries[:MAX_ADDRESSES]


@dataclass(slots=True)
class _Reader:
    """Reads a list token by token; each octet once."""

    value: bytes
    entries: list[Entry]
    words: list[tuple[str, bytes]] = field(default_factory=list)  # kind, octets
    angle: list[tuple[str, bytes]] | None = None  # what stands between < and >
    in_angle: bool = False
    in_group: bool = False
    has_at: bool = False  # among the words
    comment: bytes = b""

    def read(self, position: int) -> None:
        """Read from position to the end."""
        while match := TOKEN.match(self.value, position):
            position = match.end()
            kind = match.lastgroup or ""
            if kind != "mark":
                self._add(kind, match[0])
            elif match[0] == b"(":
                position = self._skip_comment(position)
            else:
                self._mark(match[0])
            if len(self.entries) > MAX_ADDRESSES:
                return
        self._flush()
        if self.in_group:
            self.entries.append(_END)

    def _add(self, kind: str, octets: bytes) -> None:
        if self.in_angle and self.angle is not None:
            self.angle.append((kind, octets))
        else:
            self.words.append((kind, octets))
            self.has_at = self.has_at or octets == b"@"

    def _mark(self, mark: bytes) -> None:
        if self.in_angle:
            if mark == b">":
                self.in_angle = False
            else:
                self._add("mark", mark)
        elif mark == b"<":
            if self.angle is None:
                self.angle = []
                self.in_angle = True
        elif mark in b",;":
            self._flush()
            if mark == b";" and self.in_group:
                self.entries.append(_END)
                self.in_group = False
        elif mark == b":" and not self.in_group and not self.has_at:
            self._open_group()
        else:
            self._add("mark", mark)

    def _open_group(self) -> None:
        name = _phrase(self.words) or self.comment
        self.entries.append(Entry(b"", b"", name, None))
        self.in_group = True
        self.words, self.angle, self.comment = [], None, b""

    def _skip_comment(self, start: int) -> int:
        """Move past a comment, nested ones too; the last one is kept as a name."""
        depth = 1
        for match in COMMENT_MARK.finditer(self.value, start):
            depth += (match[0] == b"(") - (match[0] == b")")
            if not depth:
                self.comment = _unquote(self.value[start : match.start()]).strip()
                self._add("space", b" ")
                return match.end()
        return len(self.value)

    def _flush(self) -> None:
        """Make an entry of what was read since the last separator."""
        if self.angle is not None:
            route, mailbox, host = _addr_spec(self.angle)
            name = _phrase(self.words) or self.comment
            self.entries.append(Entry(name, route, mailbox, host))
        elif any(kind != "space" for kind, _ in self.words):
            self._flush_bare()
        self.words, self.angle, self.comment = [], None, b""
        self.in_angle = self.has_at = False

    def _flush_bare(self) -> None:
        """Make an entry of `local@host`, of `Name local@host`, or of a name alone."""
        if not self.has_at:
            name = _phrase(self.words)
            alone = name if not any(c in name for c in b" \t") else b""
            given = self.comment if alone else name
            self.entries.append(Entry(given, b"", alone, b""))
            return
        at = self.words.index(("mark", b"@"))
        start = at
        while start and self.words[start - 1][0] != "space":
            start -= 1
        if start == at:  # space before the "@"
            start = 0
        name = _phrase(self.words[:start]) or self.comment
        route, mailbox, host = _addr_spec(self.words[start:])
        self.entries.append(Entry(name, route, mailbox, host))


def _unquote(octets: bytes) -> bytes:
    return QUOTED_PAIR.sub(rb"\1", octets) if b"\\" in octets else octets


def _plain(kind: str, octets: bytes) -> bytes:
    """Return a token's meaning: a quoted string without its quotes."""
    if kind != "quoted":
        return octets
    closed = len(octets) > 1 and octets[-1:] == b'"'
    return _unquote(octets[1:-1] if closed else octets[1:])


def _phrase(tokens: list[tuple[str, bytes]]) -> bytes:
    """Join tokens to a display name; runs of space become one."""
    text = b""
    for kind, octets in tokens:
        if kind != "space":
            text += _plain(kind, octets)
        elif not text.endswith(b" "):
            text += b" "
    return text.strip()


def _addr_spec(tokens: list[tuple[str, bytes]]) -> tuple[bytes, bytes, bytes]:
    """Return source route, local part and host. The last "@" parts the two.

    A route is `@a,@b:` in front (RFC 5322 §4.4).
    """
    parts = [token for token in tokens if token[0] != "space"]
    route = b""
    if parts[:1] == [("mark", b"@")] and ("mark", b":") in parts:
        colon = parts.index(("mark", b":"))
        route = b"".join(octets for _, octets in parts[:colon])
        parts = parts[colon + 1 :]
    marks = [n for n, token in enumerate(parts) if token == ("mark", b"@")]
    at = marks[-1] if marks else len(parts)
    mailbox = b"".join(_plain(*token) for token in parts[:at])
    host = b"".join(octets for _, octets in parts[at + 1 :])
    return route, mailbox, host
