"""The grammar, one rule at a time."""

from datetime import UTC, datetime

import pytest

from protocols.imap.errors import Bad
from protocols.imap.parser import Parser, split_flags
from protocols.imap.sequence import SequenceSet, merged, written


@pytest.mark.parametrize(
    ("octets", "literals", "expected"),
    [
        (b"atom-string]", (), "atom-string]"),
        (rb'"quo\"ted \\"', (), 'quo"ted \\'),
        (b"{3}\r\n", (b"a\r\n",), "a\r\n"),
        (b"{3+}\r\n", (b"a b",), "a b"),
        ('"\u00e9"'.encode(), (), "\u00e9"),
        (b'""', (), ""),
    ],
)
def test_astring(octets: bytes, literals: tuple[bytes, ...], expected: str) -> None:
    assert Parser(octets, literals).astring() == expected


@pytest.mark.parametrize(
    "octets", [b"", b" ", b'"open', b"\x1a", b"{1", b'"\xff"', b'"\0"', b"{3}\r\nabc"]
)
def test_astring_refused(octets: bytes) -> None:
    with pytest.raises(Bad):
        Parser(octets).astring()


@pytest.mark.parametrize(
    ("octets", "spans"),
    [
        (b"1:4294967295", [(0, 3)]),  # huge, yet only what is known
        (b"*", [(2, 3)]),
        (b"*:6", [(2, 3)]),
        (b"10:*", [(2, 3)]),  # RFC 9051 §9, seq-range: the ends in either order
        (b"1,3:5", [(1, 2)]),
        (b"2,5", [(0, 2)]),
        (b"9,2", [(0, 1), (2, 3)]),
        (b"5,1:6", [(0, 2)]),
    ],
)
def test_sequence_set(octets: bytes, spans: list[tuple[int, int]]) -> None:
    assert Parser(octets).sequence_set().spans([2, 5, 9]) == spans


def test_sequence_set_of_nothing() -> None:
    assert Parser(b"1:*,*").sequence_set().spans([]) == []


@pytest.mark.parametrize("octets", [b"0", b"", b":2", b"4294967296", b"x"])
def test_sequence_set_refused(octets: bytes) -> None:
    with pytest.raises(Bad):
        Parser(octets).sequence_set()


def test_saved_result() -> None:
    assert Parser(b"$").sequence_set() == SequenceSet(saved=True)


def test_spans_are_merged() -> None:
    assert merged([(4, 6), (0, 2), (1, 3), (3, 4)]) == [(0, 6)]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], ""), ([1], "1"), ([1, 2, 3], "1:3"), ([1, 3, 4, 9], "1,3:4,9")],
)
def test_written_set(numbers: list[int], expected: str) -> None:
    assert written(numbers) == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b'" 1-Jan-2026 00:30:00 +0100"', datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
        (b'"17-Jul-1996 02:44:25 -0700"', datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
    ],
)
def test_date_time(octets: bytes, expected: datetime) -> None:
    assert Parser(octets).date_time() == expected


@pytest.mark.parametrize(
    "octets",
    [
        b'"31-Feb-2026 00:00:00 +0000"',
        b'" 1-Foo-2026 00:00:00 +0000"',
        b'" 1-Jan-0001 00:00:00 +2300"',
        b'" 1-Jan-2026 00:00:00 +9900"',
        b'"1-Jan-2026 00:00:00 +0000"',
    ],
)
def test_date_time_refused(octets: bytes) -> None:
    with pytest.raises(Bad):
        Parser(octets).date_time()


def test_flags_are_split_and_folded() -> None:
    assert split_flags(["\\seen", "$Work", "$work", "\\Deleted"]) == (9, ("$Work",))
