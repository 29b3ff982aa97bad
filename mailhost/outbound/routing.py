"""Which hosts take the mail of a domain, best first. RFC 5321 §5.1.

MX by preference; without MX the domain itself; a null MX (RFC 7505) takes none. With
a smarthost everything goes there.
"""

import asyncio
import ipaddress
import random
import socket
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import dns.asyncresolver
import dns.exception
import dns.resolver
from django.conf import settings

MOST_HOSTS = 10  # of one domain; RFC 5321 §5.1 wants at least two tried
DNS_SECONDS = 20.0


class Unroutable(Exception):
    """There is no way now (4.x.x) or never (5.x.x)."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Hop:
    """A host to try, and how."""

    host: str
    addresses: tuple[str, ...]
    port: int
    implicit_tls: bool = False
    login: str = ""
    password: str = ""


async def hops(domain: str) -> list[Hop]:
    """Return the hosts to try for a domain; raises Unroutable."""
    if settings.MAILHOST_SMARTHOST:
        return [await _smarthost(settings.MAILHOST_SMARTHOST)]
    if domain.startswith("["):
        names = [domain[1:-1].removeprefix("IPv6:")]  # RFC 5321 §4.1.3
    else:
        names = await exchanges(domain)
    found = [hop for name in names[:MOST_HOSTS] if (hop := await _direct(name))]
    if not found:
        raise Unroutable(
            "5.4.4", f"No host that takes mail for {domain} has an address"
        )
    return found


async def exchanges(domain: str) -> list[str]:
    """Return the names of a domain's MX hosts by preference, or the domain."""
    try:
        answer = await dns.asyncresolver.resolve(domain, "MX", lifetime=DNS_SECONDS)
    except dns.resolver.NoAnswer:
        return [domain]
    except dns.resolver.NXDOMAIN:
        raise Unroutable("5.1.2", f"The domain {domain} does not exist") from None
    except dns.exception.DNSException as error:
        raise Unroutable("4.4.3", f"No answer from DNS about {domain}") from error
    rows = [(row.preference, random.random(), str(row.exchange)) for row in answer]  # noqa: S311
    names = [name.rstrip(".") for _, _, name in sorted(rows)]
    if not any(names):
        raise Unroutable("5.1.10", f"The domain {domain} takes no mail")
    return [name for name in names if name]


async def _direct(name: str) -> Hop | None:
    addresses = [a for a in await addresses_of(name) if may_be_sent_to(a)]
    if not addresses:
        return None
    return Hop(name, tuple(addresses), settings.MAILHOST_OUTBOUND_PORT)


async def _smarthost(url: str) -> Hop:
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    host = parts.hostname or "localhost"
    addresses = await addresses_of(host)
    if not addresses:
        raise Unroutable("4.4.3", "The smarthost has no address")
    return Hop(
        host=host,
        addresses=tuple(addresses),
        port=parts.port or (465 if tls else 587),
        implicit_tls=tls,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


async def addresses_of(name: str) -> list[str]:
    """Return the IP addresses of a host; none if it has none."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(DNS_SECONDS):
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Unroutable("4.4.3", f"No answer from DNS about {name}") from error
        return []
    except (TimeoutError, UnicodeError) as error:
        raise Unroutable("4.4.3", f"No answer from DNS about {name}") from error
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def may_be_sent_to(address: str) -> bool:
    """Tell whether an address is outside: a name somebody made up must not lead in."""
    if settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK:
        return True
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast
