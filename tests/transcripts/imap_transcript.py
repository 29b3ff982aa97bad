r"""Run an IMAP conversation of tests/transcripts/imap in process, without sockets.

    # What it shows.
    rfc: 9051 §6.4.3          the sections the file is evidence for
    mailbox: INBOX 1 2d 3s    messages by UID; s \Seen, d \Deleted, f \Flagged,
                              a \Answered, t \Draft; missing UIDs are expunged ones
    message: INBOX From: a@example.test\r\n\r\nHello\r\n   one more, with this text
    shared: support lrsw      an account shared with alice (read, write or manage)
    quota: 2048 3             what alice's account may hold: octets, messages
    person: bob               one more user of example.test
    client: 2 bob             that connection is bob's
    login: no                 do not log in; otherwise C1 and C2 are alice
    enable: IMAP4rev2         on every connection
    quirk: Bad*; 1.*; IDLE    hidden from programs of this name and version
    limit: 3                  messages that one command works on (RFC 9738)
    savelimit: 3              that one COPY or APPEND makes
    tls: no | offered | on    (default: loopback, no TLS)

    C1: a NOOP         a line of client 1, CRLF is added; C1> sends escaped text as is;
                       $word is what an answer bound it to
    S1: a OK $*        the next line from the server; $* is anything, $name a word,
                       $$ a dollar
    S1: <closed>       the server has ended it;  S1: <tls> it would begin TLS
    S1: <deflate>      it would compress from here on;  S1: <inflate> no longer

`S1...` skips to the line that follows. At the end all that the server said is read
once more by the strict reader of tests/imap_client.
"""

import ast
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from mailhost.store.content import prepare
from mailhost.store.reading import NotBrief, here
from protocols.imap.commands import Needs
from protocols.imap.connection import Connection
from protocols.imap.effects import (
    Await,
    Check,
    Compress,
    Decompress,
    Effect,
    Prepare,
    Read,
    StartTls,
    Write,
)
from protocols.imap.errors import Fatal
from protocols.imap.session import Circumstances, Session
from tests.imap_client.reader import responses
from tests.sasl_client import ask

STEP = re.compile(r"(?P<who>[CS])(?P<number>\d*)(?P<verb>:|>|\.\.\.)(?: (?P<text>.*))?")
NAMED = re.compile(r"\$(\w+)")
HOLE = re.compile(r"\\\$(\\\*|\w+)")

Chunks = Callable[[bytes], Iterator[bytes]]


@dataclass
class Player:
    """A connection whose effects are done at once, on the test's own database."""

    connection: Connection
    write: Callable[..., Any]
    unread: deque[str] = field(default_factory=deque)
    said: bytearray = field(default_factory=bytearray)  # everything, for the fuzzer
    partial: bytes = b""  # of a line
    ended: bool = False
    awaiting: Await | None = None

    def __post_init__(self) -> None:
        self.connection.session.polls = True
        self.steps = self.connection.steps()
        self._pull(None)

    def hear(self, octets: bytes) -> None:
        self.connection.feed(octets)
        if not self.ended:
            self._go_on()

    def look(self) -> None:
        """Tell changes, if it idles."""
        if self.awaiting is not None and self.awaiting.changes:
            self._pull(None)

    def _go_on(self) -> None:
        assert self.awaiting is not None
        try:
            is_there, value = self.connection.input_for(self.awaiting)
        except Fatal as error:
            self._pull(None, error)
            return
        if is_there:
            self._pull(value)

    def _pull(self, value: Any, error: Exception | None = None) -> None:
        goes_on = True
        try:
            while goes_on:
                step = self.steps.throw(error) if error else self.steps.send(value)
                goes_on, value, error = self._step(step)
        except StopIteration:
            self.ended = True

    def _step(self, step: bytes | Effect) -> tuple[bool, Any, Exception | None]:
        if isinstance(step, bytes):
            self._take(step)
            return True, None, None
        if isinstance(step, Await):
            self.awaiting = step
            return (*self.connection.input_for(step), None)
        return (True, *self._do(step))

    def _take(self, octets: bytes) -> None:
        self.said += octets
        *lines, self.partial = (self.partial + octets).split(b"\r\n")
        self.unread += [line.decode("utf-8", "replace") for line in lines]

    def _do(self, effect: Effect) -> tuple[Any, Exception | None]:
        row = self.connection.row
        try:
            match effect:
                case Read(fn, args, brief):
                    # An updated search may read whatever the command (RFC 5267), what
                    # NOTIFY tells between commands too.
                    session = self.connection.session
                    needs_none = (
                        fn.__name__ in {"get", "rights"}
                        or session.notified is not None
                        or (session.selected is not None and session.selected.contexts)
                    )
                    assert needs_none or (row and row.needs is not Needs.NONE)
                    return _glance(fn, args) if brief else fn(*args), None
                case Write(accounts, fn, args):
                    assert row is not None
                    assert row.needs is Needs.WRITE
                    return self.write(accounts, fn, *args), None
                case Check(claim):
                    return ask(claim, "imap"), None
                case Prepare(octets):
                    whole = octets if isinstance(octets, bytes) else octets()
                    return prepare(whole), None
                case Compress():
                    self.unread.append("<deflate>")
                case Decompress():
                    self.unread.append("<inflate>")
                case StartTls():
                    self.unread.append("<tls>")
                    self.connection.session.at = Circumstances(tls=True)
                case _:
                    pass
            return None, None
        except Exception as raised:  # noqa: BLE001 - it is raised in the command
            return None, raised


