"""DNS block lists: the peer's address is on one. RFC 5782."""

import asyncio
import ipaddress
import logging

from django.conf import settings
from typing_extensions import override

from mailhost.dnsauth.resolver import NoAnswer
from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming

log = logging.getLogger(__name__)

LISTED = ipaddress.ip_network("127.0.0.0/8")
# By which lists say that they do not answer us: no verdict on anybody.
ERRORS = ipaddress.ip_network("127.255.255.0/24")


class Dnsbl(Check):
    """The scores of all lists of MAILHOST_DNSBL that have the address."""

    name = "dnsbl"

    @override
    def is_on(self) -> bool:
        return bool(settings.MAILHOST_DNSBL)

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        scores: dict[str, float] = settings.MAILHOST_DNSBL
        name = reversed_name(incoming.peer)
        found = await asyncio.gather(
            *(self._is_listed(f"{name}.{zone}", incoming) for zone in scores)
        )
        lists = [zone for zone, listed in zip(scores, found, strict=True) if listed]
        if not lists:
            return None
        score = sum(scores[zone] for zone in lists)
        return self.found(score, f"The sending server is listed by {', '.join(lists)}")

    @staticmethod
    async def _is_listed(name: str, incoming: Incoming) -> bool:
        try:
            answer = await incoming.ask(name, "A")
        except NoAnswer:
            return False
        found = [ipaddress.ip_address(one) for one in answer.addresses]
        if any(one in ERRORS for one in found):
            log.warning("a block list refuses to answer us name=%s", name)
            return False
        return any(one in LISTED for one in found)


def reversed_name(peer: str) -> str:
    """Return the labels of an address, last first, as lists have them."""
    pointer = ipaddress.ip_address(peer).reverse_pointer
    return pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
