"""Header fields that are missing, doubled or wrong. RFC 5322 §3.6."""

from datetime import UTC, datetime, timedelta

from typing_extensions import override

from mailhost.dnsauth.dmarc import MOST_AUTHORS
from mailhost.dnsauth.work import run
from mailhost.mime.dates import parse_date
from mailhost.outbound.completion import authors
from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming

ONCE = (b"From", b"Sender", b"Reply-To", b"To", b"Subject", b"Date", b"Message-ID")
AHEAD = timedelta(days=2)


class Headers(Check):
    """Points for each fault; all reasons in one finding."""

    name = "headers"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        faults = await run(self._faults, incoming)
        if not faults:
            return None
        reason = "; ".join(text for _, text in faults)
        return self.found(sum(score for score, _ in faults), reason)

    def _faults(self, incoming: Incoming) -> list[tuple[float, str]]:
        faults = []
        fields = incoming.fields
        names = [a for a in authors(incoming.octets) if "@" in a]
        domains = {name.rpartition("@")[2].lower() for name in names} - {""}
        if not domains:
            faults.append((3.0, "It does not say who wrote it"))
        elif len(domains) > MOST_AUTHORS:
            faults.append((6.0, "It names authors of many domains"))
        if b"date" not in fields:
            faults.append((1.0, "It has no date"))
        elif _is_ahead(fields[b"date"]):
            faults.append((1.0, "Its date lies in the future"))
        if b"message-id" not in fields:
            faults.append((0.5, "It has no Message-ID"))
        doubled = [n.decode() for n in ONCE if len(incoming.all(n)) > 1]
        if doubled:
            faults.append((2.0, f"It has several {', '.join(doubled)}"))
        if b"\0" in incoming.header:
            faults.append((1.0, "Its header holds a NUL"))
        return faults


def _is_ahead(value: bytes) -> bool:
    when = parse_date(value)
    return when is not None and when > datetime.now(UTC) + AHEAD
