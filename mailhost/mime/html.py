"""HTML to readable text for previews and search; no renderer, no sanitiser."""

import re
from collections.abc import Iterator
from html import unescape

# What is not text: comments, and elements by their whole content.
HIDDEN = re.compile(
    r"<(?:(!--)|(script|style|title|template|noscript|svg)\b)", re.IGNORECASE
)
_ENDS = {
    name: re.compile(rf"</{name}\b[^<>]*+>?+", re.IGNORECASE)
    for name in ("script", "style", "title", "template", "noscript", "svg")
}
_ENDS["!--"] = re.compile("--!?>")
# A tag ends at the next ">"; a "<" before it means it was none. Each octet is looked at
# once.
BLOCK = re.compile(
    r"</?(?:address|article|aside|blockquote|body|br|center|dd|div|dl|dt|footer|form"
    r"|h[1-6]|head|header|hr|html|li|main|nav|ol|p|pre|section|table|tbody|tr|ul)\b"
    r"[^<>]*+>",
    re.IGNORECASE,
)
CELL = re.compile(r"</t[dh]\b[^<>]*+>", re.IGNORECASE)
TAG = re.compile(r"<[a-zA-Z/!?][^<>]*+>")
# `html.unescape` raises on numbers of more digits than `int` takes.
ENDLESS = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}+;?+")
SPACE = re.compile(r"[ \t\r\n\f\v\xa0]+")
BLANKS = re.compile(r"[ \t\r\f\v\xa0]+")
LINES = re.compile(r" *\n[ \n]*")


def to_text(html: str) -> str:
    """Return the text: blocks on lines of their own, entities decoded, spaces single.

    Linear in the input, never raises.
    """
    text = SPACE.sub(" ", "".join(_visible(html)))
    text = TAG.sub("", CELL.sub(" ", BLOCK.sub("\n", text)))
    if "&" in text:
        text = unescape(ENDLESS.sub("\ufffd", text))
    text = BLANKS.sub(" ", text.replace("\0", ""))
    return LINES.sub("\n", text).strip()


def _visible(html: str) -> Iterator[str]:
    """Yield what stands outside of hidden elements; an endless one hides the rest."""
    position = 0
    while match := HIDDEN.search(html, position):
        yield html[position : match.start()]
        end = _ENDS[match[1] or match[2].lower()].search(html, match.end())
        if end is None:
            return
        position = end.end()
    yield html[position:]
