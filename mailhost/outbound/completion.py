"""What a submitted message lacks is added, and Bcc is taken out. RFC 6409 §8."""

import re
import secrets
from datetime import datetime

from mailhost.mime import compose
from mailhost.mime.addresses import parse_addresses
from mailhost.mime.headers import block_end, first_fields, select
from mailhost.mime.limits import MAX_FIELDS, MAX_HEADER

_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_RECEIVED = re.compile(rb"^Received[ \t]*:", re.IGNORECASE | re.MULTILINE)


def complete(octets: bytes, *, host: str, now: datetime) -> bytes:
    """Return the message with Date and Message-ID, without Bcc.

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
    if b"bcc" in there:
        header = select(header, [b"bcc"], exclude=True)
    elif not added:
        return octets
    if not header.endswith(b"\n\r\n") and header not in {b"\r\n", b"\n"}:
        header += b"\r\n"  # what follows is body, though no blank line says so
    return added + header + octets[end:]


def authors(octets: bytes) -> list[str]:
    """Return the addresses of all From and Sender fields.

    Empty for a message whose author cannot be told: no From, one that different
    readers would read differently, or a header longer than anybody reads.
    """
    header = octets[: block_end(octets, 0, len(octets))]
    if len(header) > MAX_HEADER or header.count(b"\n") > MAX_FIELDS:
        return []
    merged = (b"from", b"sender")
    there = first_fields(header, merged=merged)
    found = [parse_addresses(there.get(name, b"")) for name in merged]
    for name, addresses in zip(merged, found, strict=True):
        if _QUOTED.sub(b"", there.get(name, b"")).count(b"<") > len(addresses):
            return []
    return [address.addr for some in found for address in some] if found[0] else []


def hops(header: bytes) -> int:
    """Count how many hosts have passed the message on. RFC 5321 §6.3."""
    return len(_RECEIVED.findall(header))
