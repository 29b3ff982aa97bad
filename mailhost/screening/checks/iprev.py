"""iprev: the peer has no name, or one that does not lead back. RFC 8601 §3."""

from typing_extensions import override

from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming


class Iprev(Check):
    """Points, no dogma: some honest hosts have no name."""

    name = "iprev"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        iprev = incoming.origin.iprev
        if iprev.result == "permerror":
            return self.found(1.5, "The sending server has no name")
        if iprev.result == "fail":
            return self.found(1.0, f"The sending server is not {iprev.name}")
        return None
