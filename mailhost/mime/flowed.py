"""Text as format=flowed, and quoted-printable. RFC 3676 §4, RFC 2045 §6.7."""

import binascii
import re
from collections.abc import Iterator

# Characters of a flowed line, its trailing space counted (RFC 3676 §4.2 says 78).
WIDTH = 76
# Octets of a line, its line end not counted.                        RFC 5322 §2.1.1
MAX_LINE = 998


def flow(text: str) -> str:
    """Return text in flowed lines that end in CRLF.

    A line that goes on ends in a space; a line that would look like a quote, like
    mbox's From or like a stuffed one gets a space in front (RFC 3676 §4.4).
    """
    return "".join(f"{line}\r\n" for line in _lines(text))


def _lines(text: str) -> Iterator[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    for line in text.split("\n"):
        # "-- " is the signature's mark and stays fixed (RFC 3676 §4.3).
        paragraph = line if line == "-- " else line.rstrip(" ")
        if line.startswith(">"):
            yield from _quoted_lines(paragraph)
        else:
            yield from _wrap(paragraph)


def _quoted_lines(paragraph: str) -> Iterator[str]:
    """Cut a quoted line into flowed ones of the same depth. RFC 3676 §4.5."""
    mark = QUOTE.match(paragraph)
    assert mark is not None
    if mark.end() == len(paragraph):
        yield mark[1]
        return
    for line in _cut(paragraph[mark.end() :], max(WIDTH - mark.end(), MARGIN)):
        yield f"{mark[1]} {line}"


QUOTE = re.compile(r"(>+) ?")
MARGIN = 20  # characters of text that deep quotes have at least


def _wrap(paragraph: str) -> Iterator[str]:
    return map(_stuffed, _cut(paragraph, WIDTH))


def _cut(paragraph: str, width: int) -> Iterator[str]:
    """Cut after spaces so that a line holds `width` characters, if it has spaces."""
    start, size = 0, len(paragraph)
    while size - start > width:
        cut = paragraph.rfind(" ", start, start + width) + 1
        if cut <= start:
            cut = paragraph.find(" ", start + width) + 1
        if cut <= start:
            break
        while cut < size and paragraph[cut] == " ":
            cut += 1
        yield paragraph[start:cut]
        start = cut
    yield paragraph[start:]


def _stuffed(line: str) -> str:
    return f" {line}" if line.startswith((" ", ">", "From ")) else line


def encoded(octets: bytes) -> tuple[bytes, str]:
    """Return CRLF text ready to send, and its encoding: 7bit or quoted-printable."""
    if is_plain(octets):
        return octets, "7bit"
    # RFC 2045 §6.7 rule 4: line ends stay line ends. The encoder works by lines, so
    # that octets that are no line end are encoded.
    lines = [_quoted(line) for line in octets.split(b"\r\n")]
    return b"\r\n".join(lines), "quoted-printable"


def _quoted(line: bytes) -> bytes:
    quoted = binascii.b2a_qp(line, quotetabs=False, istext=False)
    quoted = quoted.replace(b"=\n", b"=\r\n")
    if quoted[-1:] in {b" ", b"\t"}:
        quoted = quoted[:-1] + b"=%02X" % quoted[-1]
    return quoted


def is_plain(octets: bytes) -> bool:
    """Whether octets are 7bit: ASCII, no NUL, CR and LF only together, short lines."""
    if not octets.isascii() or b"\0" in octets:
        return False
    return is_lines(octets)


def is_lines(octets: bytes) -> bool:
    """Whether CR and LF stand only together, and lines are short enough."""
    pairs = octets.count(b"\r\n")
    if octets.count(b"\r") != pairs or octets.count(b"\n") != pairs:
        return False
    return all(len(line) <= MAX_LINE for line in octets.split(b"\r\n"))
