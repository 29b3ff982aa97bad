"""ENVELOPE and BODYSTRUCTURE of many small odd messages, from two tables.

What is expected was written from the RFCs; sizes are counted off the marked texts.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.mime import sound
from tests.unit.mime.imap_value import read

GOLDEN = Path(__file__).parents[2] / "golden" / "mime"
MEMBERS = (
    "date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to",
    "message-id",
)  # fmt: skip
# Of messages; in what is expected a backslash before itself or a quote is IMAP's.
ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|[rnt\\])")
OCTET = re.compile(rb"\\(x[0-9a-f]{2}|[rnt])")
MARKED = re.compile(rb"\[\[(\w+)\|(.*?)\]\]", re.DOTALL)
PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


def raw(text: str, escape: re.Pattern[bytes] = ESCAPE) -> bytes:
    """Return the octets of a line of a table."""
    return escape.sub(
        lambda m: PLAIN.get(m[1]) or bytes([int(m[1][1:], 16)]), text.encode()
    )


def envelopes() -> Iterator[tuple[str, str]]:
    lines = (GOLDEN / "envelope.txt").read_text("utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    for field, expected in zip(lines[::2], lines[1::2], strict=True):
        assert field[0] != " "
        assert expected.startswith("    ")
        yield field, expected.strip()


@pytest.mark.parametrize(("field", "expected"), list(envelopes()), ids=str)
def test_envelope(field: str, expected: str) -> None:
    name = field.partition(":")[0].lower()
    author = b"" if name == "from" else b"From: me@x.test\r\n"
    found = sound.check(author + raw(field) + b"\r\n\r\nx\r\n").envelope
    wanted = raw(expected, OCTET)
    assert read(found)[MEMBERS.index(name)] == read(b"(%b)" % wanted)[0]


def structures() -> Iterator[tuple[str, str, str]]:
    """Yield (why, message, expected) of each block between lines of dashes."""
    text = (GOLDEN / "bodystructure.txt").read_text("utf-8")
    for block in text.split("\n----\n")[1:]:
        why, message, expected = block.split("\n====\n")
        yield why.strip(), message, expected


@pytest.mark.parametrize(("why", "message", "expected"), list(structures()), ids=str)
def test_bodystructure(why: str, message: str, expected: str) -> None:
    del why
    octets = raw(message.replace("\n", "\r\n"))
    sizes = {m[1]: _size(m[2]) for m in MARKED.finditer(octets)}
    octets = MARKED.sub(rb"\2", octets)
    wanted = raw(re.sub(r"\s+", " ", re.sub(r"\)\n\(", ")(", expected.strip())), OCTET)
    wanted = re.sub(rb"\$(\w+)", lambda m: sizes[m[1]], wanted)
    assert sound.check(octets).bodystructure == wanted


def _size(text: bytes) -> bytes:
    return b"%d %d" % (len(text), text.count(b"\r\n"))
