"""Encoded words in header fields, both ways. RFC 2047; raw UTF-8 is RFC 6532."""

import binascii
import re
from collections.abc import Iterator

from mailhost.mime.charsets import decode_text, unlabelled

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
# RFC 2047 §2, RFC 2231 §5; spaces inside the text are tolerated, many senders write
# them.
WORD = re.compile(rb"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
CONTROLS = re.compile("[\x00-\x1f\x7f]+")
# Octets of text in one word. 75 fit (RFC 2047 §2), but a line that holds a word has 76
# at most, the field's name among them; base64 makes four of three.
_MOST = 39


def decode(value: bytes) -> str:
    """Decode a field's value to one line of text.

    Control characters become spaces, NULs go.
    """
    if b"=?" in value:
        text = "".join(_pieces(value))
    elif value.isascii():
        text = value.decode("ascii")
    else:
        text = unlabelled(value)
    if text.isprintable():
        return text
    return CONTROLS.sub(" ", text.replace("\0", ""))


def _pieces(value: bytes) -> Iterator[str]:
    """Yield text and decoded words in order.

    Space between two words is not text (RFC 2047 §6.2). Neighbours of one charset are
    joined before they are decoded, since senders cut inside a character.
    """
    end, charset = 0, ""
    pending: list[bytes] = []
    for word in WORD.finditer(value):
        between = value[end : word.start()]
        apart = not end or between.strip()
        named = word[1].decode("latin-1").lower()
        if pending and (apart or named != charset):
            yield decode_text(b"".join(pending), charset)
            pending.clear()
        if apart:
            yield unlabelled(between)
        pending.append(_octets(word))
        end, charset = word.end(), named
    yield decode_text(b"".join(pending), charset)
    yield unlabelled(value[end:])


def _octets(word: re.Match[bytes]) -> bytes:
    text = word[3]
    if word[2] in b"qQ":
        return unhex(HEX, text.replace(b"_", b" "))
    return from_base64(text)


def unhex(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    """Replace each match of pattern, whose group 1 is two hex digits, by its octet."""
    return pattern.sub(lambda match: binascii.unhexlify(match[1]), text)


def from_base64(text: bytes) -> bytes:
    """Decode base64 up to its padding, whatever stands between; that may be missing."""
    try:
        return binascii.a2b_base64(text)
    except binascii.Error:
        digits = NOT_BASE64.sub(b"", text.partition(b"=")[0])
        whole = len(digits) - (len(digits) % 4 == 1)
        return binascii.a2b_base64(digits[:whole] + b"=" * (-whole % 4))


def encode(text: str) -> bytes:
    """Return text as a field body of ASCII: as it is, or as encoded words.

    One line; fold at its spaces. Control characters become spaces, so that no text
    starts another field.
    """
    text = CONTROLS.sub(" ", text)
    if text.isascii() and "=?" not in text:
        return text.encode("ascii")
    return encode_all(text)


def encode_all(text: str) -> bytes:
    """Return text as encoded words, needed or not."""
    return b" ".join(
        b"=?utf-8?b?" + binascii.b2a_base64(piece, newline=False) + b"?="
        for piece in _cut(text)
    )


def _cut(text: str) -> Iterator[bytes]:
    """Cut into pieces of UTF-8 that fit a word, at character borders (RFC 2047 §5)."""
    octets = text.encode("utf-8", "replace")
    start = 0
    while start < len(octets):
        end = min(start + _MOST, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        yield octets[start:end]
        start = end
