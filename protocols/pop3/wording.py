"""What the POP3 server says to people, in their language. RFC 6856 §3."""

from pathlib import Path

from protocols.common.wording import Wording

LOCALE = Path(__file__).parent / "locale"
# A tag, and the language in itself: what LANG lists.
NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}
in_language = Wording("pop3", LOCALE).in_language
