"""What a search found, set off in a letter that is opened from it. Pure."""

import re
from collections.abc import Sequence
from html import escape

TOKEN = re.compile(r"(<[^>]*>|&#?\w{1,10};)")
MOST = 20  # words
LONGEST = 500  # characters of a query that is carried along


def pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    """Return what finds these words, the longest first; None for none."""
    kept = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    found = "|".join(re.escape(word) for word in kept[:MOST])
    return re.compile(f"({found})", re.IGNORECASE) if found else None


def mark(html: str, words: Sequence[str]) -> str:
    """Return clean HTML with the words set off in its texts, never in its tags."""
    wanted = pattern([escape(word, quote=False) for word in words])
    if wanted is None:
        return html
    pieces = TOKEN.split(html)
    # What stands between tags and entities is at the even places.
    pieces[::2] = [wanted.sub(r"<mark>\1</mark>", piece) for piece in pieces[::2]]
    return "".join(pieces)
