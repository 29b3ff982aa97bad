"""Mail in a zip: .eml files, mbox files, Maildirs, with the folders they lie in.

Nothing is unpacked to disk, and no name of the archive is ever a path here. Refused as
a whole: a directory too large to read, too many entries, too many octets, entries that
unpack to far more than they are, that are encrypted, or whose names lead out of the
archive. An archive in the archive is not opened.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import IO

from mailhost import mailfiles
from mailhost.mailfiles import Found, Source

MOST_ENTRIES = 200_000
MOST_DIRECTORY = 64 * 1024 * 1024  # octets
RATIO, FREE = 200, 10 * 1024 * 1024  # unpacked may be so many times packed, over that
END, END64 = b"PK\x05\x06", b"PK\x06\x06"
END_SIZE, COMMENT = 22, 65_535
PACKED = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
NAMELESS = frozenset((".ds_store", "thumbs.db"))
ARCHIVES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst")
MBOXES = (".mbox", ".mbx")
# What Python's zipfile lets through of a damaged or hostile archive.
BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError,
    NotImplementedError, RuntimeError, OverflowError, UnicodeError, AssertionError,
)  # fmt: skip


class Refused(Exception):
    """The archive is not read; the text says why, to people."""

    def __init__(self, why: str) -> None:
        """Say why by a word: see the words of who asks."""
        super().__init__(why)
        self.why = why


def sources(stream: IO[bytes], size: int, most: int, message: int) -> list[Source]:
    """Return what mail there is, one Source per mbox or folder. Raises Refused.

    `most`: octets of all entries unpacked; `message`: of one message.
    """
    _look_at_directory(stream, size)
    try:
        archive = zipfile.ZipFile(stream)
    except BROKEN:
        raise Refused("broken") from None
    entries = [one for one in archive.infolist() if not one.is_dir()]
    _check(entries, most)
    boxes = list[Source]()
    files: dict[str, list[zipfile.ZipInfo]] = {}
    for entry in entries:
        kind, folder = _what(archive, entry)
        if kind == "mbox":
            read = partial(_mbox, archive, entry, most=message)
            boxes.append(Source(folder, entry.file_size, read))
        elif kind == "message":
            files.setdefault(folder, []).append(entry)
    for folder, those in sorted(files.items()):
        total = sum(entry.file_size for entry in those)
        reads = partial(_files, archive, those, most=message)
        boxes.append(Source(folder, total, reads))
    if not boxes:
        raise Refused("nothing")
    return boxes


def _look_at_directory(stream: IO[bytes], size: int) -> None:
    """Refuse a directory that would fill the memory, before Python reads it whole."""
    stream.seek(max(0, size - END_SIZE - COMMENT))
    tail = stream.read(END_SIZE + COMMENT)
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + END_SIZE:
        raise Refused("broken")
    entries, length = struct.unpack_from("<HL", tail, at + 10)
    if entries == 0xFFFF or length == 0xFFFFFFFF:
        at = tail.rfind(END64)
        if at < 0 or len(tail) < at + 56:
            raise Refused("broken")
        entries, length = struct.unpack_from("<QQ", tail, at + 32)
    if entries > MOST_ENTRIES or length > MOST_DIRECTORY:
        raise Refused("many")


def _check(entries: list[zipfile.ZipInfo], most: int) -> None:
    if len(entries) > MOST_ENTRIES:
        raise Refused("many")
    if sum(entry.file_size for entry in entries) > most:
        raise Refused("large")
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise Refused("encrypted")
        if entry.compress_type not in PACKED:
            raise Refused("packed")
        packed = max(entry.compress_size, 1)
        if entry.file_size > FREE and entry.file_size > RATIO * packed:
            raise Refused("bomb")
        if leads_out(entry.filename):
            raise Refused("path")


def leads_out(name: str) -> bool:
    """Tell whether a name is a path that leads out of where it is unpacked."""
    levels = name.replace("\\", "/").split("/")
    is_drive = re.match(r"[A-Za-z]:", name) is not None
    return levels[0] == "" or is_drive or ".." in levels or "\0" in name


def _what(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[str, str]:
    """Return what an entry is (mbox, message, nothing), and its folder."""
    *above, name = entry.filename.replace("\\", "/").split("/")
    low = name.lower()
    if low in NAMELESS or low.endswith(ARCHIVES) or "__MACOSX" in above:
        return "nothing", ""
    if above and above[-1] in {"cur", "new"}:
        return "message", _maildir(above[:-1])
    if low.endswith(".eml"):
        return "message", _folder(above)
    if low.endswith(MBOXES):
        return "mbox", _folder([*above, name.rpartition(".")[0]])
    if _begins(archive, entry):
        # Apple Mail: Work.mbox/mbox. Thunderbird: Work.sbd/Sub.
        return "mbox", _folder(above if low == "mbox" else [*above, name])
    return "nothing", ""


def _begins(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Tell whether a file without an ending is an mbox."""
    if "." in entry.filename.rpartition("/")[2] or not entry.file_size:
        return False
    try:
        with archive.open(entry) as opened:
            return opened.read(5) == b"From "
    except BROKEN:
        return False


def _maildir(levels: list[str]) -> str:
    """Return the folder of a Maildir++: .Work.2024 lies in the one above it."""
    spread = [part for one in levels for part in _dotted(one)]
    return _folder(spread)


def _dotted(level: str) -> list[str]:
    return level[1:].split(".") if level.startswith(".") else [level]


def _folder(levels: list[str]) -> str:
    """Return a folder's name that can be: no control characters, no endless level."""
    found = []
    for level in levels:
        plain = re.sub(r"\.(?:mbox|mbx|sbd)\Z", "", level, flags=re.IGNORECASE)
        plain = "".join(c for c in plain if c.isprintable()).strip()[:200]
        if plain and plain != ".":
            found.append(plain)
    return "/".join(found[:20])[:900]


def _mbox(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, start: int, *, most: int
) -> Iterator[Found]:
    try:
        with archive.open(entry) as opened:
            yield from mailfiles.in_mbox(opened, start, most)
    except BROKEN:
        raise Refused("broken") from None


def _files(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], start: int, *, most: int
) -> Iterator[Found]:
    progress = 0
    for entry in entries:
        progress += entry.file_size
        if progress <= start:
            continue
        if entry.file_size > most:
            yield Found(b"", progress=progress, is_large=True)
            continue
        try:
            octets = archive.read(entry)
        except BROKEN:
            raise Refused("broken") from None
        yield _file(entry, octets, progress)


def _file(entry: zipfile.ZipInfo, octets: bytes, progress: int) -> Found:
    *above, name = entry.filename.replace("\\", "/").split("/")
    found = mailfiles.from_eml(octets, _date(entry), progress)
    if above[-1:] not in (["cur"], ["new"]):
        return found
    bits, keywords = mailfiles.maildir_flags(name if above[-1] == "cur" else "")
    return Found(found.octets, bits, keywords, found.date, progress)


def _date(entry: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*entry.date_time, tzinfo=UTC)
    except ValueError:
        return None
