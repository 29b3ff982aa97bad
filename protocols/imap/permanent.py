"""FLAGS and PERMANENTFLAGS of a selection. RFC 9051 §7.3.5, §7.1; RFC 4314 §5.1.1."""

from collections.abc import Iterator

from mailhost.store.view import Generation
from protocols.imap.selected import Selected
from protocols.imap.wording import in_language

SYSTEM = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
# What is always listed, so that clients offer it. RFC 9051 §2.3.2, RFC 8457 §2
COMMON = ("$Forwarded", "$Junk", "$NotJunk", "$Phishing", "$MDNSent", "$Important")
MOST_KEYWORDS = 200  # listed in FLAGS


def flag_responses(selected: Selected, language: str) -> Iterator[str]:
    """Yield the two lines: the flags there are, and those this user may change."""
    keywords = _keywords(selected.now)
    text = in_language(language, "Limited")
    yield f"* FLAGS ({' '.join((*SYSTEM, *keywords))})\r\n"
    yield f"* OK [PERMANENTFLAGS ({_permanent(selected, keywords)})] {text}\r\n"


def right_of(flag: str) -> str:
    """Return the right that changing this flag needs. RFC 4314 §4."""
    return {"\\seen": "s", "\\deleted": "t"}.get(flag.lower(), "w")


def _permanent(selected: Selected, keywords: list[str]) -> str:
    """Return the flags that the user may change for good. RFC 4314 §5.1.1."""
    if selected.read_only:
        return ""
    held = selected.folder.rights
    allowed = [f for f in SYSTEM if right_of(f) in held]
    return " ".join([*allowed, *keywords, "\\*"] if "w" in held else allowed)


def _keywords(now: Generation) -> list[str]:
    found = {word.lower(): word for word in COMMON}
    for words in set(now.keywords.values()):
        for word in words.split():
            found.setdefault(word.lower(), word)
    return list(found.values())[:MOST_KEYWORDS]
