"""The IMAP grammar. One method per ABNF rule, under the rule's own name.

A method reads its rule at the current offset and moves past it, or raises Bad.
RFC 9051 §9 is the source of every rule here unless said otherwise.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from mailhost.store import flags as store_flags
from protocols.imap import utf7
from protocols.imap.errors import Bad
from protocols.imap.framing import Piece
from protocols.imap.sequence import SequenceSet
from protocols.imap.wording import say

# CTL = %x00-1F / %x7F                                          RFC 5234 appendix B.1
# atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / "]"
ATOM = re.compile(rb'[^(){ \x00-\x1f\x7f%*"\\\]\x80-\xff]+')
ASTRING_CHARS = re.compile(rb'[^(){ \x00-\x1f\x7f%*"\\\x80-\xff]+')
LIST_CHARS = re.compile(rb'[^(){ \x00-\x1f\x7f"\\\x80-\xff]+')
TAG = re.compile(rb'[^(){ \x00-\x1f\x7f%*"\\\]\x80-\xff+]+')
QUOTED = re.compile(rb'"((?:[^"\\\x00\r\n]|\\["\\])*)"')
LITERAL = re.compile(rb"\{(\d{1,20})\+?\}\r?\n")
SEQ_RANGE = re.compile(rb"([1-9]\d{0,9}|\*)(?::([1-9]\d{0,9}|\*))?")
NUMBER = re.compile(rb"\d{1,19}")
FLAG = re.compile(rb'\\?[^(){ \x00-\x1f\x7f%*"\\\]\x80-\xff]+')
# date-text = date-day "-" date-month "-" date-year
DATE = re.compile(rb"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
DATE_TIME = re.compile(
    rb"\"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\""
)
MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
MAX_UINT32 = 0xFFFFFFFF
MAX_KEYWORD = 100  # octets
MAX_KEYWORDS = 100  # in one command
MAX_DEPTH = 50  # brackets inside each other
MAX_RANGES = 20_000  # of one sequence set


class Parser:
    """A cursor over one whole command. `utf8`: names are UTF-8, not UTF-7."""

    def __init__(
        self, octets: bytes, literals: tuple[Piece, ...] = (), *, utf8: bool = False
    ) -> None:
        self.octets = octets
        self.offset = 0
        self.utf8 = utf8
        self.given = ""  # the mailbox name read last, in the case it was sent in
        self._literals = iter(literals)

    def tag(self) -> str:
        return self.match(TAG, "a tag")[0].decode("ascii")

    def atom(self) -> str:
        return self.match(ATOM, "an atom")[0].decode("ascii")

    def sp(self) -> None:
        self.literally(b" ")

    def crlf(self) -> None:
        if self.octets[self.offset :] not in {b"\r\n", b"\n"}:
            raise Bad(say("Expected the end of the command at octet {}", self.offset))

    def number(self) -> int:
        return int(self.match(NUMBER, "a number")[0])

    def number32(self) -> int:
        value = self.number()
        if value > MAX_UINT32:
            raise Bad("The number is too big")
        return value

    def nz_number(self) -> int:
        value = self.number32()
        if not value:
            raise Bad("Expected a number above 0")
        return value

    def mod_sequence(self) -> int:
        """Read mod-sequence-valzer. RFC 7162 §7."""
        value = self.number()
        if value >= 2**63:
            raise Bad("The mod-sequence is too big")
        return value

    def astring_octets(self) -> bytes:
        if self.next() in {b'"', b"{"}:
            return self.string()
        return self.match(ASTRING_CHARS, "a string")[0]

    def astring(self) -> str:
        return text(self.astring_octets())

    def mailbox(self) -> str:
        """Read a mailbox name, out of modified UTF-7 unless `utf8`."""
        return self.as_mailbox(self.astring_octets())

    def as_mailbox(self, octets: bytes) -> str:
        name = text(octets)
        # RFC 9051 §5.1: a client that asked for UTF-8 sends it, whatever has an "&".
        if not self.utf8 and name.isascii():
            try:
                name = utf7.decode(name)
            except ValueError:
                raise Bad("The name is not modified UTF-7") from None
        if any(c < " " or c == "\x7f" for c in name):
            raise Bad("The name holds a control character", "CANNOT")
        self.given = name
        return "INBOX" if name.upper() == "INBOX" else name

    def list_mailbox(self) -> str:
        """Read a pattern of LIST: wildcards stay."""
        if self.next() in {b'"', b"{"}:
            octets = self.string()
        else:
            octets = self.match(LIST_CHARS, "a pattern")[0]
        return self.as_mailbox(octets) if octets else ""

    def sequence_set(self) -> SequenceSet:
        if self.takes(b"$"):  # RFC 5182 §2.1
            return SequenceSet(saved=True)
        ranges = [self._range()]
        while self.takes(b","):
            ranges.append(self._range())
            if len(ranges) > MAX_RANGES:
                raise Bad("Too many ranges", "LIMIT")
        return SequenceSet(tuple(ranges))

    def flag_list(self) -> list[str]:
        """Read flags in brackets."""
        self.literally(b"(")
        return [] if self.takes(b")") else self._flags()

    def _flags(self) -> list[str]:
        found = [self.flag()]
        while self.takes(b" "):
            found.append(self.flag())
        self.literally(b")")
        return found

    def flag(self) -> str:
        octets = self.match(FLAG, "a flag")[0]
        if len(octets) > MAX_KEYWORD:
            raise Bad("The keyword is too long", "LIMIT")
        return octets.decode("ascii")

    def date(self) -> datetime:
        """Read a date, quoted or not, as its first moment in UTC."""
        is_quoted = self.takes(b'"')
        day, month, year = self.match(DATE, "a date").groups()
        if is_quoted:
            self.literally(b'"')
        return _moment(int(year), month, int(day), 0, 0, 0)

    def date_time(self) -> datetime:
        match = self.match(DATE_TIME, "a date and time")
        day, month, year, hour, minute, second, sign, zh, zm = match.groups()
        at = _moment(
            int(year), month, int(day), int(hour), int(minute), min(int(second), 59)
        )
        ahead = timedelta(hours=int(zh), minutes=int(zm))
        if ahead >= timedelta(days=1):
            raise Bad("There is no such time zone")
        try:
            zone = timezone(ahead if sign == b"+" else -ahead)
            return at.replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Bad("There is no such date") from None

    def string(self) -> bytes:
        """Read a quoted string or a small literal."""
        if self.next() == b'"':
            return re.sub(rb"\\(.)", rb"\1", self.match(QUOTED, "a string")[1])
        piece = self.literal()
        if isinstance(piece, bytes):
            return piece
        with piece:
            raise Bad("The string is too long", "TOOBIG")

    def literal(self) -> Piece:
        """Read a literal of any size; one that was spooled is a file."""
        self.match(LITERAL, "a literal")
        try:
            return next(self._literals)
        except StopIteration:
            raise Bad("Expected a literal") from None

    def next(self) -> bytes:
        return self.octets[self.offset : self.offset + 1]

    def takes(self, expected: bytes) -> bool:
        """Move past these octets if they are next; tell whether they were."""
        if self.octets.startswith(expected, self.offset):
            self.offset += len(expected)
            return True
        return False

    def match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        match = pattern.match(self.octets, self.offset)
        if match is None:
            raise Bad(say("Expected {} at octet {}", say(what), self.offset))
        self.offset = match.end()
        return match

    def literally(self, expected: bytes) -> None:
        if not self.takes(expected):
            shown = say("a space") if expected == b" " else expected.decode("ascii")
            raise Bad(say("Expected {} at octet {}", shown, self.offset))

    def _range(self) -> tuple[int | None, int | None]:
        match = self.match(SEQ_RANGE, "a sequence set")
        return _bound(match[1]), _bound(match[2] or match[1])


def text(octets: bytes) -> str:
    """Read UTF-8 without NUL."""
    try:
        found = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("Not UTF-8") from None
    if "\0" in found:
        raise Bad("A NUL is not allowed")
    return found


def split_flags(names: list[str]) -> tuple[int, tuple[str, ...]]:
    r"""Return (bits, keywords). Raises Bad for a system flag that nobody can set.

    \Recent is the server's (RFC 3501 §2.3.2); \* is no flag.
    """
    keywords: dict[str, str] = {}
    for name in names:
        if not name.startswith("\\"):
            keywords.setdefault(name.lower(), name)
        elif name.lower() not in store_flags.BITS:
            raise Bad(say("{} cannot be set", name))
    if len(keywords) > MAX_KEYWORDS:
        raise Bad("Too many keywords", "LIMIT")
    return store_flags.bits_of(names), tuple(keywords.values())


def _bound(octets: bytes) -> int | None:
    if octets == b"*":
        return None
    value = int(octets)
    if value > MAX_UINT32:
        raise Bad("The number is too big")
    return value


def _moment(
    year: int, month: bytes, day: int, hour: int, minute: int, second: int
) -> datetime:
    try:
        number = MONTHS.index(month.decode("ascii").capitalize()) + 1
        return datetime(year, number, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise Bad("There is no such date") from None
