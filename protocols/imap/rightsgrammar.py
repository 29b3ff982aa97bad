"""Identifiers and rights as the client writes them. RFC 4314 §3, §7."""

from accounts.saslprep import saslprep
from mailhost.store.rights import ALL, ordered
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.wording import say

# What RFC 2086 called create and delete. RFC 4314 §2.1.1
OBSOLETE = {"c": "kx", "d": "te"}
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
    try:
        prepared = saslprep(written)
    except ValueError:
        raise Bad("The identifier holds what no name may hold") from None
    if not prepared or len(prepared) > LONGEST:
        raise Bad("The identifier is empty or too long")
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
