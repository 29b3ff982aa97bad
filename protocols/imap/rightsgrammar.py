"""Identifiers and rights as the client writes them. RFC 4314 §3, §7."""

import stringprep
import unicodedata

from mailhost.store.rights import ALL, ordered
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.wording import say

# What RFC 2086 called create and delete. RFC 4314 §2.1.1
OBSOLETE = {"c": "kx", "d": "te"}
FORBIDDEN = (
    stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3,
    stringprep.in_table_c4, stringprep.in_table_c5, stringprep.in_table_c6,
    stringprep.in_table_c7, stringprep.in_table_c8, stringprep.in_table_c9,
)  # fmt: skip
LONGEST = 320  # characters of an identifier


def shown(letters: str) -> str:
    """Write rights, with the obsolete ones that they amount to. RFC 4314 §2.1.1."""
    old = [c for c, members in OBSOLETE.items() if set(members) & set(letters)]
    return letters + "".join(old)


def identifier(p: Parser) -> tuple[str, str]:
    """Read an identifier: as it was written, and prepared for comparison.

    RFC 4314 §3 wants SASLprep (RFC 4013), and BAD where that fails.
    """
    written = p.astring()
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c
        for c in written
        if not stringprep.in_table_b1(c)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    if not prepared or len(prepared) > LONGEST:
        raise Bad("The identifier is empty or too long")
    if any(is_forbidden(c) for c in prepared for is_forbidden in FORBIDDEN):
        raise Bad("The identifier holds what no name may hold")
    return written, prepared


def rights_change(p: Parser) -> tuple[str, str]:
    """Read mod-rights: "+", "-" or "" and the letters. Raises Bad for one unknown."""
    written = p.astring()
    operation = written[:1] if written[:1] in {"+", "-"} else ""
    letters = ""
    for letter in written[len(operation) :]:
        letters += OBSOLETE.get(letter, letter)
        if letters[-1] not in ALL:
            raise Bad(say("There is no right {}", letter))
    return operation, ordered(letters)
