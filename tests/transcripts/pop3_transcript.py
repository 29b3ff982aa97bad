"""Run a POP3 conversation of tests/transcripts/pop3 in process, without sockets.

    # What it shows.
    rfc: 1939 §5
    message: From: a@example.test\\r\\n\\r\\nHello\\r\\n     (alice's INBOX, in order)
    setting: NAME value                                  (of Python)
    tls: no | offered | on                               (default: loopback, no TLS)

    C1: STAT          a line of client 1, CRLF is added; C1> sends an escaped text as is
    S1: +OK 1 36      the next line from the server; $* is anything, $name a word
    S1: <closed>      the server has ended it;  S1: <tls> it would begin TLS

`S1...` skips to the line that follows.
"""

import ast
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from accounts.auth import LoginRefused
from mailhost.store.errors import StoreError
from protocols.pop3.actions import (
    Action,
    Authenticate,
    Fetch,
    Open,
    Pages,
    Say,
    StartTls,
    Update,
)
from protocols.pop3.connection import Connection
from protocols.pop3.download import begin
from protocols.pop3.errors import Refused, refusal
from protocols.pop3.framing import Framer
from protocols.pop3.maildrop import open_drop
from protocols.pop3.policy import note_login
from protocols.pop3.replies import err
from protocols.pop3.server import update
from protocols.pop3.session import Session
from protocols.pop3.stuffing import Dots, Top
from tests.sasl_client import ask

STEP = re.compile(r"(?P<who>[CS])(?P<number>\d*)(?P<verb>:|>|\.\.\.)(?: (?P<text>.*))?")
HOLE = re.compile(r"\\\$(\\\*|\w+)")
PIECE = 7  # octets of a message at a time, so that every seam is met

Chunks = Callable[[bytes], Iterator[bytes]]


@dataclass
class Player:
    """A connection whose actions are done at once, on the test's own database."""

    connection: Connection
    unread: deque[str] = field(default_factory=deque)

    def take(self, octets: bytes) -> None:
        assert not octets or octets.endswith(b"\r\n")
        self.unread += octets.decode("utf-8", "replace").split("\r\n")[:-1]

    def hear(self, octets: bytes) -> None:
        self.connection.framer.feed(octets)
        while (action := self.connection.next_action()) is not None:
            self.take(b"".join(self.do(action)))

    def do(self, action: Action) -> Iterator[bytes]:
        match action:
            case Say():
                yield action.octets
                if action.close:
                    self.unread_end()
            case Pages():
                yield from action.pieces
            case Authenticate():
                yield from self.authenticate(action)
            case Open():
                yield from self.open(action)
            case Fetch():
                yield from self.fetch(action)
            case Update():
                update(action)
                yield action.done
            case StartTls():
                self.connection = Connection(Session(True, False), Framer(8192))
                yield action.octets + b"<tls>\r\n"

    def unread_end(self) -> None:
        assert self.connection.session.ended

    def authenticate(self, action: Authenticate) -> Iterator[bytes]:
        try:
            answer = ask(action.claim, "pop3")
        except LoginRefused as error:
            yield from self.do(self.connection.refused(action, error))
        else:
            yield from self.do(self.connection.answered(action, answer))

    def open(self, action: Open) -> Iterator[bytes]:
        try:
            drop = open_drop(action.login)
        except (StoreError, Refused) as error:
            yield from self.do(self.connection.login_failed(error))
        else:
            note_login(drop.standing.login.account_id)
            yield self.connection.logged_in(drop)

    @staticmethod
    def fetch(action: Fetch) -> Iterator[bytes]:
        try:
            octets = begin(action)
        except StoreError as error:
            yield err(refusal(error))
            return
        except Refused as error:
            yield err(error)
            return
        assert len(octets) == action.size
        yield action.first
        dots = Dots()
        top = None if action.lines is None else Top(action.lines)
        for at in range(0, len(octets), PIECE):
            piece = octets[at : at + PIECE]
            yield dots.feed(piece if top is None else top.feed(piece))
            if top is not None and top.done:
                break
        yield dots.end()


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

    def run(self, chunks: Chunks) -> None:
        """Play the clients; raise AssertionError where the server departs."""
        players: dict[str, Player] = {}
        bound: dict[str, str] = {}
        skipping = False
        for number, line in self.lines:
            step = STEP.fullmatch(line)
            where = f"{self.path.name}:{number}"
            assert step, f"{where}: not a step: {line}"
            if step["number"] not in players:
                players[step["number"]] = self.open()
            player = players[step["number"]]
            text = step["text"] or ""
            if step["who"] == "C":
                for chunk in chunks(octets_of(step["verb"], text)):
                    player.hear(chunk)
            elif step["verb"] == "...":
                skipping = True
            else:
                expect(player, text, bound, where, skipping=skipping)
                skipping = False
        for player in players.values():
            assert not player.unread, f"{self.path.name}: unexpected {player.unread}"

    def open(self) -> Player:
        tls = (self.values("tls") or ["no"])[0]
        session = Session(may_log_in=tls != "offered", offers_stls=tls == "offered")
        player = Player(Connection(session, Framer(8192)))
        player.take(player.connection.greet())
        return player


def expect(
    player: Player, text: str, bound: dict[str, str], where: str, *, skipping: bool
) -> None:
    if text == "<closed>":
        assert player.connection.session.ended, f"{where}: still open"
        return
    seen: list[str] = []
    while player.unread:
        seen.append(player.unread.popleft())
        if match := pattern(text, bound).fullmatch(seen[-1]):
            bound |= match.groupdict()
            return
        if not skipping:
            break
    raise AssertionError(f"{where}:\n  expected {text!r}\n  got      {seen}")


def whole(octets: bytes) -> Iterator[bytes]:
    yield octets


def one_by_one(octets: bytes) -> Iterator[bytes]:
    yield from (octets[i : i + 1] for i in range(len(octets)))


def octets_of(verb: str, text: str) -> bytes:
    return text.encode() + b"\r\n" if verb == ":" else unescaped(text)


def unescaped(text: str) -> bytes:
    raw = ast.literal_eval(f"b'{text}'")
    assert isinstance(raw, bytes)
    return raw


def pattern(text: str, bound: dict[str, str]) -> re.Pattern[str]:
    def fill(hole: re.Match[str]) -> str:
        name = hole[1]
        if name == r"\*":
            return ".*"
        return re.escape(bound[name]) if name in bound else rf"(?P<{name}>\S+?)"

    return re.compile(HOLE.sub(fill, re.escape(text)))
