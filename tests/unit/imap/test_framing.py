"""Octets become whole commands, however they arrive."""

import pytest

from protocols.imap.errors import Fatal
from protocols.imap.framing import (
    MEMORY,
    MOST_LITERALS,
    Framer,
    TooBig,
    WantsLiteral,
    WholeCommand,
)

COMMAND = b"a LOGIN {2}\r\nab {3+}\r\nc\r\n\r\nb NOOP\r\n"


def framer(limit: int = 100, line: int = 100) -> Framer:
    return Framer(line, lambda _: limit)


def frames(made: Framer, octets: bytes, step: int) -> list[object]:
    found: list[object] = []
    for start in range(0, len(octets), step):
        made.feed(octets[start : start + step])
        while (frame := made.next_command()) is not None:
            found.append(frame)
    return found


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_commands(step: int) -> None:
    assert frames(framer(), COMMAND, step) == [
        WantsLiteral(),
        WholeCommand(b"a LOGIN {2}\r\n {3+}\r\n\r\n", (b"ab", b"c\r\n")),
        WholeCommand(b"b NOOP\r\n"),
    ]


def test_big_literal_is_a_file() -> None:
    made = framer(limit=1 << 20)
    made.feed(b"a X {300000+}\r\n" + b"x" * 300_000 + b"\r\n")
    whole = made.next_command()
    assert isinstance(whole, WholeCommand)
    (piece,) = whole.literals
    assert not isinstance(piece, bytes)
    with piece:
        assert piece.tell() == 300_000


def test_line_too_long() -> None:
    made = framer(line=10)
    made.feed(b"x" * 11)
    with pytest.raises(Fatal):
        made.next_command()


def test_literals_add_up() -> None:
    made = framer(limit=5)
    made.feed(b"a X {3+}\r\nabc {3}\r\n")
    assert isinstance(made.next_command(), TooBig)
    made.feed(b"b NOOP\r\n")
    assert made.next_command() == WholeCommand(b"b NOOP\r\n")


def test_literal_too_big_and_on_its_way() -> None:
    made = framer(limit=5)
    made.feed(b"a X {6+}\r\n")
    with pytest.raises(Fatal):
        made.next_command()


def test_many_literals_hold_little_memory_and_few_files() -> None:
    made = framer(limit=1 << 40, line=65_536)
    made.feed(b"a APPEND x")
    for _ in range(20):
        made.feed(b" {200000+}\r\n" + bytes(200_000))
        assert made.next_command() is None
    held = [piece for piece in made._pieces if isinstance(piece, bytes)]
    assert sum(map(len, held)) <= MEMORY
    made.feed(b" {1+}\r\nx" * (MOST_LITERALS - 20) + b" {1}\r\n")
    assert isinstance(made.next_command(), TooBig)
