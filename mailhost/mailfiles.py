"""Reads mail from files: mbox, Maildir, .eml. No SQL, one message in memory at a time.

Messages come with CRLF line ends, as they go over the wire (RFC 5322 §2.1), with the
date they arrived and the flags that the old store kept.
"""

import mmap
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

from mailhost import olduidls
from mailhost.mime import headers
from mailhost.store import flags as f

# mboxrd: every line of the body that starts with From is given one > more.
QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")
POSTMARK_DATE = re.compile(
    rb"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d)(?::(\d\d))?.*? (\d{4})"
)
MONTHS = b"JanFebMarAprMayJunJulAugSepOctNovDec"
MAILDIR = {"D": f.DRAFT, "F": f.FLAGGED, "R": f.ANSWERED, "S": f.SEEN, "T": f.DELETED}
STATUS = {"R": f.SEEN, "A": f.ANSWERED, "F": f.FLAGGED, "T": f.DRAFT, "D": f.DELETED}
FORWARDED = "$Forwarded"


@dataclass(frozen=True, slots=True)
class Found:
    """One message as a file had it; date None: nobody knows."""

    octets: bytes
    flags: int = 0
    keywords: tuple[str, ...] = ()
    date: datetime | None = None
    progress: int = 0  # octets of the source read so far
    uidl: str = ""  # what the old server's POP3 called it, if that was asked for


@dataclass(frozen=True, slots=True)
class Source:
    """A file or directory of mail: for which folder, how big, and its messages."""

    folder: str  # below the folder that is imported into; "" is that one
    size: int
    read: Callable[[], Iterator[Found]]


def sources(path: Path, uidls: str = "") -> list[Source]:
    """Find out what path is; one Source per folder. Raises ValueError for no mail.

    `uidls`: where UIDLs of POP3 come from, one of olduidls.KINDS.
    """
    if path.is_dir():
        if (path / "cur").is_dir():
            return _maildirs(path, uidls)
        files = sorted(path.rglob("*.eml"))
        if files:
            return [Source("", _size(files), lambda: read_eml(files))]
    elif path.is_file():
        with path.open("rb") as stream:
            start = stream.read(5)
        if start == b"From ":
            source = partial(read_mbox, path, header_uidls=uidls == olduidls.HEADER)
            return [Source("", path.stat().st_size, source)]
        if path.suffix == ".eml":
            return [Source("", path.stat().st_size, lambda: read_eml([path]))]
    raise ValueError(f"{path} is no mbox, Maildir or .eml file")


def read_mbox(path: Path, *, header_uidls: bool = False) -> Iterator[Found]:
    """Yield the messages of an mbox; their X-UIDL fields count if that is said."""
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as octets,
    ):
        start = 0
        while start < len(octets):
            end = _next_postmark(octets, start)
            found = _from_mbox(octets[start:end], end)
            uidl = olduidls.in_header(found.octets) if header_uidls else ""
            yield replace(found, uidl=uidl)
            start = end


def _next_postmark(octets: mmap.mmap, start: int) -> int:
    """Return where the next message begins: From after an empty line. RFC 4155."""
    at = start
    while (at := octets.find(b"\nFrom ", at + 1)) != -1:
        if octets[at - 2 : at] == b"\n\r" or octets[at - 1 : at] == b"\n":
            return at + 1
    return len(octets)


def _from_mbox(octets: bytes, progress: int) -> Found:
    postmark, _, message = octets.partition(b"\n")
    # The empty line before the next postmark is the mbox's, not the message's.
    message = re.sub(rb"\r?\n\r?\n\Z", b"\n", message)
    message = QUOTED_FROM.sub(rb"\1", message)
    header = message[: headers.block_end(message, 0, len(message))]
    bits, keywords = status(header)
    date = postmark_date(postmark) or sent(header)
    return Found(crlf(message), bits, keywords, date, progress)


def status(header: bytes) -> tuple[int, tuple[str, ...]]:
    """Return the flags in Status, X-Status and X-Keywords, as mail readers wrote."""
    bits = 0
    for name in (b"status", b"x-status"):
        for letter in (headers.get(header, name) or b"").decode("latin-1"):
            bits |= STATUS.get(letter, 0)
    words = (headers.get(header, b"x-keywords") or b"").decode("ascii", "ignore")
    keywords = tuple(w for w in words.split() if re.fullmatch(r"[\w$.-]{1,64}", w))
    return bits, keywords


def postmark_date(postmark: bytes) -> datetime | None:
    """Return the date at the end of a From line, asctime in UTC. RFC 4155."""
    match = POSTMARK_DATE.search(postmark)
    if match is None:
        return None
    name, day, hour, minute, second, year = match.groups()
    try:
        return datetime(
            int(year),
            MONTHS.index(name) // 3 + 1,
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            tzinfo=UTC,
        )
    except ValueError:
        return None


def _maildirs(path: Path, uidls: str) -> list[Source]:
    """Return the folder itself and those of Maildir++: .Sent, .Work.2024."""
    below = [d for d in sorted(path.iterdir()) if d.name[:1] == "." and d != path]
    folders = [("", path)]
    folders += [
        (d.name[1:].replace(".", "/"), d) for d in below if (d / "cur").is_dir()
    ]
    found = []
    for name, folder in folders:
        files = _maildir_files(folder)
        read = partial(read_maildir, files, olduidls.reader(uidls, folder))
        found.append(Source(name, _size(files), read))
    return found


def _maildir_files(folder: Path) -> list[Path]:
    found = [
        file
        for part in ("cur", "new")
        for file in (folder / part).glob("*")
        if file.is_file()
    ]
    return sorted(found, key=lambda file: file.stat().st_mtime)


def read_maildir(
    files: list[Path], uidl_of: olduidls.Reader = olduidls.none
) -> Iterator[Found]:
    """Yield the messages; the date is the file's, flags stand after `:2,`."""
    progress = 0
    for file in files:
        letters = file.name.partition(":2,")[2] if file.parent.name == "cur" else ""
        bits = 0
        for letter in letters:
            bits |= MAILDIR.get(letter, 0)
        octets, date = file.read_bytes(), _modified(file)
        progress += len(octets)
        keywords = (FORWARDED,) if "P" in letters else ()
        uidl = uidl_of(file.name, octets)
        yield Found(crlf(octets), bits, keywords, date, progress, uidl)


def read_eml(files: list[Path]) -> Iterator[Found]:
    """Yield one message a file; the date is when it was sent."""
    progress = 0
    for file in files:
        octets = file.read_bytes()
        progress += len(octets)
        header = octets[: headers.block_end(octets, 0, len(octets))]
        date = sent(header) or _modified(file)
        yield Found(crlf(octets), f.SEEN, (), date, progress)


def sent(header: bytes) -> datetime | None:
    """Return the Date field, None when it cannot be read."""
    try:
        text = (headers.get(header, b"date") or b"").decode("ascii", "replace")
        date = parsedate_to_datetime(text.strip())
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def crlf(octets: bytes) -> bytes:
    """Return octets with CRLF where a bare LF ends a line."""
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n")
    return octets.replace(b"\n", b"\r\n")


def _modified(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _size(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)
