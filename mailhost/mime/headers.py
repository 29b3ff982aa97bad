"""The header block: where it ends, and its fields. RFC 5322 §2.2.

A line ends at LF; the CR before it, where there is one, belongs to the line end. A
bare CR is an ordinary octet. Blocks are bytes and stay as they arrived.
"""

import re
from collections.abc import Callable, Collection

from mailhost.mime.limits import MAX_FIELDS, MAX_HEADER

# field-name = 1*ftext (%d33-57 / %d59-126), then ":"; RFC 5322 §2.2 and §4.5 (space
# before the colon). The value runs on over lines that begin with white space.
_NAME = rb"[!-9;-~]++[ \t]*+:"
_VALUE = rb"[^\n]*+(?:\n[ \t][^\n]*+)*+"
FIELD = re.compile(rb"\n([!-9;-~]++)[ \t]*+:(" + _VALUE + rb")")
WHOLE_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:(" + _VALUE + rb")")
# mbox files begin messages with a line that is no field.
BLOCK = re.compile(
    rb"(?:>?From [^\n]*+(?:\n|\Z))?+(?:" + _NAME + _VALUE + rb"(?:\n|\Z))*+"
)
BLANK = re.compile(rb"\r*+\n")
FOLD = re.compile(rb"(?<!\r)\r*+\n(?=[ \t])")


def block_end(octets: bytes, start: int, end: int) -> int:
    """Return where the header block that begins at start ends, blank line included.

    The first line that is no field ends it too, blank or not: what follows a missing
    blank line is body, as Postfix and the standard library read it.
    """
    match = BLOCK.match(octets, start, end)
    stop = match.end() if match else start
    blank = BLANK.match(octets, stop, end)
    return blank.end() if blank else stop


def fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields in order: name as written, value still folded, no line end."""
    return [(name, _chomp(value)) for name, value in FIELD.findall(b"\n" + header)]


def first_fields(header: bytes, merged: Collection[bytes] = ()) -> dict[bytes, bytes]:
    """Return unfolded values by lower-case name: the first of each name.

    Fields named in `merged` (lower case) are joined with commas instead: RFC 5322
    §4.5.3 reads several destination fields as one list.
    """
    found: dict[bytes, bytes] = {}
    again: dict[bytes, list[bytes]] = {}
    for name, value in FIELD.findall(b"\n" + header[:MAX_HEADER])[:MAX_FIELDS]:
        key = name.lower()
        if key not in found:
            found[key] = value
        elif key in merged:
            again.setdefault(key, []).append(unfold(value))
    for key, values in again.items():
        found[key] = b",".join([unfold(found[key]), *values])
    return found


def unfold(value: bytes) -> bytes:
    """Join a folded value into one line without the space around it.

    RFC 5322 §2.2.3: the line ends go, the white space stays.
    """
    if b"\n" in value:
        value = FOLD.sub(b"", value).replace(b"\n", b" ")
    value = value.strip(b" \t\r")
    return value.replace(b"\r", b" ") if b"\r" in value else value


def get(header: bytes, name: bytes) -> bytes | None:
    """Return the first field's unfolded value; None if the header has none."""
    wanted = name.lower()
    for found, value in FIELD.findall(b"\n" + header):
        if found.lower() == wanted:
            return unfold(value)
    return None


def get_all(header: bytes, name: bytes) -> list[bytes]:
    """Return the unfolded values of all the fields of that name, in order."""
    wanted = name.lower()
    return [
        unfold(value)
        for found, value in FIELD.findall(b"\n" + header)
        if found.lower() == wanted
    ]


def select(header: bytes, names: Collection[bytes], *, exclude: bool = False) -> bytes:
    """Return the fields of these names as they arrived, and a final CRLF.

    `names` are in any case; `exclude` returns the others: HEADER.FIELDS and
    HEADER.FIELDS.NOT of RFC 9051 §6.4.5.1. For many headers take `selector`.
    """
    return selector(names, exclude=exclude)(header)


def selector(
    names: Collection[bytes], *, exclude: bool = False
) -> Callable[[bytes], bytes]:
    """Return `select` for these names, made once and fast."""
    pattern = _pattern(frozenset(name.lower() for name in names), exclude=exclude)

    def selected(header: bytes) -> bytes:
        found = pattern.findall(b"\n" + header)
        if not found:
            return b"\r\n"
        return b"\n".join(found) + b"\n\r\n"

    return selected


def _pattern(names: Collection[bytes], *, exclude: bool) -> re.Pattern[bytes]:
    either = b"|".join(re.escape(name) for name in sorted(names)) or rb"(?!)"
    named = rb"(?:" + either + rb")[ \t]*+:"
    if exclude:
        named = rb"(?!" + named + rb")" + _NAME
    return re.compile(rb"\n(" + named + _VALUE + rb")", re.IGNORECASE)


def _chomp(value: bytes) -> bytes:
    return value[:-1] if value[-1:] == b"\r" else value
