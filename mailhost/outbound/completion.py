"""What a submitted message lacks is added, and Bcc is taken out. RFC 6409 §8.."""

import re
import secrets
from datetime import datetime

from mailhost.mime import compose
from mailhost.mime.addresses import parse_addresses
from mailhost.mime.headers import block_end, first_fields, get_all, select
from mailhost.mime.limits import MAX_FIELDS, MAX_HEADER
from mailhost.mime.parameters import without_comments

_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_BARE = re.compile(rb"(?:(?<=[\s,;:])|\A)(?!=\?)[^\s<>,;:@]+@[^\s<>,;:@]+(?![^\s<,;])")
_RECEIVED = re.compile(rb"^Received[ \t]*:", re.IGNORECASE | re.MULTILINE)


# Bcc is nobody's business; Return-Path is final delivery's. RFC 5321 §4.4
_NOT_SENT = frozenset({b"bcc", b"resent-bcc", b"return-path"})


def complete(octets: bytes, *, host: str, now: datetime) -> bytes:
    """Return the message with Date and Message-ID, without Bcc and Return-Path.

    Octets that need none of this come back as they are.
    """
    end = block_end(octets, 0, len(octets))
    header = octets[:end]
    there = first_fields(header)
    added = b""
    if b"date" not in there:
        added += compose.date(now)
    if b"message-id" not in there:
        added += f"Message-ID: <{secrets.token_hex(16)}@{host}>\r\n".encode()
    if not _NOT_SENT.isdisjoint(there):
        header = select(header, _NOT_SENT, exclude=True)
    elif not added:
        return octets
    if not header.endswith(b"\n\r\n") and header not in {b"\r\n", b"\n"}:
        header += b"\r\n"  # what follows is body, though no blank line says so
    return added + header + octets[end:]


def authors(octets: bytes) -> list[str]:
    """Return the addresses of all fields that say who wrote, sent or sent again.

    From must be among them: who sends a message again is no reason to believe it.

    Empty for a message whose author cannot be told: no From, one that different
    readers would read differently, or a header longer than anybody reads.
    """
    header = octets[: block_end(octets, 0, len(octets))]
    if len(header) > MAX_HEADER or header.count(b"\n") > MAX_FIELDS:
        return []
    merged = (b"from", b"sender", b"resent-from", b"resent-sender")
    there = first_fields(header, merged=merged)
    values = [without_comments(_QUOTED.sub(b"", there.get(n, b""))) for n in merged]
    found = [parse_addresses(there.get(name, b"")) for name in merged]
    for plain, addresses in zip(values, found, strict=True):
        if plain.count(b"<") > len(addresses):
            return []
    if not found[0]:
        return []
    # An address that stands as a name is one to some readers: it must be theirs, too.
    bare = [one.decode("utf-8", "replace") for v in values for one in _BARE.findall(v)]
    return list(dict.fromkeys([a.addr for some in found for a in some] + bare))


def ignores_tls_policy(octets: bytes) -> bool:
    """Tell whether the message says TLS-Required: No. RFC 8689 §3."""
    start = octets[:MAX_HEADER]
    if b"equired" not in start and b"EQUIRED" not in start:
        return False  # nearly always, and at once
    header = octets[: block_end(octets, 0, len(octets))]
    return [v.strip().lower() for v in get_all(header, b"TLS-Required")] == [b"no"]


def hops(header: bytes) -> int:
    """Count how many hosts have passed the message on. RFC 5321 §6.3."""
    return len(_RECEIVED.findall(header))
