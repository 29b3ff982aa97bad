"""What another server's POP3 called its messages, so that nobody downloads them again.

Three ways are common: Dovecot derives it from its list of UIDs, which may also name
one (P); Courier and others take the file's name; older ones wrote X-UIDL.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from mailhost.mime import headers

DOVECOT, FILENAME, HEADER = KINDS = ("dovecot", "filename", "header")
LEGAL = re.compile(r"[!-~]{1,70}")  # RFC 1939 §7
LIST = "dovecot-uidlist"
Reader: TypeAlias = Callable[[str, bytes], str]  # file name, octets -> UIDL or ""


def none(_name: str, _octets: bytes) -> str:
    """Return no UIDL: ours will do."""
    return ""


def reader(kind: str, folder: Path) -> Reader:
    """Return what finds the UIDL of each file of a Maildir folder."""
    if kind == DOVECOT and (folder / LIST).is_file():
        text = (folder / LIST).read_text("utf-8", "replace")
        return partial(_listed, of_dovecot(text))
    if kind == FILENAME:
        return _by_name
    return _in_file if kind == HEADER else none


def of_dovecot(text: str) -> dict[str, str]:
    """Read a dovecot-uidlist of version 3: {base name: UIDL}."""
    head, *lines = text.splitlines() or [""]
    validity = re.search(r" V(\d{1,10})\b", head)
    if not head.startswith("3 ") or validity is None:
        return {}
    found = {}
    for line in lines:
        numbers, _, name = line.partition(" :")
        uid, *more = numbers.split() or [""]
        named = next((word[1:] for word in more if word.startswith("P")), "")
        if uid.isdigit() and len(uid) <= 10:
            # Dovecot's default, pop3_uidl_format = %08Xu%08Xv
            found[_base(name)] = named or f"{int(uid):08x}{int(validity[1]):08x}"
    return {name: uidl for name, uidl in found.items() if LEGAL.fullmatch(uidl)}


def in_header(octets: bytes) -> str:
    """Return the X-UIDL field of a message."""
    header = octets[: headers.block_end(octets, 0, len(octets))]
    text = (headers.get(header, b"x-uidl") or b"").decode("ascii", "replace").strip()
    return text if LEGAL.fullmatch(text) else ""


def _base(name: str) -> str:
    return name.partition(":")[0]


def _listed(names: dict[str, str], name: str, _octets: bytes) -> str:
    return names.get(_base(name), "")


def _by_name(name: str, _octets: bytes) -> str:
    return _base(name) if LEGAL.fullmatch(_base(name)) else ""


def _in_file(_name: str, octets: bytes) -> str:
    return in_header(octets)
