"""What the server says, as the octets of whole lines."""

import re

QUOTABLE = re.compile(r'[^\r\n\x00"\\]*\Z')
# What an atom may not hold, and what would make it a list mark.  RFC 9051 §9
ASTRING_SAFE = re.compile(r'[^(){ \x00-\x1f\x7f-\U0010ffff%*"\\\]]+\Z')


def untagged(text: str) -> bytes:
    """`* text`, for example `* 4 EXISTS`."""
    return f"* {text}\r\n".encode()


def continues(text: str) -> bytes:
    """`+ text`: the client may go on. RFC 9051 §7.6."""
    return f"+ {text}\r\n".encode()


def done(tag: str, result: str, text: str, code: str = "") -> bytes:
    """The tagged end of a command: OK, NO or BAD. RFC 9051 §7.1."""
    return f"{tag} {result} {coded(text, code)}\r\n".encode()


def coded(text: str, code: str = "") -> str:
    """Text with a response code before it; the text is one line and never empty."""
    text = " ".join(text.split()) or "Done"
    return f"[{code}] {text}" if code else text


def quoted(text: str) -> str:
    """A quoted string; control characters that it cannot hold become spaces."""
    text = re.sub(r"[\r\n\x00]+", " ", text)
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def astring(text: str) -> str:
    """An atom where it can be one, else a quoted string."""
    if ASTRING_SAFE.match(text) and text.upper() != "NIL":
        return text
    return quoted(text)


def string(octets: bytes) -> bytes:
    """A literal."""
    return b"{%d}\r\n%b" % (len(octets), without_nul(octets))


def without_nul(octets: bytes) -> bytes:
    """Return what a literal may hold: 0x80 for each NUL (RFC 9051 §4.3).

    Of old mail some has NULs; BINARY tells them as they are.
    """
    return octets.replace(b"\0", b"\x80") if b"\0" in octets else octets
