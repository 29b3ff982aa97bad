"""HELO: what the peer calls itself cannot be. RFC 5321 §4.1.4."""

import ipaddress

from typing_extensions import override

from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming


class Helo(Check):
    """Points only: RFC 5321 §4.1.4 refuses nobody for a name not verified."""

    name = "helo"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        helo = incoming.helo.strip().lower().rstrip(".")
        if helo == incoming.host.lower():
            return self.found(5.0, "The sending server says it is this one")
        if helo.startswith("["):
            return self._literal(helo, incoming.peer)
        if is_address(helo):
            return self.found(1.5, "The sending server names itself by a bare address")
        if "." not in helo:
            return self.found(1.5, "The sending server does not say its full name")
        for kind in ("A", "AAAA", "MX"):
            if (await incoming.ask(helo, kind)).records:
                return None
        return self.found(1.0, "The sending server's name does not exist")

    def _literal(self, helo: str, peer: str) -> Finding | None:
        text = helo.strip("[]").removeprefix("ipv6:")
        if is_address(text) and ipaddress.ip_address(text) == ipaddress.ip_address(
            peer
        ):
            return None
        return self.found(2.0, "The sending server says an address that is not its own")


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
