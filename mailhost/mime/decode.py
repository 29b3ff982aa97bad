"""Bodies out of their transfer encoding and charset. RFC 2045 §6."""

import binascii
import re

from mailhost.mime import words
from mailhost.mime.charsets import codec_of, decode_text
from mailhost.mime.part import Part

UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\n]*\n", re.MULTILINE)
META_CHARSET = re.compile(
    rb"<meta\b[^<>]*?charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE
)
# Octets of HTML in which a charset is looked for, as browsers do.
_META = 1024


def decode_body(octets: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; an unknown one is none. Never raises."""
    name = encoding.strip().lower()
    if name == "base64":
        return words.from_base64(octets)
    if name == "quoted-printable":
        return binascii.a2b_qp(octets)
    if name in {"x-uuencode", "uuencode", "x-uue"}:
        return _from_uu(octets)
    return octets


def text_of(octets: bytes, part: Part) -> str:
    """Return the text of a part from its still encoded body; HTML stays HTML."""
    decoded = decode_body(octets, part.encoding)
    charset = dict(part.parameters).get("charset", "")
    if part.subtype == "html" and not codec_of(charset):
        meta = META_CHARSET.search(decoded[:_META])
        charset = meta[1].decode("ascii", "replace") if meta else charset
    return decode_text(decoded, charset)


def _from_uu(octets: bytes) -> bytes:
    """Decode the lines after "begin" up to "end"; a broken line is left out."""
    begin = UU_BEGIN.search(octets)
    if begin is None:
        return octets
    found: list[bytes] = []
    for line in octets[begin.end() :].splitlines():
        if line.strip() == b"end":
            break
        try:
            found.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(found)
