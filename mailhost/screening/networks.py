"""Whose mail is looked at, and what counts as one neighbourhood."""

import ipaddress
from functools import lru_cache

from django.conf import settings

IPV4_PREFIX, IPV6_PREFIX = 24, 48


def is_looked_at(peer: str) -> bool:
    """Tell whether mail from this address is checked and counted.

    What comes by a Unix socket is not.
    """
    return bool(peer) and not _is_within(
        peer, tuple(settings.MAILHOST_UNCHECKED_NETWORKS)
    )


@lru_cache(4096)
def _is_within(peer: str, networks: tuple[str, ...]) -> bool:
    try:
        ip = _plain(peer)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(one) for one in networks)


def network_of(peer: str) -> str:
    """Return the neighbourhood of an address: IPv4 /24, IPv6 /48; itself if neither."""
    try:
        ip = _plain(peer)
    except ValueError:
        return peer
    prefix = IPV4_PREFIX if ip.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((ip, prefix), strict=False))


def _plain(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(peer.partition("%")[0])
    return getattr(ip, "ipv4_mapped", None) or ip
