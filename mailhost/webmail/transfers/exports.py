"""Mail as files, made while they are sent: one page of messages in memory.

A folder is an mbox (mboxrd); several are a zip of them, named as the folders are, so
that an import of it makes them anew. Messages alone are a zip of .eml files. Stored,
not packed; a message that goes meanwhile is left out.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from mailhost import mboxes
from mailhost.store import conversations, read
from mailhost.store.content import CHUNK
from mailhost.store.errors import NoSuchMessage
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo
from mailhost.webmail.picking import Picked
from mailhost.webmail.zipping import Pipe

PAGE = 100  # messages
TOGETHER = 65_536  # octets that are sent at once
ROW = ("flags", "keywords", "internal_date", "content_id", "size")


def mbox(folder: FolderInfo) -> Iterator[bytes]:
    """Yield a folder as an mbox."""
    uids = gate.read_sync(conversations.uids_of, folder.id)
    for start in range(0, len(uids), PAGE):
        page = uids[start : start + PAGE]
        rows = gate.read_sync(read.message_rows, folder.id, page, ROW)
        senders = gate.read_sync(read.contents, folder.id, page, ("from_address",))
        for uid in page:
            if uid in rows:
                bits, words, date, content_id, size = rows[uid]
                (sender,) = senders.get(uid, ("",))
                chunks = octets_of(content_id, size)
                marks = (bits, tuple(words.split()))
                yield from mboxes.written(chunks, sender, date, *marks)


def octets_of(content_id: int, size: int) -> Iterator[bytes]:
    """Yield the octets of a message, a chunk at a time."""
    for number in range(max(1, -(-size // CHUNK))):
        try:
            yield gate.read_sync(read.chunk, content_id, number)
        except NoSuchMessage:
            return


def mboxes_zip(
    folders: Sequence[FolderInfo], more: Iterable[tuple[str, bytes]] = ()
) -> Iterator[bytes]:
    """Yield a zip of folders as mboxes, and of further files (name, octets)."""
    pipe = Pipe()
    now = timezone.localtime()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        taken: set[str] = set()
        for folder in folders:
            name = _unique(f"{_path(folder.name)}.mbox", taken)
            yield from _packed(archive, _entry(name, now), mbox(folder), pipe)
        for name, octets in more:
            archive.writestr(_entry(_unique(name, taken), now), octets)
    yield pipe.take()


def _packed(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    octets: Iterator[bytes],
    pipe: Pipe,
) -> Iterator[bytes]:
    """Write an entry of any length; yield what the archive has of it meanwhile."""
    with archive.open(entry, "w", force_zip64=True) as opened:
        for piece in octets:
            opened.write(piece)
            if pipe.size > TOGETHER:
                yield pipe.take()


def messages_zip(found: Sequence[Picked]) -> Iterator[bytes]:
    """Yield a zip of single messages."""
    pipe = Pipe()
    taken: set[str] = set()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for row, subject in (page for one in found for page in _pages(one)):
            _write(archive, row, subject, taken)
            if pipe.size > TOGETHER:
                yield pipe.take()
    yield pipe.take()


def _write(
    archive: zipfile.ZipFile, row: tuple[Any, ...], subject: str, taken: set[str]
) -> None:
    _bits, _words, date, content_id, size = row
    local = timezone.localtime(date)
    title = f"{local:%Y-%m-%d %H.%M} {_plain(subject)[:80]}".strip()
    name = _unique(f"{title}.eml", taken)
    with archive.open(_entry(name, local), "w") as entry:
        for octets in octets_of(content_id, size):
            entry.write(octets)


def _pages(one: Picked) -> Iterator[tuple[tuple[Any, ...], str]]:
    for start in range(0, len(one.uids), PAGE):
        page = one.uids[start : start + PAGE]
        rows = gate.read_sync(read.message_rows, one.folder.id, page, ROW)
        subjects = gate.read_sync(read.contents, one.folder.id, page, ("subject",))
        for uid in page:
            if uid in rows and uid in subjects:
                yield rows[uid], subjects[uid][0]


def _entry(name: str, when: datetime) -> zipfile.ZipInfo:
    year = min(max(when.year, 1980), 2107)  # what a zip can say
    fields = (year, when.month, when.day, when.hour, when.minute, when.second)
    return zipfile.ZipInfo(name, fields)


def _plain(text: str) -> str:
    """Return text that may be a file's name everywhere."""
    kept = (c if c.isprintable() and c not in '<>:"/\\|?*' else "_" for c in text)
    return "".join(kept).strip(" .")


def _path(name: str) -> str:
    """Return a folder's name as a path in the archive that leads nowhere else."""
    return "/".join(_plain(level) or "_" for level in name.split("/"))


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem} ({number}){dot}{ending}"
    taken.add(found.casefold())
    return found
