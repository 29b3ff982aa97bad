"""The charsets in which a client may write what it looks for. RFC 9051 §6.4.4."""

from mailhost.mime.charsets import codec_of
from protocols.imap.errors import Bad, No
from protocols.imap.parser import Parser, text

UTF8 = "utf-8"
ASCII = "ascii"
OURS = {"UTF-8": UTF8, "US-ASCII": ASCII, "ASCII": ASCII}
# What is told to a client that names another one; aliases of these are taken too.
NAMES = (
    "US-ASCII", "UTF-8", "UTF-16", "ISO-8859-1", "ISO-8859-2", "ISO-8859-5",
    "ISO-8859-7", "ISO-8859-9", "ISO-8859-15", "WINDOWS-1250", "WINDOWS-1251",
    "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "KOI8-R", "KOI8-U", "ISO-2022-JP",
    "SHIFT_JIS", "EUC-JP", "EUC-KR", "GB18030", "BIG5",
)  # fmt: skip


def charset(p: Parser) -> str:
    """Read a charset's name; return Python's. Raises No with BADCHARSET."""
    name = p.astring()
    codec = OURS.get(name.upper()) or codec_of(name)
    if not codec:
        raise No("This charset is not known", f"BADCHARSET ({' '.join(NAMES)})")
    return UTF8 if codec == "utf_8" else codec


def decoded(octets: bytes, codec: str) -> str:
    """Return a text of the search. Raises Bad for one not in the charset."""
    if codec == UTF8:
        return text(octets)
    try:
        found = octets.decode(codec)
        found.encode()  # UTF-7 can write half a character
    except UnicodeError:
        raise Bad("The text is not in its charset") from None
    if "\0" in found:
        raise Bad("A NUL is not allowed")
    return found
