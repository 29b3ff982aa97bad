"""DKIM: all signatures are broken. RFC 6376 §6.3."""

from typing_extensions import override

from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming


class Dkim(Check):
    """Few points: mailing lists break signatures, and an unsigned message has none."""

    name = "dkim"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        results = {one.result for one in incoming.origin.signatures}
        if not results or results & {"pass", "temperror"}:
            return None
        return self.found(0.5, "The message was changed after it was signed")
