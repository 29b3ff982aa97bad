"""SPF: the sender's domain does not let this host send. RFC 7208 §8."""

from typing_extensions import override

from mailhost.dnsauth.spf import Spf as Result
from mailhost.screening.checks.base import Check
from mailhost.screening.values import Finding, Incoming

SCORES = {"fail": 2.0, "softfail": 1.0, "permerror": 0.5}
HELO_SCORE = 2.0


class Spf(Check):
    """Points, no more: forwarders break SPF; what must happen DMARC says."""

    name = "spf"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        spf = incoming.origin.spf
        score = SCORES.get(spf.result)
        if score is None:
            return self._of_name(incoming.origin.helo)
        if spf.result == "permerror":
            return self.found(score, f"The SPF record of {spf.domain} is broken")
        return self.found(score, f"{spf.domain} does not let this server send its mail")

    def _of_name(self, helo: Result) -> Finding | None:
        """Look at the HELO name where its sender is not the matter. RFC 7208 §2.3."""
        if helo.result != "fail":
            return None
        reason = f"{helo.domain} does not let this server bear its name"
        return self.found(HELO_SCORE, reason)
