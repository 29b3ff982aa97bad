"""Cut the incoming octets into whole commands, their literals beside them. Sans-IO.

Pulled: `next_command` and `next_line` return None until more has been fed. Octets are
looked at once, however they arrive (cost is linear in the input). A big literal is
spooled to a file while it arrives.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from protocols.imap.errors import Fatal

# literal  = "{" number64 ["+"] "}" CRLF *CHAR8                        RFC 9051 §9
# literal8 = "~{" number64 ["+"] "}" CRLF *OCTET
LITERAL_AT_END = re.compile(rb"\{(\d{1,20})(\+?)\}\r?\n\Z")
SPOOL_OVER = 262_144  # octets of a literal that is kept in memory while it arrives
# Of one command: octets of literals kept in memory, but for tiny ones, and literals.
MEMORY, TINY, MOST_LITERALS = 1_048_576, 4_096, 500

Piece = bytes | IO[bytes]


@dataclass(frozen=True, slots=True)
class WholeCommand:
    """One command: its lines joined, and the octets of its literals in order."""

    octets: bytes
    literals: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class WantsLiteral:
    """The client waits for "+" before it sends a literal."""


@dataclass(frozen=True, slots=True)
class TooBig:
    """A literal over the limit was asked for and is not wanted; the command is over."""

    octets: bytes


@dataclass(slots=True)
class Framer:
    """Collects octets until a command is whole."""

    max_line: int  # octets, literals not counted
    # Of the command so far: most octets of all its literals together.
    literal_limit: Callable[[bytes], int]
    _unread: bytearray = field(default_factory=bytearray)
    _command: bytearray = field(default_factory=bytearray)
    _pieces: list[Piece] = field(default_factory=list)
    _literal: IO[bytes] | bytearray | None = None  # the one that is arriving
    _missing: int = 0  # octets of it still to come
    _literals: int = 0  # octets of all literals of the command
    _searched: int = 0  # octets of _unread known to hold no LF
    has_news: bool = False  # whether there was input since the last look

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        self._unread += octets
        self.has_news = True

    @property
    def waiting_octets(self) -> int:
        """How much was fed and not yet taken."""
        return len(self._unread)

    def take_rest(self) -> bytes:
        """Return what was fed and not taken, and forget it."""
        rest = bytes(self._unread)
        self._unread.clear()
        self._searched = 0
        return rest

    def close(self) -> None:
        """Give up what has not become whole."""
        for piece in [*self._pieces, self._literal]:
            if piece is not None and not isinstance(piece, bytes | bytearray):
                piece.close()

    def next_line(self) -> bytes | None:
        """Return a line without its end, for IDLE and AUTHENTICATE."""
        line = self._line()
        return None if line is None else bytes(line).rstrip(b"\r\n")

    def next_command(self) -> WholeCommand | WantsLiteral | TooBig | None:
        """Return what is whole; None: more is needed. Raises Fatal over the limit."""
        self.has_news = False
        while True:
            if self._literal is not None and not self._take_literal():
                return None
            line = self._line()
            if line is None:
                return None
            self._command += line
            literal = LITERAL_AT_END.search(line)
            if literal is None:
                return self._whole()
            wants = self._begin_literal(int(literal[1]), sync=not literal[2])
            if wants is not None:
                return wants

    def _line(self) -> bytearray | None:
        end = self._unread.find(b"\n", self._searched)
        pending = len(self._unread) if end < 0 else end + 1
        if len(self._command) + pending > self.max_line:
            raise Fatal("Command line too long", "TOOBIG")
        if end < 0:
            self._searched = len(self._unread)
            return None
        self._searched = 0
        line = self._unread[: end + 1]
        del self._unread[: end + 1]
        return line

    def _begin_literal(self, size: int, *, sync: bool) -> WantsLiteral | TooBig | None:
        self._literals += size
        too_many = len(self._pieces) >= MOST_LITERALS
        if too_many or self._literals > self.literal_limit(bytes(self._command)):
            if not sync:
                raise Fatal("Literal too big", "TOOBIG")
            self.close()
            return TooBig(self._whole().octets)
        self._missing = size
        spools = size > SPOOL_OVER or (self._literals > MEMORY and size > TINY)
        self._literal = (
            tempfile.TemporaryFile()  # noqa: SIM115 - closed by who reads it
            if spools
            else bytearray()
        )
        return WantsLiteral() if sync else None

    def _take_literal(self) -> bool:
        assert self._literal is not None
        chunk = self._unread[: self._missing]
        del self._unread[: self._missing]
        self._missing -= len(chunk)
        self._searched = 0
        if isinstance(self._literal, bytearray):
            self._literal += chunk
        else:
            self._literal.write(chunk)
        if self._missing:
            return False
        done = self._literal
        self._pieces.append(bytes(done) if isinstance(done, bytearray) else done)
        self._literal = None
        return True

    def _whole(self) -> WholeCommand:
        whole = WholeCommand(bytes(self._command), tuple(self._pieces))
        self._command.clear()
        self._pieces.clear()
        self._literals = 0
        return whole
