"""A message as the pages show it: its people, bodies, files. Reads only."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mailhost.mime.addresses import Address
from mailhost.mime.decode import decode_body, text_of
from mailhost.mime.part import Part
from mailhost.mime.structure import from_json
from mailhost.store import read
from mailhost.store.gate import gate
from mailhost.store.read import Listed

# Octets of one text part that are shown.
MOST_TEXT = 1_000_000
MOST_BODIES = 20
# Raster pictures: nothing in them runs.
PICTURES = frozenset(("png", "jpeg", "jpg", "gif", "webp", "bmp"))
SOUNDS = frozenset(("mpeg", "mp3", "mp4", "ogg", "wav", "x-wav", "aac", "flac", "webm"))


class Where(NamedTuple):
    """The address of a message, as forms carry it."""

    account_id: int
    folder_id: int
    uid: int

    @property
    def text(self) -> str:
        """Account, folder and UID with dots between."""
        return ".".join(map(str, self))

    @classmethod
    def read(cls, text: str) -> "Where | None":
        """Read what `text` wrote; None for anything else."""
        numbers = text.split(".")
        is_whole = len(numbers) == 3 and all(
            n.isascii() and n.isdigit() and len(n) <= 18 for n in numbers
        )
        return cls(*map(int, numbers)) if is_whole else None


@dataclass(frozen=True, slots=True)
class File:
    """A part that can be downloaded."""

    section: str
    name: str
    type: str
    size: int  # octets, about

    @property
    def extension(self) -> str:
        """What stands on its icon, at most four letters."""
        return self.name.rpartition(".")[2][:4].upper() if "." in self.name else ""

    @property
    def preview(self) -> str:
        """How it can be looked at: image, pdf, audio, text or message; empty: not."""
        kind, _, sub = self.type.partition("/")
        if kind == "image":
            return "image" if sub in PICTURES else ""
        if kind == "audio":
            return "audio" if sub in SOUNDS else ""
        known = {"application/pdf": "pdf", "message/rfc822": "message"}
        return known.get(self.type, "text" if kind == "text" else "")


@dataclass(frozen=True, slots=True)
class Body:
    """A part that is shown: text, or HTML in a frame of its own."""

    section: str
    text: str
    is_html: bool


def people(listed: Listed, field: str) -> list[Address]:
    """Return the people of one address field: from, sender, reply_to, to, cc, bcc."""
    try:
        found = json.loads(listed.addresses or "{}").get(field, [])
    except ValueError:
        return []
    split = [(name, *address.rpartition("@")) for name, address in found]
    return [
        Address(name, local if at else host, host if at else "")
        for name, local, at, host in split
    ]


def structure(folder_id: int, uid: int) -> tuple[int, Part]:
    """Return a message's content id and its part tree."""
    (content_id, parts), *_ = gate.read_sync(
        read.contents, folder_id, [uid], ("content_id", "parts")
    ).values()
    return content_id, from_json(parts)


def opened(folder_id: int, uid: int) -> tuple[int, Part, bytes, str]:
    """Return a message's content id, part tree, header block and Message-ID."""
    (content_id, parts, header, message_id), *_ = gate.read_sync(
        read.contents, folder_id, [uid], ("content_id", "parts", "header", "message_id")
    ).values()
    return content_id, from_json(parts), header, message_id


def bodies(content_id: int, root: Part) -> list[Body]:
    """Return what is shown of a message, in its order."""
    chosen = [part for part in shown(root) if part.type == "text"]
    return [
        Body(
            part.section or "1",
            "" if part.subtype == "html" else text(content_id, part),
            part.subtype == "html",
        )
        for part in chosen[:MOST_BODIES]
    ]


def files(root: Part) -> list[File]:
    """Return what can be downloaded: all that is neither shown nor an alternative."""
    visible = list(shown(root))
    has_html = any(part.subtype == "html" for part in visible)
    return [
        _file(part)
        for part in _leaves(root)
        if part not in visible and not _is_hidden(part, has_html=has_html)
    ]


def _is_hidden(part: Part, *, has_html: bool) -> bool:
    """Whether a part is a picture that the HTML shows by its Content-ID."""
    is_picture = part.type == "image" and bool(part.content_id)
    return has_html and is_picture and part.disposition != "attachment"


def _file(part: Part) -> File:
    start, end = part.body
    size = (end - start) * 3 // 4 if part.encoding == "base64" else end - start
    kind = f"{part.type}/{part.subtype}"
    return File(part.section or "1", file_name(part), kind, size)


def file_name(part: Part) -> str:
    """Return a name to save a part under: no path, no control character, short."""
    name = part.filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if c.isprintable()).strip(". ")[-150:]
    if name:
        return name
    if part.is_message:
        return "message.eml"
    if (part.type, part.subtype) == ("text", "calendar"):
        return "invitation.ics"
    extension = part.subtype if part.subtype.isalnum() else "bin"
    return f"part-{part.section or '1'}.{extension}"


def shown(part: Part) -> Iterator[Part]:
    """Yield the text parts to show; of alternatives the last that we can."""
    if part.type == "multipart" and part.subtype == "alternative":
        for child in reversed(part.children):
            if found := list(shown(child)):
                yield from found
                return
    elif part.type == "multipart" and part.subtype == "related":
        yield from (found for child in part.children[:1] for found in shown(child))
    elif part.type == "multipart":
        yield from (found for child in part.children for found in shown(child))
    elif _is_text(part):
        yield part


def _is_text(part: Part) -> bool:
    if part.type != "text" or part.disposition == "attachment":
        return False
    if part.subtype == "html":
        return not part.filename or part.disposition == "inline"
    return part.subtype == "plain" and not part.filename


def _leaves(part: Part, *, alternative: bool = False) -> Iterator[Part]:
    if part.type == "multipart":
        for child in part.children:
            yield from _leaves(child, alternative=part.subtype == "alternative")
    elif not (alternative and part.type == "text" and not part.filename):
        yield part


def text(content_id: int, part: Part) -> str:
    """Return the text of a part, cut at MOST_TEXT octets; HTML stays HTML."""
    start, end = part.body
    most = min(end, start + MOST_TEXT * (2 if part.subtype == "html" else 1))
    encoded = gate.read_sync(read.octet_range, content_id, start, most)
    return text_of(encoded, part).replace("\r\n", "\n")


def octets(content_id: int, part: Part) -> bytes:
    """Return the decoded octets of a part."""
    start, end = part.body
    encoded = gate.read_sync(read.octet_range, content_id, start, end)
    return decode_body(encoded, part.encoding)
