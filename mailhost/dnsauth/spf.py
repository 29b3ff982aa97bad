"""SPF: may this host send for this domain? RFC 7208, evaluated by pyspf.

pyspf is synchronous and asks DNS as it goes. Here it runs on the answers that are
known, in a thread; what it lacks is asked for, and it runs again: no thread waits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import spf as pyspf
from typing_extensions import override

from mailhost.dnsauth import work
from mailhost.dnsauth.resolver import Answer, Asks, NoAnswer

MOST_OCTETS = 4096  # of a record; RFC 7208 §3.4 wants it to fit a UDP packet
MOST_RUNS = 60
LONGEST = 253  # characters of a name
# Of what a name may answer; RFC 7208 §4.6.4 looks at ten of them.
MOST_RECORDS = 100


@dataclass(frozen=True, slots=True)
class Spf:
    """What the domain says of the host: a result of RFC 7208 §2.6."""

    result: str = "none"
    domain: str = ""  # that was asked
    identity: str = "mailfrom"  # or helo
    reason: str = ""


Known = dict[tuple[str, str], Answer | NoAnswer]


class _Missing(Exception):
    """An answer is not known yet."""


class _Query(pyspf.query):  # type: ignore[misc] # pyspf has no types
    """pyspf on answers that are given."""

    def __init__(
        self, peer: str, mail_from: str, helo: str, host: str, known: Known
    ) -> None:
        super().__init__(i=peer, s=mail_from, h=helo, receiver=host, strict=True)
        self.known = known
        self.missing: tuple[str, str] | None = None

    @override
    def dns(
        self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False
    ) -> list[Any]:
        wanted = str(name).rstrip(".").lower()
        if not all(0 < len(label) < 64 for label in wanted.split(".")):
            return []
        answer = self.known.get((wanted, qtype))
        if answer is None:
            # Kept, since pyspf swallows what goes wrong with an explanation.
            self.missing = (wanted, qtype)
            raise _Missing
        if isinstance(answer, NoAnswer):
            raise pyspf.TempError("DNS " + str(answer))
        found = _records(answer, qtype)
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > pyspf.MAX_VOID_LOOKUPS:  # RFC 7208 §4.6.4
                raise pyspf.PermError("Too many names that do not exist")
        return found


_READ: dict[str, Callable[[Answer], list[Any]]] = {
    "A": lambda a: a.addresses,
    "AAAA": lambda a: a.addresses,
    "PTR": lambda a: a.names,
    "MX": lambda a: a.exchanges,
    "TXT": lambda a: [(text,) for text in a.texts],
}


def _records(answer: Answer, kind: str) -> list[Any]:
    found = _READ[kind](answer)[:MOST_RECORDS] if kind in _READ else []
    if kind != "TXT":
        return found
    for (text,) in found:
        if len(text) > MOST_OCTETS and pyspf.RE_SPF.match(text):
            raise pyspf.PermError("The record is too long")
    return [row for row in found if len(row[0]) <= MOST_OCTETS]


async def check(peer: str, mail_from: str, helo: str, host: str, ask: Asks) -> Spf:
    """Return what the sender's domain says of this address; never raises.

    With the null sender the HELO name is asked. RFC 7208 §2.4.
    """
    identity = "mailfrom" if mail_from else "helo"
    domain = mail_from.rpartition("@")[2] if mail_from else helo
    domain = domain.rstrip(".").lower()
    is_name = domain.isascii() and not domain.startswith("[")
    if not (is_name and 0 < len(domain) <= LONGEST):
        return Spf("none", "", identity, "The name is no domain")
    known: Known = {}
    for _ in range(MOST_RUNS):
        done = await work.run(_evaluate, (peer, mail_from, helo, host), known)
        if isinstance(done, str):
            return Spf("permerror", domain, identity, done)
        if not isinstance(done[0], _Missed):
            return Spf(done[0], domain, identity, done[1])
        name, kind = done[0].wanted
        try:
            known[name, kind] = await ask(name, kind)
        except NoAnswer as error:
            known[name, kind] = error
    return Spf("permerror", domain, identity, "The record leads to too many others")


@dataclass(frozen=True, slots=True)
class _Missed:
    wanted: tuple[str, str]


def _evaluate(
    names: tuple[str, str, str, str], known: Known
) -> tuple[str | _Missed, str] | str:
    """Return result and reason, or what is missing; text alone is a fault of pyspf."""
    try:
        query = _Query(*names, known)
        return _result(query)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's record does to it
        return f"It cannot be evaluated ({type(error).__name__})"


def _result(query: _Query) -> tuple[str | _Missed, str]:
    try:
        result, _, reason = query.check()
    except _Missing:
        result, reason = "", ""
    if query.missing is not None:
        return _Missed(query.missing), ""
    return str(result), str(reason)
