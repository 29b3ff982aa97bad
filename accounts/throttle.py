"""Failed logins slow down the next ones: rows that all processes and hosts share.

Counted for an address and a login together, for an address, for its network, and for a
login from everywhere. Over its allowance each failure doubles the time until the next
password is looked at. What waits is the guess, never the user: app passwords and tokens
are not slowed, nor is who comes from an address they logged in from before.

This machine itself is not counted: a proxy on it stands for everybody.
"""

import hashlib
import ipaddress
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import connection, transaction

from accounts.afterwards import later
from accounts.models import LoginFailures

Kind = LoginFailures.Kind
# In MAILHOST_LOGIN_FAILURES: an office behind one address has more people than one.
ALLOWANCES = {Kind.PAIR: 1, Kind.ADDRESS: 5, Kind.NETWORK: 25, Kind.ACCOUNT: 5}
STARTS_OVER = timedelta(hours=1)
LONGEST_WAIT_SECONDS = 900.0
MOST_WAITING = 100_000  # keys not written yet; beyond, the oldest are dropped

ROWS = """
    SELECT key, failures, last_at, wait_until FROM accounts_loginfailures
    WHERE key IN (%s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Key:
    """What is counted together."""

    kind: LoginFailures.Kind
    address: str
    login: str

    @property
    def digest(self) -> str:
        """How the row is found."""
        text = f"{self.kind}\0{self.address}\0{self.login}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def allowance(self) -> int:
        """Failures that cost nothing."""
        return int(settings.MAILHOST_LOGIN_FAILURES) * ALLOWANCES[self.kind]


@dataclass(slots=True)
class Count:
    """Failures so far, and until when to wait."""

    failures: int
    last_at: datetime
    wait_until: datetime

    def add(self, allowance: int, now: datetime, failures: int = 1) -> None:
        """Count failures; a long quiet starts over."""
        if now - self.last_at > STARTS_OVER:
            self.failures = 0
        self.failures += failures
        self.last_at = now
        if self.failures >= allowance:
            self.wait_until = now + _wait(self.failures - allowance)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the next guess has to wait, and whether only for the account's sake."""

    seconds: float = 0.0
    account_only: bool = False
    pair: bool = False  # there are failures to be forgiven


class Failures:
    """What this process has counted and not written yet, over the rows of all."""

    def __init__(self) -> None:
        """Count from what the rows say."""
        self._lock = threading.Lock()
        self._new: dict[Key, Count] = {}

    def look(self, address: str, login: str) -> Wait:
        """Return how long to wait before a password from there is looked at. Reads."""
        keys = keys_of(address, login)
        if not keys:
            return Wait()
        now = datetime.now(UTC)
        rows = _rows(keys)
        waits: dict[LoginFailures.Kind, float] = {}
        for key in keys:
            new, row = self._new.get(key), rows.get(key)
            untils = [c.wait_until for c in (new, row) if c is not None]
            if untils:
                waits[key.kind] = (max(untils) - now).total_seconds()
        longest = max(waits.values(), default=0.0)
        others = max((s for k, s in waits.items() if k != Kind.ACCOUNT), default=0.0)
        return Wait(max(longest, 0.0), others <= 0 < longest, Kind.PAIR in waits)

    def claim(self, address: str, login: str) -> bool:
        """Take the one guess that is due where guesses are slowed; False: it is taken.

        Writes, where something is over its allowance, and only there.
        """
        now = datetime.now(UTC)
        keys = keys_of(address, login)
        for key, row in _rows(keys).items():
            if row.failures < key.allowance or now - row.last_at > STARTS_OVER:
                continue
            until = now + _wait(row.failures - key.allowance)
            taken = LoginFailures.objects.filter(
                key=key.digest, wait_until=row.wait_until
            ).update(wait_until=until)
            if not taken:
                return False
        return True

    def note(self, address: str, login: str) -> None:
        """Count a failure. login "": it is not known whose."""
        keys = keys_of(address, login)
        if not keys:
            return
        now, rows = datetime.now(UTC), _rows(keys)
        with self._lock:
            for key in keys:
                count = self._new.get(key) or Count(0, now, now)
                row = rows.get(key)
                fresh = row is not None and now - row.last_at <= STARTS_OVER
                before = row.failures if row is not None and fresh else 0
                count.add(key.allowance - before, now)
                self._new[key] = count
            while len(self._new) > MOST_WAITING:
                del self._new[next(iter(self._new))]
        later("failures", self.write)

    def forgive(self, address: str, login: str) -> None:
        """Forget the failures of a login that has succeeded from there, a bit later."""
        for key in keys_of(address, login):
            if key.kind == Kind.PAIR:
                with self._lock:
                    self._new.pop(key, None)
                later(f"forgive {key.digest}", partial(lift, key.digest))

    def write(self) -> None:
        """Add what was counted to the rows."""
        with self._lock:
            new, self._new = self._new, {}
        with transaction.atomic():
            for key, count in sorted(new.items(), key=lambda item: item[0].digest):
                _add(key, count)

    def clear(self) -> None:
        """Forget what is not written."""
        with self._lock:
            self._new.clear()


