"""What full text search sees of a message: decoded text, within limits."""

from collections.abc import Callable, Iterator
from itertools import islice

from mailhost.mime import words
from mailhost.mime.decode import text_of
from mailhost.mime.headers import fields, unfold
from mailhost.mime.html import to_text
from mailhost.mime.limits import MAX_FIELDS, MAX_HEADER, MAX_SEARCHABLE
from mailhost.mime.part import Part

Field = tuple[str, str]  # name as written, decoded value of one line
Octets = Callable[[int, int], bytes]  # start, end of the message


def header_fields(
    header: bytes, wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[Field]:
    """Yield the fields of a header block whose names are wanted, in order.

    Of the first MAX_FIELDS.
    """
    for octets, value in islice(fields(header[:MAX_HEADER]), MAX_FIELDS):
        name = octets.decode("ascii")
        if wanted(name):
            yield name, words.decode(unfold(value))


def part_fields(octets: Octets, root: Part) -> Iterator[Field]:
    """Yield the fields of the headers of the parts inside; at most MAX_FIELDS.

    Their octets together are at most MAX_HEADER, or one header more.
    """
    yield from islice(_part_fields(octets, root), MAX_FIELDS)


def _part_fields(octets: Octets, root: Part) -> Iterator[Field]:
    room = MAX_HEADER
    for part in root.walk():
        start, end = part.header
        if part is root or start == end:
            continue
        yield from header_fields(octets(start, min(end, start + MAX_HEADER)))
        room -= end - start
        if room <= 0:
            return


def body_texts(octets: Octets, root: Part) -> Iterator[str]:
    """Yield text parts as text, file names, and the fields of embedded messages.

    At most MAX_SEARCHABLE characters together; the rest is not searched.
    """
    room = MAX_SEARCHABLE
    for text in _body_texts(octets, root):
        yield text[:room]
        room -= len(text) + 1
        if room <= 0:
            return


def _body_texts(octets: Octets, root: Part) -> Iterator[str]:
    for part in root.walk():
        if part.filename:
            yield part.filename
        if part.is_message and part.children:
            # The header of an embedded message is body of the one around it.
            start, end = part.children[0].header
            header = octets(start, min(end, start + MAX_HEADER))
            yield from (f"{name}: {value}" for name, value in header_fields(header))
        if part.type == "text":
            start, end = part.body
            # Six octets of quoted-printable may be one character.
            text = text_of(octets(start, min(end, start + 6 * MAX_SEARCHABLE)), part)
            yield to_text(text) if part.subtype == "html" else text
