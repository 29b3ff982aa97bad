"""Lines, dots and TOP, in pieces of every size."""

import pytest

from protocols.pop3.errors import Fatal
from protocols.pop3.framing import Framer
from protocols.pop3.stuffing import Dots, Top

SIZES = [1, 2, 3, 5, 1000]


def pieces(octets: bytes, size: int) -> list[bytes]:
    return [octets[i : i + size] for i in range(0, len(octets), size)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("octets", "sent"),
    [
        (b"", b".\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r", b"a\r\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"..\r\n.\r\n", b"...\r\n..\r\n.\r\n"),
        (b"\r\n.\r\n\r\n.x", b"\r\n..\r\n\r\n..x\r\n.\r\n"),
        (b"a\n.b\r\n", b"a\n.b\r\n.\r\n"),  # a bare LF ends no line
        (b"\r\r\n.\r\n", b"\r\r\n..\r\n.\r\n"),
    ],
)
def test_dots(octets: bytes, sent: bytes, size: int) -> None:
    dots = Dots()
    got = b"".join(dots.feed(piece) for piece in pieces(octets, size))
    assert got + dots.end() == sent


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("octets", "lines", "kept"),
    [
        (b"A: 1\r\n\r\nx\r\ny\r\n", 0, b"A: 1\r\n\r\n"),
        (b"A: 1\r\n\r\nx\r\ny\r\n", 1, b"A: 1\r\n\r\nx\r\n"),
        (b"A: 1\r\n\r\nx\r\ny", 2, b"A: 1\r\n\r\nx\r\ny"),
        (b"A: 1\r\nB: 2\r\n", 1, b"A: 1\r\nB: 2\r\n"),
        (b"A: 1\n\nx\ny\n", 1, b"A: 1\n\nx\n"),
        (b"\r\n\r\n\r\n", 1, b"\r\n\r\n"),
        (b"A: 1\r\n\r\n\r\n\r\nz", 2, b"A: 1\r\n\r\n\r\n\r\n"),
    ],
)
def test_top(octets: bytes, lines: int, kept: bytes, size: int) -> None:
    top = Top(lines)
    assert b"".join(top.feed(piece) for piece in pieces(octets, size)) == kept


@pytest.mark.parametrize("size", SIZES)
def test_lines(size: int) -> None:
    framer, lines = Framer(10), []
    for piece in pieces(b"a\r\nbc\n\r\n12345678\r\nrest", size):
        framer.feed(piece)
        while (line := framer.next_line()) is not None:
            lines.append(line)
    assert lines == [b"a", b"bc", b"", b"12345678"]
    assert framer.waiting == 4


@pytest.mark.parametrize("octets", [b"123456789\r\n", b"12345678901", b"x" * 99999])
def test_a_line_too_long_is_fatal(octets: bytes) -> None:
    framer = Framer(10)
    framer.feed(octets)
    with pytest.raises(Fatal):
        framer.next_line()