def _glance(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Read as the event loop does, where Django's connection may not be asked."""
    if connection.vendor != "sqlite":
        return fn(*args)
    connection.ensure_connection()
    here.raw, here.brief = connection.connection, True
    try:
        with connection.execute_wrapper(_refuse):
            return fn(*args)
    except NotBrief:
        here.raw, here.brief = None, False
        return fn(*args)
    finally:
        here.raw, here.brief = None, False


def _refuse(*_args: Any) -> None:
    raise AssertionError("the ORM was asked on the event loop")


@dataclass
class Transcript:
    """A conversation: `headers`, then numbered `lines`."""

    path: Path
    headers: list[tuple[str, str]]
    lines: list[tuple[int, str]]

    @classmethod
    def read(cls, path: Path) -> "Transcript":
        numbered = list(enumerate(path.read_text("utf-8").splitlines(), start=1))
        gap = next(i for i, (_, line) in enumerate(numbered) if not line)
        head = [line.partition(": ") for _, line in numbered[:gap] if line[0] != "#"]
        body = [(n, line) for n, line in numbered[gap:] if line and line[0] != "#"]
        return cls(path, [(key, value) for key, _, value in head], body)

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.headers if name == key]

    def value(self, key: str, default: str = "") -> str:
        return (self.values(key) or [default])[0]

    def run(self, chunks: Chunks, open_: Callable[["Transcript", str], Player]) -> None:
        """Play the clients; raise AssertionError where the server departs."""
        players: dict[str, Player] = {}
        bound: dict[str, str] = {}
        skipping = False
        for number, line in self.lines:
            step = STEP.fullmatch(line)
            assert step, f"{self.path.name}:{number}: not a step: {line}"
            if step["number"] not in players:
                players[step["number"]] = open_(self, step["number"])
            player = players[step["number"]]
            text = step["text"] or ""
            if step["who"] == "C":
                text = NAMED.sub(lambda m: bound.get(m[1], m[0]), text)
                for octets in chunks(_octets(step["verb"], text)):
                    player.hear(octets)
            elif step["verb"] == "...":
                skipping = True
            else:
                where = f"{self.path.name}:{number}"
                player.look()
                _expect(player, text, bound, where, skipping=skipping)
                skipping = False
        for player in players.values():
            player.steps.close()
            responses(bytes(player.said))
            unread = list(player.unread)
            assert not unread, f"{self.path.name}: not expected: {unread}"


def _expect(
    player: Player, text: str, bound: dict[str, str], where: str, *, skipping: bool
) -> None:
    if text == "<closed>":
        assert player.ended, f"{where}: still open"
        return
    seen: list[str] = []
    while player.unread:
        seen.append(player.unread.popleft())
        if match := _pattern(text, bound).fullmatch(seen[-1]):
            bound |= match.groupdict()
            return
        if not skipping:
            break
    raise AssertionError(f"{where}:\n  expected {text!r}\n  got      {seen}")


def whole(octets: bytes) -> Iterator[bytes]:
    yield octets


def one_by_one(octets: bytes) -> Iterator[bytes]:
    yield from (octets[i : i + 1] for i in range(len(octets)))


def _octets(verb: str, text: str) -> bytes:
    if verb == ":":
        return text.encode() + b"\r\n"
    raw = ast.literal_eval(f"b'{text}'")
    assert isinstance(raw, bytes)
    return raw


def _pattern(text: str, bound: dict[str, str]) -> re.Pattern[str]:
    def fill(hole: re.Match[str]) -> str:
        name = hole[1]
        if name == r"\*":
            return ".*"
        return re.escape(bound[name]) if name in bound else rf"(?P<{name}>\S+?)"

    escaped = re.escape(text.replace("$$", "\0"))
    return re.compile(HOLE.sub(fill, escaped).replace("\0", r"\$"))


def session(tls: str = "no") -> Session:
    at = {
        "no": Circumstances(),
        "offered": Circumstances(may_log_in=False, offers_starttls=True),
        "on": Circumstances(tls=True),
    }
    return Session(at[tls])
