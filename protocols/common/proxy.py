"""The PROXY protocol, versions 1 and 2: who is behind a proxy. Sans-IO.

haproxy.org/download/1.8/doc/proxy-protocol.txt §2. `parse` is shown what has arrived so
far; nothing is consumed, and the answer says how many octets the header took.
"""

import ipaddress
import struct
from dataclasses import dataclass

SIGNATURE_2 = b"\r\n\r\n\x00\r\nQUIT\n"
SIGNATURE_1 = b"PROXY "
MAX_1 = 107  # octets, CRLF included; §2.1
MAX_2 = 1024  # octets; TLVs beyond that nobody sends
ADDRESSES = {0x11: ("!4s4sHH", 12), 0x21: ("!16s16sHH", 36)}  # over TCP; §2.2


class BadProxyHeader(Exception):
    """It starts like a PROXY header and is none."""


@dataclass(frozen=True, slots=True)
class Header:
    """Its length in octets, and the client's address; None: the proxy itself."""

    length: int
    address: str | None
    port: int = 0


@dataclass(frozen=True, slots=True)
class NoHeader:
    """What arrived is not the beginning of a PROXY header."""


def parse(octets: bytes) -> Header | NoHeader | None:
    """Read the header at the start of octets; None: it is not whole yet.

    Raises BadProxyHeader.
    """
    for signature, read in ((SIGNATURE_1, _version_1), (SIGNATURE_2, _version_2)):
        start = octets[: len(signature)]
        if signature.startswith(start):
            return read(octets) if start == signature else None
    return NoHeader()


def _version_1(octets: bytes) -> Header | None:
    end = octets.find(b"\r\n", 0, MAX_1)
    if end < 0:
        if len(octets) >= MAX_1:
            raise BadProxyHeader("the line is too long")
        return None
    words = octets[:end].decode("latin-1").split(" ")
    if words[1] == "UNKNOWN":
        return Header(end + 2, None)
    if len(words) != 6 or words[1] not in {"TCP4", "TCP6"}:
        raise BadProxyHeader("not of the form PROXY TCP4 source target port port")
    return Header(end + 2, _address(words[2], int(words[1][3])), _port(words[4]))


def _version_2(octets: bytes) -> Header | None:
    if len(octets) < 16:
        return None
    command, family, length = struct.unpack_from("!BBH", octets, 12)
    if command not in {0x20, 0x21} or 16 + length > MAX_2:
        raise BadProxyHeader("unknown command, or too long")
    if len(octets) < 16 + length:
        return None
    shape = ADDRESSES.get(family)
    if command == 0x20 or shape is None:  # LOCAL, or no TCP: the proxy's own address
        return Header(16 + length, None)
    if length < shape[1]:
        raise BadProxyHeader("too short for its addresses")
    source, _, port, _ = struct.unpack_from(shape[0], octets, 16)
    return Header(16 + length, _plain(ipaddress.ip_address(source)), port)


def _address(text: str, version: int) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise BadProxyHeader("not an address") from None
    if address.version != version:
        raise BadProxyHeader("an address of the other family")
    return _plain(address)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise BadProxyHeader("not a port")
    return int(text)
