"""Octets in a named or unnamed charset to text.

Never raises. The text holds no NUL and no lone surrogate, so that every database
takes it.
"""

import re
from encodings.aliases import aliases
from functools import lru_cache

# Python's own codecs that are charsets of mail. No name that a sender wrote goes to
# `codecs.lookup`: it would import modules, and codecs like punycode are quadratic.
_NAMES = """
    ascii utf_8 utf_8_sig utf_7 utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le
    latin_1 iso8859_1 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7
    iso8859_8 iso8859_9 iso8859_10 iso8859_11 iso8859_13 iso8859_14 iso8859_15
    iso8859_16 cp037 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857
    cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950
    cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257
    cp1258 big5 big5hkscs euc_jp euc_jis_2004 euc_jisx0213 euc_kr gb2312 gbk gb18030 hz
    iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext
    iso2022_kr johab koi8_r koi8_t koi8_u kz1048 mac_cyrillic mac_greek mac_iceland
    mac_latin2 mac_roman mac_turkish ptcp154 shift_jis shift_jis_2004 shift_jisx0213
    tis_620
"""
_CODECS = frozenset(_NAMES.split())
# What senders mean by these names is the larger set (as in the WHATWG encoding table).
_MEANT = {
    "latin_1": "cp1252",
    "iso8859_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "ks_c_5601_1987": "cp949",
    "ks_c_5601": "cp949",
    "shift_jis": "cp932",
    "windows_31j": "cp932",
    "x_sjis": "cp932",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "utf8mb4": "utf_8",
    "unicode_1_1_utf_7": "utf_7",
    "utf_8": "utf_8",
}
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


def codec_of(charset: str) -> str:
    """Return the codec for a charset's name; "" for none, ASCII or an unknown one."""
    return _codec(charset[:64]) if charset else ""


@lru_cache(maxsize=512)
def _codec(charset: str) -> str:
    name = _SEPARATORS.sub("_", charset.lower()).strip("_")
    for prefix in ("", "x_"):
        key = name.removeprefix(prefix)
        if key.startswith("windows_") and key[8:].isdigit():
            key = "cp" + key[8:]
        codec = _MEANT.get(key) or aliases.get(key, key)
        codec = _MEANT.get(codec, codec)
        if codec in _CODECS:
            return "" if codec == "ascii" else codec
    return ""


def decode_text(octets: bytes, charset: str = "") -> str:
    """Decode octets; one that the charset lacks becomes U+FFFD."""
    codec = codec_of(charset)
    # Most charsets are supersets of ASCII; a few shift, or use wider units.
    if octets.isascii() and codec not in _NOT_ASCII:
        text = octets.decode("ascii")
        return text.replace("\0", "") if "\0" in text else text
    if not codec:
        return unlabelled(octets)
    text = octets.decode(codec, "replace").replace("\0", "")
    return _SURROGATES.sub("\ufffd", text) if codec == "utf_7" else text


_NOT_ASCII = frozenset(
    codec
    for codec in _CODECS
    if codec.startswith(("utf_7", "utf_16", "utf_32", "iso2022", "hz"))
    or codec in {"cp037", "cp424", "cp500", "cp875", "cp1026", "cp1140"}
)


def unlabelled(octets: bytes) -> str:
    """Decode octets of no known charset: UTF-8 if they are, else Windows-1252.

    RFC 6532 headers are UTF-8; older raw 8-bit mail is mostly Windows-1252, and what
    that leaves undefined reads as Latin-1.
    """
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = octets.decode("cp1252")
        except UnicodeDecodeError:
            text = octets.decode("latin-1")
    return text.replace("\0", "")
