"""What sending asks DNS: on the one resolver of the process.

The AD bit (RFC 4035 §3.2.3) is believed only with MAILHOST_DNS_TRUSTED: it says what
the resolver found, and means nothing on a network that others can write to.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import dns.reversename
from django.conf import settings

from mailhost.dnsauth.resolver import Answer, NoAnswer, resolver

MOST_ADDRESSES = 4  # of one host and one family

__all__ = ["Found", "NoAnswer", "NoSuchName", "addresses", "find", "pointers", "texts"]


class NoSuchName(Exception):
    """The name does not exist."""


@dataclass(frozen=True, slots=True)
class Found:
    """Records of one name and type; none if it has none of this type."""

    rows: tuple[Any, ...] = ()
    is_secure: bool = False  # signed, as the trusted resolver says


async def find(name: str, kind: str) -> Found:
    """Return the records; raises NoSuchName, NoAnswer."""
    answer: Answer = await resolver().ask(name, kind)
    if not answer.exists:
        raise NoSuchName(name)
    trusted = settings.MAILHOST_DNS_TRUSTED
    return Found(answer.records, answer.authentic and trusted)


async def texts(name: str) -> list[str]:
    """Return the TXT records, joined; none for a name that does not exist."""
    found = await resolver().ask(name, "TXT")
    return [text.decode("utf-8", "replace") for text in found.texts]


async def addresses(name: str) -> tuple[list[str], bool]:
    """Return the addresses of a host, families in turn, and whether they are secure.

    Raises NoAnswer if nothing is known of either family.
    """
    found = await asyncio.gather(
        *(find(name, kind) for kind in ("AAAA", "A")), return_exceptions=True
    )
    answers = [one for one in found if isinstance(one, Found)]
    lists = [[str(row) for row in one.rows[:MOST_ADDRESSES]] for one in answers]
    most = max(map(len, lists), default=0)
    mixed = [some[n] for n in range(most) for some in lists if n < len(some)]
    lost = [one for one in found if isinstance(one, NoAnswer)]
    if lost and not mixed:
        raise lost[0]
    return mixed, bool(answers) and not lost and all(one.is_secure for one in answers)


async def pointers(address: str) -> list[str]:
    """Return the names that an address says it has."""
    name = dns.reversename.from_address(address).to_text()
    return (await resolver().ask(name, "PTR")).names
