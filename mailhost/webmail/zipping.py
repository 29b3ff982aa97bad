"""All attachments of a message as one zip, made while it is sent.

One part is in memory at a time.
"""

import zipfile
from collections.abc import AsyncIterator, Iterator
from io import RawIOBase

from asgiref.sync import sync_to_async
from typing_extensions import Buffer, override

from mailhost.mime.part import Part
from mailhost.webmail import letters
from mailhost.webmail.letters import File


class Pipe(RawIOBase):
    """What the archive is written to; taken out as it comes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.waiting: list[bytes] = []
        self.size = 0  # octets that wait

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, octets: Buffer, /) -> int:
        self.waiting.append(bytes(octets))
        self.size += len(self.waiting[-1])
        return len(self.waiting[-1])

    def take(self) -> bytes:
        """Return what was written since."""
        taken, self.waiting = b"".join(self.waiting), []
        self.size = 0
        return taken


def chunks(content_id: int, root: Part, files: list[File]) -> Iterator[bytes]:
    """Yield the archive. Stored, not packed: most attachments are packed already."""
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for file, name in zip(files, names(files), strict=True):
            part = root.find(file.section)
            octets = letters.octets(content_id, part) if part else b""
            archive.writestr(zipfile.ZipInfo(name), octets)
            yield pipe.take()
    yield pipe.take()


def names(files: list[File]) -> list[str]:
    """Return the names inside: no two alike, none a path or a device."""
    taken: set[str] = set()
    found = []
    for number, file in enumerate(files, 1):
        name = file.name.replace("/", "_").replace(":", "_").lstrip(".") or "file"
        if name.casefold() in taken:
            name = f"{number}-{name}"
        taken.add(name.casefold())
        found.append(name)
    return found


async def awaited(them: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same, each made in a thread."""
    take = sync_to_async(lambda: next(them, None))
    while (chunk := await take()) is not None:
        yield chunk
