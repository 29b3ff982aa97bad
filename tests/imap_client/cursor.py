"""The terminals of the server's side of the grammar. RFC 9051 §9, RFC 3501 §9."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")

ATOM = re.compile(rb'[^(){ \x00-\x1f\x7f%*"\\\]\x80-\xff]+')
ASTRING_CHARS = re.compile(rb'[^(){ \x00-\x1f\x7f%*"\\\x80-\xff]+')
TAG = re.compile(rb'[^(){ \x00-\x1f\x7f%*"\\+\x80-\xff]+')
QUOTED = re.compile(rb'"((?:[^"\\\x00\r\n]|\\["\\])*)"')
LITERAL = re.compile(rb"\{(0|[1-9]\d*)\}\r\n")
NUMBER = re.compile(rb"0|[1-9]\d*")
DATE_TIME = re.compile(
    rb'"(?: [1-9]|[12]\d|3[01])-'
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4} "
    rb'(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60) [+-]\d{4}"'
)
TEXT = re.compile(rb"[^\r\n\x00\x80-\xff]+")
TEXT_UTF8 = re.compile(rb"[^\r\n\x00]+")
OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}")
SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
MOST_UINT32 = 2**32 - 1
MOST_UINT63 = 2**63 - 1
MOST_DEPTH = 60  # brackets inside each other that a client has to bear


class Malformed(AssertionError):
    """The server said what the grammar does not know."""


@dataclass
class Mode:
    """What the client has enabled, by which the grammar differs."""

    utf8: bool = False  # quoted strings and mailbox names are UTF-8: RFC 6855
    rev2: bool = False
    condstore: bool = False
    qresync: bool = False
    uidonly: bool = False
    free: bool = False  # message numbers may move at any time: RFC 5465 §6.1.1
    translated: bool = False  # texts are UTF-8: RFC 5255 §3.5

    def enable(self, name: bytes) -> None:
        """Take one name of an ENABLED response."""
        known = name.upper()
        self.rev2 |= known == b"IMAP4REV2"
        self.utf8 |= known in {b"IMAP4REV2", b"UTF8=ACCEPT"}
        self.qresync |= known == b"QRESYNC"
        self.condstore |= known in {b"CONDSTORE", b"QRESYNC"}
        self.uidonly |= known == b"UIDONLY"


class Cursor:
    """Moves over one response; each method reads its rule or raises Malformed."""

    def __init__(self, octets: bytes, mode: Mode, at: int = 0) -> None:
        self.octets = octets
        self.mode = mode
        self.at = at
        self.depth = 0

    def fail(self, what: str) -> Malformed:
        near = self.octets[max(0, self.at - 60) : self.at + 60]
        return Malformed(f"expected {what} at octet {self.at}, near {near!r}")

    def next(self) -> bytes:
        return self.octets[self.at : self.at + 1]

    def takes(self, expected: bytes) -> bool:
        if self.octets.startswith(expected, self.at):
            self.at += len(expected)
            return True
        return False

    def literally(self, expected: bytes) -> None:
        if not self.takes(expected):
            raise self.fail(repr(expected))

    def match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        found = pattern.match(self.octets, self.at)
        if found is None:
            raise self.fail(what)
        self.at = found.end()
        return found

    def sp(self) -> None:
        self.literally(b" ")

    def end(self) -> None:
        """Read the CRLF that ends the response."""
        self.literally(b"\r\n")
        if self.at != len(self.octets):
            raise self.fail("the end")

    def atom(self) -> bytes:
        return self.match(ATOM, "an atom")[0]

    def tag(self) -> bytes:
        return self.match(TAG, "a tag")[0]

    def number(self, least: int = 0, most: int = MOST_UINT32) -> int:
        start = self.at
        value = int(self.match(NUMBER, "a number")[0])
        if not least <= value <= most:
            self.at = start
            raise self.fail(f"a number from {least} to {most}")
        return value

    def nz_number(self) -> int:
        return self.number(1)

    def number64(self) -> int:
        return self.number(0, MOST_UINT63)

    def mod_sequence(self) -> int:
        return self.number(1, MOST_UINT63)

    def quoted(self) -> bytes:
        """Read a quoted string; eight bits only where the client asked for UTF-8."""
        start = self.at
        octets = self.match(QUOTED, "a quoted string")[1]
        if not octets.isascii():
            self._check_utf8(octets, start)
        return re.sub(rb"\\(.)", rb"\1", octets)

    def _check_utf8(self, octets: bytes, start: int) -> None:
        if self.mode.utf8:
            try:
                octets.decode("utf-8")
            except UnicodeDecodeError:
                pass
            else:
                return
        self.at = start
        raise self.fail("seven bits, or UTF-8 that was asked for")

    def literal(self, *, binary: bool = False) -> bytes:
        """Read `{n}`; `~{n}`, which alone may hold NUL, where `binary`."""
        is_binary = binary and self.takes(b"~")
        size = int(self.match(LITERAL, "a literal")[1])
        octets = self.octets[self.at : self.at + size]
        if len(octets) < size:
            raise self.fail(f"{size} octets")
        if b"\0" in octets and not is_binary:
            raise self.fail("a literal without NUL")
        self.at += size
        return octets

    def string(self) -> bytes:
        return self.quoted() if self.next() == b'"' else self.literal()

    def nil(self) -> bool:
        if self.octets[self.at : self.at + 4].rstrip(b" )\r\n") == b"NIL":
            self.at += 3
            return True
        return False

    def nstring(self, *, binary: bool = False) -> bytes | None:
        if self.nil():
            return None
        return self.quoted() if self.next() == b'"' else self.literal(binary=binary)

    def astring(self) -> bytes:
        if self.next() in {b'"', b"{"}:
            return self.string()
        return self.match(ASTRING_CHARS, "an astring")[0]

    def mailbox(self) -> str:
        """Read a mailbox name; NIL as an atom would be no name to a careless client."""
        start = self.at
        octets = self.astring()
        if octets.upper() == b"NIL" and self.octets[start : start + 1] not in b'"{':
            raise self.fail("a mailbox that is not NIL")
        try:
            name = octets.decode("utf-8" if self.mode.utf8 else "ascii")
            return name if self.mode.utf8 else from_utf7(name)
        except ValueError:
            self.at = start
            raise self.fail("a mailbox name") from None

    def date_time(self) -> bytes:
        return self.match(DATE_TIME, "a date and time")[0]

    def text(self) -> str:
        """Read resp-text's text: to the end of the line, never empty."""
        pattern = TEXT_UTF8 if self.mode.rev2 or self.mode.translated else TEXT
        found = self.match(pattern, "text")[0]
        try:
            return found.decode()
        except UnicodeDecodeError:
            raise self.fail("UTF-8") from None

    def object_id(self) -> bytes:
        """Read "(" objectid ")". RFC 8474 §7."""
        self.literally(b"(")
        found = self.match(OBJECT_ID, "an object id")[0]
        self.literally(b")")
        return found

    def uid_set(self) -> list[int]:
        """Read uid-set, each number once; returned as written, ranges spread."""
        found: list[int] = []
        while True:
            low = self.nz_number()
            high = self.nz_number() if self.takes(b":") else low
            if high - low > 10_000_000:
                raise self.fail("a range that a test can hold")
            found.extend(range(low, high + 1) if low <= high else [])
            if low > high:
                raise self.fail("an ascending range")
            if not self.takes(b","):
                break
        if len(set(found)) != len(found):
            raise self.fail("a set that names each number once")
        return found

    def words(
        self, read: Callable[[], Value], *, empty: bool = True, sep: bytes = b" "
    ) -> list[Value]:
        """Read "(" [x *(sep x)] ")"."""
        self.literally(b"(")
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise self.fail("fewer brackets")
        found: list[Value] = []
        while not (empty or found) or not self.takes(b")"):
            if found:
                self.literally(sep)
            found.append(read())
        self.depth -= 1
        return found

    def flag(self) -> bytes:
        mark = b"\\" if self.takes(b"\\") else b""
        return mark + self.atom()

    def flags(self, *, permanent: bool = False) -> tuple[bytes, ...]:
        r"""Read flags in brackets, each once; `permanent`: `\*` may be among them."""

        def one() -> bytes:
            return b"\\*" if permanent and self.takes(b"\\*") else self.flag()

        found = self.words(one)
        if len({flag.lower() for flag in found}) != len(found):
            raise self.fail("flags that are named once")
        if self.mode.rev2 and b"\\Recent" in found:
            raise self.fail("no \\Recent for a client of IMAP4rev2")
        return tuple(found)


def to_utf7(name: str) -> str:
    """Write modified UTF-7. RFC 3501 §5.1.3."""

    def shift(match: re.Match[str]) -> str:
        octets = base64.b64encode(match[0].encode("utf-16-be")).rstrip(b"=")
        return f"&{octets.replace(b'/', b',').decode()}-"

    return re.sub("[^ -~]+", shift, name.replace("&", "&-"))


def from_utf7(name: str) -> str:
    """Read modified UTF-7 in its only spelling. Raises ValueError. RFC 3501 §5.1.3."""

    def shifted(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        pad = "=" * (-len(match[1]) % 4)
        try:
            octets = base64.b64decode(match[1].replace(",", "/") + pad, validate=True)
        except binascii.Error as error:
            raise ValueError(name) from error
        text = octets.decode("utf-16-be")
        again = base64.b64encode(octets).rstrip(b"=").replace(b"/", b",").decode()
        if again != match[1] or any(" " <= c <= "~" for c in text):
            raise ValueError(name)
        return text

    if "&" in SHIFTED.sub("", name) or any(not " " <= c <= "~" for c in name):
        raise ValueError(name)
    return SHIFTED.sub(shifted, name)
