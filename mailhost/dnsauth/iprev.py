"""Does the name of an address lead back to it? RFC 8601 §3 (also called FCrDNS)."""

import ipaddress
from dataclasses import dataclass

from mailhost.dnsauth.resolver import Asks, NoAnswer

MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Iprev:
    """A result of RFC 8601 §2.7.3: pass, fail, temperror, permerror (no name)."""

    result: str = "permerror"
    name: str = ""  # that leads back, else the first
    reason: str = ""


async def check(peer: str, ask: Asks) -> Iprev:
    """Return what DNS says of an address; never raises."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return Iprev(reason="There is no address")
    try:
        names = (await ask(address.reverse_pointer, "PTR")).names[:MOST_NAMES]
        if not names:
            return Iprev(reason="The address has no name")
        kind = "A" if address.version == 4 else "AAAA"
        for name in names:
            found = (await ask(name, kind)).addresses
            if address in {ipaddress.ip_address(one) for one in found}:
                return Iprev("pass", name)
    except NoAnswer as error:
        return Iprev("temperror", reason=str(error))
    return Iprev("fail", names[0], "The name does not lead back to the address")
