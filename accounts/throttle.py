"""Failed logins are counted per address, and per address and login, by each process.

Who is over the limit is refused before a password is looked at, right or wrong, until
the window ends. This machine itself is not counted: a proxy on it stands for everybody.
"""

import ipaddress
import threading
import time

from django.conf import settings

WINDOW_SECONDS = 600.0
LOGINS_AN_ADDRESS = 5  # an office behind one address has more people than a person
MOST_KEYS = 100_000
Key = tuple[str, str]


class Failures:
    """Counts that start over when their window ends; bounded in number."""

    def __init__(self) -> None:
        """Count from nothing."""
        self._lock = threading.Lock()
        self._counts: dict[Key, tuple[int, float]] = {}

    def blocked(self, address: str, login: str) -> bool:
        """Tell whether this address is over its limit, for this login or for all."""
        limit = settings.MAILHOST_LOGIN_FAILURES
        network = network_of(address)
        if not limit or not network:
            return False
        return (
            self._count((network, login)) >= limit
            or self._count((network, "")) >= limit * LOGINS_AN_ADDRESS
        )

    def note(self, address: str, login: str) -> None:
        """Count a failure."""
        network = network_of(address)
        if not network:
            return
        now = time.monotonic()
        with self._lock:
            if len(self._counts) >= MOST_KEYS:
                self._forget_old(now)
            for key in ((network, login), (network, "")):
                count, until = self._counts.get(key, (0, 0.0))
                fresh = until <= now
                self._counts[key] = (
                    (1, now + WINDOW_SECONDS) if fresh else (count + 1, until)
                )

    def forgive(self, address: str, login: str) -> None:
        """Forget the failures of a login that has succeeded from there."""
        with self._lock:
            self._counts.pop((network_of(address), login), None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()

    def _count(self, key: Key) -> int:
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > time.monotonic() else 0

    def _forget_old(self, now: float) -> None:
        kept = {k: v for k, v in self._counts.items() if v[1] > now}
        self._counts = kept if len(kept) < MOST_KEYS else {}


def network_of(address: str) -> str:
    """Return what one household holds: an IPv4 address, an IPv6 /64; "" for us."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        return ""
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.IPv6Network((int(ip), 64), strict=False))


failures = Failures()
