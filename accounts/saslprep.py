"""SASLprep: the same password typed on two keyboards is the same octets. RFC 4013."""

import stringprep
import unicodedata

PROHIBITED = (  # RFC 4013 §2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """Return text prepared; raises ValueError for what is prohibited or mixed."""
    if text.isascii() and text.isprintable():
        return text
    # RFC 4013 §2.1: other spaces become spaces, some characters nothing
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c
        for c in text
        if not stringprep.in_table_b1(c)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    if any(prohibits(c) for prohibits in PROHIBITED for c in prepared):
        raise ValueError("a character is prohibited")
    _check_direction(prepared)
    return prepared


def _check_direction(text: str) -> None:
    """RFC 3454 §6: text from right to left stands alone, and at both ends."""
    if not any(stringprep.in_table_d1(c) for c in text):
        return
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not ends or any(stringprep.in_table_d2(c) for c in text):
        raise ValueError("the directions are mixed")
