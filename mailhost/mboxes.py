"""mbox files, read and written as streams: one message in memory at a time.

mboxrd: a line of `From ` behind any number of > is given one more, so that reading
takes back what writing did. Flags stand in Status, X-Status and X-Keywords before the
message's own header; reading takes them out. Line ends are LF. RFC 4155.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Protocol

from mailhost.mime import headers
from mailhost.store import flags as f

BLOCK = 1 << 20
# The empty line before the next postmark is the mbox's, not the message's.
BOUNDARY = re.compile(rb"\n\r?\n(?=From )")
QUOTED = re.compile(rb"(?m)^>(>*From )")
TO_QUOTE = re.compile(rb"(?m)^(>*From )")
POSTMARK_DATE = re.compile(
    rb"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d)(?::(\d\d))?.*? (\d{4})"
)
MONTHS = b"JanFebMarAprMayJunJulAugSepOctNovDec"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
STATUS = {"R": f.SEEN, "A": f.ANSWERED, "F": f.FLAGGED, "T": f.DRAFT, "D": f.DELETED}
KEYWORD = re.compile(r"[\w$.-]{1,64}")
OURS = re.compile(
    rb"\n(?:status|x-status|x-keywords)[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+",
    re.IGNORECASE,
)


class Stream(Protocol):
    """A file that can be read from anywhere."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


def messages(
    stream: Stream, start: int, most: int
) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Yield (where the next begins, postmark, octets with LF or CRLF) from `start` on.

    Octets None: there are more than `most`; they were passed over, not kept.
    """
    stream.seek(start)
    buffer, at, looked, dropped = bytearray(), start, 0, 0
    is_open = True
    while is_open or buffer:
        match = BOUNDARY.search(buffer, looked)
        if match is None and is_open:
            looked = max(0, len(buffer) - 8)
            if len(buffer) > most + BLOCK:
                dropped += looked
                del buffer[:looked]
                looked = 0
            block = stream.read(BLOCK)
            is_open = bool(block)
            buffer += block
            continue
        end = match.end() if match else len(buffer)
        at += dropped + end
        whole = bytes(buffer[:end])
        del buffer[:end]
        postmark, _, message = whole.partition(b"\n")
        is_large = dropped or len(message) > most + 1000
        if message or dropped or b":" in postmark:
            yield at, postmark, None if is_large else _message(message)
        looked = dropped = 0


def _message(octets: bytes) -> bytes:
    octets = re.sub(rb"\r?\n\r?\n\Z", b"\n", octets)
    return QUOTED.sub(rb"\1", octets)


def status(header: bytes) -> tuple[int, tuple[str, ...]]:
    """Return the flags in Status, X-Status and X-Keywords, as mail readers wrote."""
    bits = 0
    for name in (b"status", b"x-status"):
        for letter in (headers.get(header, name) or b"").decode("latin-1"):
            bits |= STATUS.get(letter, 0)
    words = (headers.get(header, b"x-keywords") or b"").decode("ascii", "ignore")
    found = (word.strip(",") for word in words.split())
    return bits, tuple(word for word in found if KEYWORD.fullmatch(word))


def without_status(octets: bytes, end: int) -> bytes:
    """Return a message whose header ends at `end` without the fields of mbox files."""
    head = OURS.sub(b"", b"\n" + octets[:end])[1:]
    return head + octets[end:] if len(head) != end else octets


def postmark_date(postmark: bytes) -> datetime | None:
    """Return the date at the end of a From line, asctime in UTC."""
    match = POSTMARK_DATE.search(postmark)
    if match is None:
        return None
    name, day, hour, minute, second, year = match.groups()
    on, at, past, seconds = (int(n or 0) for n in (day, hour, minute, second))
    try:
        month = MONTHS.index(name) // 3 + 1
        return datetime(int(year), month, on, at, past, seconds, tzinfo=UTC)
    except ValueError:
        return None


def written(
    chunks: Iterable[bytes],
    sender: str,
    date: datetime,
    bits: int = 0,
    keywords: tuple[str, ...] = (),
) -> Iterator[bytes]:
    """Yield a message, given in chunks, as an mbox holds it."""
    yield _postmark(sender, date) + _fields(bits, keywords)
    rest = b""
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest += chunk
            continue
        lines, rest = rest + chunk[:cut], chunk[cut:]
        yield TO_QUOTE.sub(rb">\1", lines.replace(b"\r\n", b"\n"))
    if rest:
        yield TO_QUOTE.sub(rb">\1", rest.replace(b"\r\n", b"\n")) + b"\n"
    yield b"\n"


def _postmark(sender: str, date: datetime) -> bytes:
    name = "".join(c for c in sender if "!" <= c <= "~")[:320] or "MAILER-DAEMON"
    utc = date.astimezone(UTC)
    month = MONTHS[utc.month * 3 - 3 : utc.month * 3].decode()
    day = f"{DAYS[utc.weekday()]} {month} {utc.day:2}"
    return f"From {name} {day} {utc:%H:%M:%S} {utc.year:04}\n".encode()


def _fields(bits: int, keywords: tuple[str, ...]) -> bytes:
    """Return the flags as fields. A message in an mbox is an old one: O."""
    fields = "Status: RO\n" if bits & f.SEEN else "Status: O\n"
    letters = [letter for letter, bit in STATUS.items() if bit & bits & ~f.SEEN]
    if letters:
        fields += f"X-Status: {''.join(letters)}\n"
    if keywords:
        fields += f"X-Keywords: {' '.join(keywords)}\n"
    return fields.encode("ascii", "replace")
