"""i;unicode-casemap: the one way in which texts are compared. RFC 5051 §2.

Each character becomes its simple titlecase, and that is decomposed. Both sides of a
comparison go through here; what comes out is to be compared, not to be shown.
"""

import re
import unicodedata

# Where `str.upper` is not the simple titlecase mapping of UnicodeData.txt: digraphs,
# Georgian, and what grows when it is mapped (ß stays; SpecialCasing.txt is not used).
_UNLIKE_UPPER = re.compile(
    "[\xdf\u0149\u01c4-\u01cc\u01f0-\u01f3\u0390\u03b0\u0587\u10d0-\u10fa\u10fd-\u10ff"
    "\u1e96-\u1e9a\u1f50\u1f52\u1f54\u1f56\u1f80-\u1faf\u1fb2-\u1fb4\u1fb6\u1fb7\u1fbc"
    "\u1fc2-\u1fc4\u1fc6\u1fc7\u1fcc\u1fd2\u1fd3\u1fd6\u1fd7\u1fe2-\u1fe4\u1fe6\u1fe7"
    "\u1ff2-\u1ff4\u1ff6\u1ff7\u1ffc\ufb00-\ufb06\ufb13-\ufb17]"
)
# UnicodeData.txt decomposes no Hangul syllable; normalisation would.
_HANGUL = re.compile("([\uac00-\ud7a3]+)")


def casemap(text: str) -> str:
    """Return the text as i;unicode-casemap compares it. Linear in the text."""
    if text.isascii():
        return text.upper()
    if _UNLIKE_UPPER.search(text):
        kept = _UNLIKE_UPPER.findall(text)
        pieces = [piece.upper() for piece in _UNLIKE_UPPER.split(text)]
        mapped = [piece + _title(c) for piece, c in zip(pieces, kept, strict=False)]
        text = "".join(mapped) + pieces[-1]
    else:
        text = text.upper()
    if not _HANGUL.search(text):
        return unicodedata.normalize("NFKD", text)
    return "".join(
        piece if n % 2 else unicodedata.normalize("NFKD", piece)
        for n, piece in enumerate(_HANGUL.split(text))
    )


def _title(character: str) -> str:
    title = character.title()
    return title if len(title) == 1 else character
