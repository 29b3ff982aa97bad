"""Answers from a zone, with no server."""

from typing import Any

import dns.name

from mailhost.dnsauth.resolver import Answer, NoAnswer
from tests.world.dns import DROP, SERVFAIL, Values, Zone, rrset


class Zoned:
    """Answers from a zone, with no server."""

    def __init__(self, zone: Zone) -> None:
        self.zone = {name.lower().rstrip("."): rows for name, rows in zone.items()}
        self.asked = 0

    async def __call__(self, name: str, kind: str) -> Answer:
        self.asked += 1
        for _ in range(10):
            rows = self.zone.get(name.lower().rstrip("."))
            if rows is None:
                return Answer(exists=False)
            if isinstance(rows, str) or rows.get(kind) in (DROP, SERVFAIL):
                raise NoAnswer(name)
            if kind in rows or "CNAME" not in rows:
                return Answer(records(name, kind, rows.get(kind, ())))
            name = str(rows["CNAME"])
        return Answer()


def records(name: str, kind: str, values: Values) -> tuple[Any, ...]:
    if not values:
        return ()
    return tuple(rrset(dns.name.from_text(name), kind, values))
