"""i;unicode-casemap against its definition. RFC 5051 §2."""

import sys
import unicodedata

import pytest

from mailhost.mime.casemap import casemap


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Hello, World 1", "HELLO, WORLD 1"),
        ("straße", "STRAßE"),
        ("Ü", "U\u0308"),
        ("U\u0308", "U\u0308"),
        ("İstanbul", "I\u0307STANBUL"),
        ("ıı", "II"),
        ("ǆ Ǆ ǅ", "Dz\u030c Dz\u030c Dz\u030c"),
        ("ｆｕｌｌ", "FULL"),
        ("会議", "会議"),
        ("한글 É", "한글 E\u0301"),
        ("が", "か\u3099"),
        ("აბგ", "აბგ"),
        ("ὀδυσσεύς", "Ο\u0313ΔΥΣΣΕΥ\u0301Σ"),
        ("👍🏽 ok", "👍🏽 OK"),
    ],
)
def test_texts_are_mapped(text: str, expected: str) -> None:
    assert casemap(text) == expected


def test_every_character_is_mapped_as_unicodedata_says() -> None:
    wrong = []
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) in {"Cs", "Cn", "Co"}:
            continue
        title = character.title()
        title = title if len(title) == 1 else character
        if casemap(character) != decomposed(title):
            wrong.append(f"U+{code:04X}")
    assert not wrong


def decomposed(character: str) -> str:
    """Follow the decompositions of UnicodeData.txt; the kind in <> is ignored."""
    found = unicodedata.decomposition(character).split()
    if not found:
        return character
    codes = [code for code in found if not code.startswith("<")]
    whole = "".join(decomposed(chr(int(code, 16))) for code in codes)
    return unicodedata.normalize("NFD", whole) if len(whole) > 1 else whole
