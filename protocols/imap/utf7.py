"""Mailbox names in modified UTF-7. RFC 3501 §5.1.3."""

import binascii
import re

SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
OTHER = re.compile(r"[^\x20-\x7e]+")


def encode(name: str) -> str:
    """Write a name in printable ASCII."""
    return OTHER.sub(_shift, name.replace("&", "&-"))


def decode(name: str) -> str:
    """Read a name; raises ValueError for what is not modified UTF-7."""
    if "&" not in name:
        return name
    if "&" in SHIFTED.sub("", name):
        raise ValueError("an unfinished shift")
    return SHIFTED.sub(_unshift, name)


def _shift(match: re.Match[str]) -> str:
    octets = match[0].encode("utf-16-be", "surrogatepass")
    base64 = binascii.b2a_base64(octets, newline=False).rstrip(b"=")
    return "&" + base64.decode("ascii").replace("/", ",") + "-"


def _unshift(match: re.Match[str]) -> str:
    if not match[1]:
        return "&"
    digits = match[1].replace(",", "/")
    try:
        octets = binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
        return octets.decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not modified UTF-7") from error
