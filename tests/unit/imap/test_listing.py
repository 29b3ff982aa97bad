"""Patterns of LIST."""

import pytest

from protocols.imap.listing import matcher, matches_slowly

CASES = [
    ("*", "a/b", True),
    ("%", "a/b", False),
    ("%", "a", True),
    ("a/%", "a/b", True),
    ("a/%", "a/b/c", False),
    ("a*c", "a/b/c", True),
    ("a%c", "a/b/c", False),
    ("%/%", "a/b", True),
    ("a.b", "axb", False),
    ("", "", True),
    ("", "a", False),
    ("*%*", "a/b", True),
]


@pytest.mark.parametrize(("pattern", "name", "expected"), CASES)
def test_pattern(pattern: str, name: str, *, expected: bool) -> None:
    assert matcher("", [pattern])(name) is expected
    assert matches_slowly(pattern, name) is expected


def test_many_wildcards_take_no_time() -> None:
    assert not matcher("", ["*a" * 400 + "b"])("a" * 900)


def test_inbox_in_any_case() -> None:
    assert matcher("", ["inBOX"])("INBOX")
