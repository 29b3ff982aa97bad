"""The preview of a message (RFC 8970), and whether it carries attachments."""

import re
from collections.abc import Iterator

from mailhost.mime.decode import text_of
from mailhost.mime.html import to_text
from mailhost.mime.limits import MAX_PREVIEW
from mailhost.mime.part import Part

# Octets of a part that are looked at, first and if that gave too little.
_FIRST, _MORE = 4 * 1024, 128 * 1024
# So many fill a preview, however short they are.
_MOST_WORDS = MAX_PREVIEW // 2 + 1
# Text parts that are tried.
_MOST_PARTS = 10
# Invisible fillers with which newsletters push the preview.
INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
QUOTE = re.compile(r"^>.*$", re.MULTILINE)
# Parts that say how to read another one.
_MARKS = frozenset(
    (
        "pgp-signature",
        "pgp-encrypted",
        "pkcs7-signature",
        "x-pkcs7-signature",
        "ms-tnef",
    )
)


def preview(octets: bytes, root: Part) -> str:
    """Return up to MAX_PREVIEW characters on one line; "" if there is no text.

    Plain text goes before HTML; lines that quote count only if there are no others.
    """
    parts = list(_texts(root))
    for part in sorted(parts, key=lambda part: part.subtype == "html"):
        text = _text(octets, part, _FIRST)
        if len(text) < MAX_PREVIEW and part.body[1] - part.body[0] > _FIRST:
            text = _text(octets, part, _MORE)
        if text:
            return text[:MAX_PREVIEW].rstrip()
    return ""


def _text(octets: bytes, part: Part, most: int) -> str:
    start, end = part.body
    encoded = octets[start : min(end, start + most)]
    return _line(text_of(encoded, part), is_html=part.subtype == "html")


def _texts(root: Part) -> Iterator[Part]:
    """Yield the first text parts that are shown, not those of embedded messages."""
    waiting, found = [root], 0
    while waiting and found < _MOST_PARTS:
        part = waiting.pop()
        if part.type == "multipart":
            waiting.extend(reversed(part.children))
        elif part.type == "text" and part.disposition != "attachment":
            found += 1
            yield part


def _line(text: str, *, is_html: bool) -> str:
    if is_html:
        text = to_text(text)
    elif ">" in text:
        text = QUOTE.sub("", text.replace("\r", "")) if _has_own(text) else text
    if not text.isascii():
        text = INVISIBLE.sub("", text)
    return " ".join(text.split(None, _MOST_WORDS)[:_MOST_WORDS])


def _has_own(text: str) -> bool:
    return any(line.strip() and line[0] != ">" for line in text.splitlines())


def has_attachment(root: Part) -> bool:
    """Whether a reader would see a file or a forwarded message with this message."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.type == "multipart":
            waiting.extend(part.children)
        elif _is_attachment(part):
            return True
    return False


def _is_attachment(part: Part) -> bool:
    if part.disposition == "attachment":
        return part.subtype not in _MARKS
    if part.type == "text":
        return bool(part.filename) and part.disposition != "inline"
    if part.is_message:
        return True
    if part.subtype in _MARKS or part.type == "message":
        return False
    # A picture that the HTML shows by its Content-ID is no attachment.
    return not part.content_id or (
        part.type == "application" and part.disposition != "inline"
    )
