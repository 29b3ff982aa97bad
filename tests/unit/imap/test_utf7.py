"""Modified UTF-7. RFC 3501 §5.1.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.imap import utf7


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("a&b", "a&-b"),
        ("😀", "&2D3eAA-"),
        ("", ""),
    ],
)
def test_examples(name: str, expected: str) -> None:
    assert utf7.encode(name) == expected
    assert utf7.decode(expected) == name


@pytest.mark.parametrize("name", ["&", "&U", "&Jjo!", "&2D0-", "a&b-c&"])
def test_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        utf7.decode(name)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_there_and_back(name: str) -> None:
    assert utf7.decode(utf7.encode(name)) == name
