"""Values as IMAP octets: strings, address lists, ENVELOPE. RFC 9051 §7.5.2 and §9.

A string is quoted when it is printable enough and short, else a literal. Header values
are given as they arrived, encoded words included (RFC 3501 §7.4.2); raw 8-bit octets
are legal in a literal only, since UTF8=ACCEPT may be off. NULs are dropped: no string
may hold one.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailhost.mime.addresses import Entry

# What a quoted string cannot hold as it is.                           RFC 9051 §9
_SPECIAL = re.compile(rb'["\\\x00\r\n\x80-\xff]')
_UNQUOTABLE = re.compile(rb"[\x00\r\n\x80-\xff]")
_ESCAPED = re.compile(rb'(["\\])')
# Octets of the longest quoted string; clients read lines into buffers.
_MAX_QUOTED = 4096

EMPTY_ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
GROUP_END = b"(NIL NIL NIL NIL)"


def string(octets: bytes) -> bytes:
    """Return a string: quoted if it can be, else a literal."""
    if len(octets) <= _MAX_QUOTED:
        if not _SPECIAL.search(octets):
            return b'"%b"' % octets
        octets = octets.replace(b"\0", b"")
        if not _UNQUOTABLE.search(octets):
            return b'"%b"' % _ESCAPED.sub(rb"\\\1", octets)
    octets = octets.replace(b"\0", b"")
    return b"{%d}\r\n%b" % (len(octets), octets)


def nstring(octets: bytes | None) -> bytes:
    """Return a string, or NIL for None."""
    return b"NIL" if octets is None else string(octets)


def string_list(values: Sequence[bytes]) -> bytes:
    """Return NIL, one string, or a list of strings: body-fld-lang."""
    if len(values) < 2:
        return string(values[0]) if values else b"NIL"
    return b"(" + b" ".join([string(value) for value in values]) + b")"


def address_list(entries: Sequence["Entry"]) -> bytes:
    """Return "(" 1*address ")" or NIL.

    A group is its name with a NIL host, its members, and all NIL. A missing host of a
    mailbox is "", which is not NIL, so that it opens no group.
    """
    if not entries:
        return b"NIL"
    return b"(" + b"".join([_address(entry) for entry in entries]) + b")"


def _address(entry: "Entry") -> bytes:
    if entry.host is None:
        if entry.mailbox is None:
            return GROUP_END
        return b"(NIL NIL " + string(entry.mailbox) + b" NIL)"
    return b"(%b %b %b %b)" % (
        string(entry.name) if entry.name else b"NIL",
        string(entry.route) if entry.route else b"NIL",
        string(entry.mailbox or b""),
        string(entry.host),
    )


def envelope(
    fields: Mapping[bytes, bytes], entries: Mapping[bytes, Sequence["Entry"]]
) -> bytes:
    """Return the ENVELOPE from unfolded fields and read addresses, by lower-case name.

    Sender and Reply-To default to From (RFC 3501 §7.4.2).
    """
    author = address_list(entries.get(b"from", ()))
    sender, reply_to = entries.get(b"sender"), entries.get(b"reply-to")
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        nstring(fields.get(b"date")),
        nstring(fields.get(b"subject")),
        author,
        address_list(sender) if sender else author,
        address_list(reply_to) if reply_to else author,
        address_list(entries.get(b"to", ())),
        address_list(entries.get(b"cc", ())),
        address_list(entries.get(b"bcc", ())),
        nstring(fields.get(b"in-reply-to")),
        nstring(fields.get(b"message-id")),
    )
