"""Ask DNS: one resolver of the process, a cache, and a budget for each message.

A name that does not exist is an answer; what cannot be known now is `NoAnswer`. Whoever
sends us a message can make us ask: the budget bounds how often, and how long.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.nameserver
import dns.resolver
from django.conf import settings

from mailhost.environment import endpoint

CACHED_ANSWERS = 20_000
QUERY_SECONDS = 5.0  # of one query, retries included


class NoAnswer(Exception):
    """DNS cannot say now: a time-out, a broken server, no resolver."""


class OverBudget(NoAnswer):
    """This message has asked enough."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of one type, as dnspython has them; none is an answer too."""

    records: tuple[Any, ...] = ()
    exists: bool = True  # False: NXDOMAIN
    authentic: bool = False  # AD: the resolver has validated it; who asks may trust it

    @property
    def texts(self) -> list[bytes]:
        """TXT records, the strings of each joined. RFC 7208 §3.3, RFC 6376 §3.6.2.2."""
        return [b"".join(record.strings) for record in self.records]

    @property
    def addresses(self) -> list[str]:
        """A or AAAA records."""
        return [str(record.address) for record in self.records]

    @property
    def names(self) -> list[str]:
        """PTR or CNAME records, without the final dot."""
        return [r.target.to_text(omit_final_dot=True).lower() for r in self.records]

    @property
    def exchanges(self) -> list[tuple[int, str]]:
        """MX records as (preference, host), best first; "" is the null MX."""
        return sorted(
            (r.preference, r.exchange.to_text(omit_final_dot=True).lower().strip("."))
            for r in self.records
        )


@dataclass(slots=True)
class Budget:
    """What one message may cost: queries, and seconds from now on."""

    queries: int
    seconds: float
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self._ends = time.monotonic() + self.seconds

    @property
    def seconds_left(self) -> float:
        """How long it may still take."""
        return self._ends - time.monotonic()

    def spend(self) -> float:
        """Count one query; return how long it may take. Raises OverBudget."""
        left = self.seconds_left
        if self.queries <= 0 or left <= 0:
            raise OverBudget("This message has asked DNS enough")
        self.queries -= 1
        return min(left, QUERY_SECONDS)


class Asks(Protocol):
    """Asks for the records of a name; raises NoAnswer."""

    async def __call__(self, name: str, kind: str) -> Answer:
        """Return the records of this type."""


# Opens a new budget of so many queries, all of which end at the same time.
Purse = Callable[[int], Asks]


class Resolver:
    """Asks the servers it was given; answers are kept as long as their TTL says."""

    def __init__(self, servers: list[str] | None = None) -> None:
        """Ask these servers (address or address:port; IPv6 in brackets).

        None: those that the machine is set up with.
        """
        self._resolver = _made(servers)
        self._resolver.cache = dns.resolver.LRUCache(CACHED_ANSWERS)

    async def ask(self, name: str, kind: str, budget: Budget | None = None) -> Answer:
        """Return the records of this type; raises NoAnswer, OverBudget.

        A name that no DNS could hold does not exist.
        """
        seconds = QUERY_SECONDS if budget is None else budget.spend()
        if not self._resolver.nameservers:
            raise NoAnswer("There is no resolver")
        try:
            found = await self._resolver.resolve(
                _absolute(name),
                kind,
                raise_on_no_answer=False,
                lifetime=seconds,
                search=False,
            )
        except dns.resolver.NXDOMAIN:
            return Answer(exists=False)
        except (dns.resolver.NoNameservers, dns.exception.Timeout, OSError) as error:
            raise NoAnswer(f"No answer from DNS about {name[:253]}") from error
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return Answer(exists=False)
        records = tuple(found.rrset) if found.rrset is not None else ()
        flags = found.response.flags
        return Answer(records, authentic=bool(flags & dns.flags.AD))

    def within(self, budget: Budget) -> Asks:
        """Return what asks on this budget."""

        async def ask(name: str, kind: str) -> Answer:
            return await self.ask(name, kind, budget)

        return ask

    def purse(self, seconds: float) -> Purse:
        """Return what opens budgets that end in so many seconds."""
        ends = time.monotonic() + seconds
        return lambda queries: self.within(Budget(queries, ends - time.monotonic()))

    def forget(self) -> None:
        """Empty the cache."""
        if self._resolver.cache is not None:
            self._resolver.cache.flush()


def _made(servers: list[str] | None) -> dns.asyncresolver.Resolver:
    if servers is None:
        try:
            made = dns.asyncresolver.Resolver()
        except dns.exception.DNSException:
            made = dns.asyncresolver.Resolver(configure=False)
    else:
        made = dns.asyncresolver.Resolver(configure=False)
        made.nameservers = [
            dns.nameserver.Do53Nameserver(*endpoint(server)) for server in servers
        ]
    # The AD bit is set only for who asks with it. RFC 6840 §5.7
    made.flags = dns.flags.RD | dns.flags.AD
    made.use_edns(0, 0, 1232)
    return made


def _absolute(name: str) -> str:
    return name if name.endswith(".") else name + "."


_shared: tuple[list[str] | None, Resolver] | None = None


def resolver() -> Resolver:
    """Return the resolver of this process, as MAILHOST_DNS_SERVERS says now."""
    global _shared  # noqa: PLW0603 - a cache of one
    said = settings.MAILHOST_DNS_SERVERS
    servers = None if not said else [] if said == ["none"] else list(said)
    if _shared is None or _shared[0] != servers:
        _shared = (servers, Resolver(servers))
    return _shared[1]


def forget() -> None:
    """Empty the cache of this process."""
    if _shared is not None:
        _shared[1].forget()
