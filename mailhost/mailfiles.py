"""Reads mail from files: mbox, Maildir, .eml. No SQL, one message in memory at a time.

Messages come with CRLF line ends, as they go over the wire (RFC 5322 §2.1), with the
date they arrived and the flags that the old store kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

from mailhost import mboxes, olduidls
from mailhost.mboxes import Stream
from mailhost.mime import headers
from mailhost.store import flags as f

MAILDIR = {"D": f.DRAFT, "F": f.FLAGGED, "R": f.ANSWERED, "S": f.SEEN, "T": f.DELETED}
FORWARDED = "$Forwarded"
NO_LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Found:
    """One message as a file had it; date None: nobody knows."""

    octets: bytes
    flags: int = 0
    keywords: tuple[str, ...] = ()
    date: datetime | None = None
    progress: int = 0  # octets of the source read so far; reading can begin there
    uidl: str = ""  # what the old server's POP3 called it, if that was asked for
    is_large: bool = False  # over what was asked for; octets are left out


@dataclass(frozen=True, slots=True)
class Source:
    """A file or directory of mail: for which folder, how big, and its messages.

    `read` begins behind so many octets: a `progress` that was told before, or 0.
    """

    folder: str  # below the folder that is imported into; "" is that one
    size: int
    read: Callable[[int], Iterator[Found]]


def sources(path: Path, uidls: str = "") -> list[Source]:
    """Find out what path is; one Source per folder. Raises ValueError for no mail.

    `uidls`: where UIDLs of POP3 come from, one of olduidls.KINDS.
    """
    if path.is_dir():
        if (path / "cur").is_dir():
            return _maildirs(path, uidls)
        files = sorted(path.rglob("*.eml"))
        if files:
            return [Source("", _size(files), partial(read_eml, files))]
    elif path.is_file():
        with path.open("rb") as stream:
            start = stream.read(5)
        if start == b"From ":
            source = partial(read_mbox, path, header_uidls=uidls == olduidls.HEADER)
            return [Source("", path.stat().st_size, source)]
        if path.suffix == ".eml":
            return [Source("", path.stat().st_size, partial(read_eml, [path]))]
    raise ValueError(f"{path} is no mbox, Maildir or .eml file")


def read_mbox(
    path: Path, start: int = 0, *, header_uidls: bool = False
) -> Iterator[Found]:
    """Yield the messages of an mbox; their X-UIDL fields count if that is said."""
    with path.open("rb") as stream:
        for found in in_mbox(stream, start):
            uidl = olduidls.in_header(found.octets) if header_uidls else ""
            yield replace(found, uidl=uidl)


def in_mbox(stream: Stream, start: int, most: int = NO_LIMIT) -> Iterator[Found]:
    """Yield the messages of an mbox that is open."""
    for end, postmark, octets in mboxes.messages(stream, start, most):
        if octets is None:
            yield Found(b"", progress=end, is_large=True)
            continue
        head = headers.block_end(octets, 0, len(octets))
        bits, keywords = mboxes.status(octets[:head])
        date = mboxes.postmark_date(postmark) or sent(octets[:head])
        message = crlf(mboxes.without_status(octets, head))
        yield Found(message, bits, keywords, date, end)


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
        read = partial(read_maildir, files, uidl_of=olduidls.reader(uidls, folder))
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
    files: list[Path], start: int = 0, *, uidl_of: olduidls.Reader = olduidls.none
) -> Iterator[Found]:
    """Yield the messages; the date is the file's, flags stand after `:2,`."""
    for file, progress in _from(files, start):
        octets, date = file.read_bytes(), _modified(file)
        bits, keywords = maildir_flags(file.name if file.parent.name == "cur" else "")
        uidl = uidl_of(file.name, octets)
        yield Found(crlf(octets), bits, keywords, date, progress, uidl)


def maildir_flags(name: str) -> tuple[int, tuple[str, ...]]:
    """Return the flags in the name of a Maildir's file; Windows knows no colon."""
    letters = ""
    for sign in ":;!":
        letters = letters or name.partition(f"{sign}2,")[2]
    bits = 0
    for letter in letters:
        bits |= MAILDIR.get(letter, 0)
    return bits, (FORWARDED,) if "P" in letters else ()


def read_eml(files: list[Path], start: int = 0) -> Iterator[Found]:
    """Yield one message a file; the date is when it was sent."""
    for file, progress in _from(files, start):
        yield from_eml(file.read_bytes(), _modified(file), progress)


def from_eml(octets: bytes, date: datetime | None, progress: int) -> Found:
    """Return a message that was a file; `date` counts where it says none."""
    header = octets[: headers.block_end(octets, 0, len(octets))]
    return Found(crlf(octets), f.SEEN, (), sent(header) or date, progress)


def _from(files: list[Path], start: int) -> Iterator[tuple[Path, int]]:
    """Yield those behind the first `start` octets, and how many each of them ends."""
    progress = 0
    for file in files:
        progress += file.stat().st_size
        if progress > start or (not start and not progress):
            yield file, progress


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