def lift(digest: str) -> None:
    """Forget what was counted under a key."""
    LoginFailures.objects.filter(key=digest).delete()


def _add(key: Key, new: Count) -> None:
    row, _ = LoginFailures.objects.select_for_update().get_or_create(
        key=key.digest,
        defaults={
            "kind": key.kind,
            "address": key.address,
            # A password typed in the wrong field is not kept.
            "login": key.login[:320] if "@" in key.login else "",
            "last_at": new.last_at,
            "wait_until": new.last_at,
        },
    )
    count = Count(row.failures, row.last_at, row.wait_until)
    count.add(key.allowance, new.last_at, new.failures)
    row.failures, row.last_at, row.wait_until = (
        count.failures, count.last_at, max(count.wait_until, new.wait_until)
    )  # fmt: skip
    row.save(update_fields=["failures", "last_at", "wait_until"])


def _wait(over: int) -> timedelta:
    return timedelta(seconds=min(2.0 ** min(over, 20), LONGEST_WAIT_SECONDS))


def _rows(keys: list[Key]) -> dict[Key, Count]:
    if not keys:
        return {}
    by_digest = {key.digest: key for key in keys}
    digests = (list(by_digest) * 4)[:4]
    with connection.cursor() as cursor:
        cursor.execute(ROWS, digests)
        return {
            by_digest[digest]: Count(failures, _aware(last), _aware(until))
            for digest, failures, last, until in cursor.fetchall()
        }


def _aware(value: datetime | str) -> datetime:
    """Read what the engine gives for a time: SQLite's is text, in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def keys_of(address: str, login: str) -> list[Key]:
    """Return what a failure counts for; nothing for this machine."""
    unit, network = network_of(address), wide_network_of(address)
    if not unit or not settings.MAILHOST_LOGIN_FAILURES:
        return []
    keys = [Key(Kind.ADDRESS, unit, ""), Key(Kind.NETWORK, network, "")]
    if login:
        keys += [Key(Kind.PAIR, unit, login), Key(Kind.ACCOUNT, "", login)]
    return keys


def network_of(address: str) -> str:
    """Return what one household holds: an IPv4 address, an IPv6 /64; "" for us."""
    return _network(address, 32, 64)


def wide_network_of(address: str) -> str:
    """Return what one provider's customer may hold: an IPv4 /24, an IPv6 /48."""
    return _network(address, 24, 48)


def _network(address: str, four: int, six: int) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        return ""
    if ip.version == 4 and four == 32:
        return str(ip)
    width = four if ip.version == 4 else six
    return str(ipaddress.ip_network((int(ip), width), strict=False))


def prune() -> None:
    """Forget what has started over."""
    LoginFailures.objects.filter(last_at__lt=datetime.now(UTC) - STARTS_OVER).delete()


failures = Failures()
