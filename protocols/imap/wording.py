"""What the IMAP server says to people, in their language. RFC 5255 §3."""

from pathlib import Path

from protocols.common.wording import (
    CATALOGS,
    DEFAULT,
    ENGLISH,
    LANGUAGES,
    Said,
    Wording,
    chosen,
    say,
)

__all__ = [
    "CATALOGS", "DEFAULT", "ENGLISH", "LANGUAGES", "LOCALE", "Said", "chosen",
    "in_language", "say",
]  # fmt: skip

LOCALE = Path(__file__).parent / "locale"
in_language = Wording("imap", LOCALE).in_language
