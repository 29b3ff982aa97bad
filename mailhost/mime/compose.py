"""Header lines for writing: folded, and safe from what a value brings along."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mailhost.mime import words
from mailhost.mime.addresses import Address

# RFC 5322 §2.1.1: lines should hold 78 octets and must not hold more than 998.
FOLD_AT, MAX_LINE = 78, 998
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")  # a phrase without quotes
DOT_ATOM = re.compile(
    r"[^\s\x00-\x20\x7f()<>@,;:\\\".\[\]]+(?:\.[^\s\x00-\x20\x7f()<>@,;:\\\".\[\]]+)*"
)
NOT_HOST = re.compile(r"[\s\x00-\x20\x7f()<>@,;\\\"]+")
NOT_ID = re.compile(r"[\s\x00-\x20\x7f<>]+")
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
# Octets of one section of a continued parameter before encoding.
_SECTION = 40


def field(name: str, body: bytes) -> bytes:
    """Return a field folded at its spaces, with CRLF. Raises ValueError on a bad name.

    No octet of the body starts another line.
    """
    if not FIELD_NAME.fullmatch(name):
        raise ValueError(f"Not a field name: {name!r}")
    body = re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]+", b" ", body)
    lines: list[bytes] = []
    line = name.encode("ascii") + b":"
    for token in _tokens(body):
        is_start = line[-1:] == b":" and not lines
        if len(line) + 1 + len(token) > FOLD_AT and not is_start:
            lines.append(line)
            line = b""
        line += b" " + token
    lines.append(line)
    return b"\r\n".join(lines) + b"\r\n"


def _tokens(body: bytes) -> Iterable[bytes]:
    """Yield what stands between spaces, cut where a line could get too long."""
    for token in body.split():
        for start in range(0, len(token), MAX_LINE - 2):
            yield token[start : start + MAX_LINE - 2]


def text(name: str, value: str) -> bytes:
    """Return an unstructured field, as encoded words where it needs them."""
    value = words.CONTROLS.sub(" ", value)
    # A word too long for a line can only be cut as encoded words.
    longest = max(map(len, value.split()), default=0)
    body = words.encode(value) if longest < MAX_LINE // 2 else words.encode_all(value)
    return field(name, body)


def addresses(name: str, people: Sequence[Address]) -> bytes:
    """Return an address field."""
    return field(name, b", ".join(mailbox(person) for person in people))


def mailbox(person: Address) -> bytes:
    """Return `Name <local@host>` with the name quoted or encoded. RFC 5322 §3.4.

    A local part outside of ASCII stays UTF-8 (RFC 6532).
    """
    local = words.CONTROLS.sub("", person.mailbox)
    if not DOT_ATOM.fullmatch(local):
        local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    host = NOT_HOST.sub("", person.host)
    spec = (f"{local}@{host}" if host else local).encode("utf-8", "replace")
    name = words.CONTROLS.sub(" ", person.name).strip()
    return phrase(name) + b" <" + spec + b">" if name else spec


def phrase(name: str) -> bytes:
    """Return a display name as atoms, a quoted string or encoded words."""
    if not name.isascii() or "=?" in name or len(name) > MAX_LINE // 2:
        return words.encode_all(name)
    if ATOMS.fullmatch(name):
        return name.encode("ascii")
    return b'"' + re.sub(r'(["\\])', r"\\\1", name).encode("ascii") + b'"'


def message_ids(name: str, ids: Sequence[str]) -> bytes:
    """Return a field of message-ids, written without <>; b"" if there are none."""
    clean = [NOT_ID.sub("", id_)[: MAX_LINE - 4] for id_ in ids]
    body = b" ".join(f"<{id_}>".encode("utf-8", "replace") for id_ in clean if id_)
    return field(name, body) if body else b""


def date(when: datetime) -> bytes:
    """Return the Date field; a time without a zone is UTC of unknown zone, -0000."""
    offset = when.utcoffset()
    minutes = int((offset or timedelta()).total_seconds()) // 60
    sign = "-" if minutes < 0 or offset is None else "+"
    zone = f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    day = f"{_DAYS[when.weekday()]}, {when.day} {_MONTHS[when.month - 1]}"
    return field("Date", f"{day} {when.year:04} {when:%H:%M:%S} {zone}".encode("ascii"))


def parameter(name: str, value: str) -> bytes:
    """Return `name=value`, quoted, or encoded in sections by RFC 2231 §4.1."""
    value = words.CONTROLS.sub(" ", value)
    key = name.encode("ascii")
    if value.isascii() and len(value) <= 2 * _SECTION:
        quoted = re.sub(r'(["\\])', r"\\\1", value).encode("ascii")
        return key + b'="' + quoted + b'"'
    octets = value.encode("utf-8", "replace")
    sections = [
        b"".join(_percent(octet) for octet in octets[start : start + _SECTION // 2])
        for start in range(0, len(octets), _SECTION // 2)
    ]
    if len(sections) == 1:
        return key + b"*=utf-8''" + sections[0]
    return b"; ".join(
        b"%b*%d*=%b%b" % (key, number, b"" if number else b"utf-8''", section)
        for number, section in enumerate(sections)
    )


def _percent(octet: int) -> bytes:
    character = bytes((octet,))
    is_plain = character.isalnum() or character in b"-._~"
    return character if is_plain else b"%%%02X" % octet
