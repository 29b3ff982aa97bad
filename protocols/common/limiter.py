"""Counts the connections of this process, in all, per address and per network."""

import ipaddress
import secrets
from collections import Counter
from dataclasses import dataclass, field

from mailhost.screening.networks import is_looked_at, network_of
from protocols.common.context import Slot

IPV6_PREFIX = 64  # one customer usually has a /64: all of it counts as one address


class TooManyConnections(Exception):
    """The limit that was reached, for the log."""


@dataclass(slots=True)
class Limiter:
    """Takes a connection in, or raises TooManyConnections."""

    most: int
    most_per_address: int
    most_per_network: int
    total: int = 0
    by_address: Counter[str] = field(default_factory=Counter)

    def take(self, peer: str) -> Slot:
        """Count one more from peer; the slot counts it out."""
        key = counted_as(peer)
        if self.total >= self.most:
            raise TooManyConnections(f"{self.total} in all")
        if self.by_address[key] >= self.most_per_address:
            raise TooManyConnections(f"{self.by_address[key]} from one address")
        network = f"in {network_of(peer)}" if is_looked_at(peer) else key
        if network != key and self.by_address[network] >= self.most_per_network:
            raise TooManyConnections(f"{self.by_address[network]} from one network")
        self.total += 1
        for counted in {key, network}:
            self.by_address[counted] += 1
        return Slot(lambda: self._release({key, network}))

    def _release(self, keys: set[str]) -> None:
        self.total -= 1
        for key in keys:
            self.by_address[key] -= 1
            if self.by_address[key] <= 0:
                del self.by_address[key]


def counted_as(peer: str) -> str:
    """Return what a peer is counted under: IPv4 whole, IPv6 by its /64."""
    try:
        ip = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, IPV6_PREFIX), strict=False))


def new_connection_id() -> str:
    """Return a random name for a connection, short enough for every log line."""
    return secrets.token_hex(5)
