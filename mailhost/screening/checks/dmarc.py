"""DMARC: the domain that readers see does not stand behind the message. RFC 7489.

What it asks for is done, unless a setting or a row of the admin says otherwise, or a
forwarder we trust (ARC) saw the message pass. RFC 8617 §7.2.
"""

from django.conf import settings
from typing_extensions import override

from mailhost.dnsauth.header import read
from mailhost.screening.checks.base import Check
from mailhost.screening.models import SenderPolicy
from mailhost.screening.values import Action, Finding, Incoming
from mailhost.store.gate import gate

SCORE = 2.0  # of a failure whatever the policy


class Dmarc(Check):
    """Refuses or files into Junk where the author's domain asks for it."""

    name = "dmarc"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        dmarc = incoming.origin.dmarc
        if dmarc.result != "fail":
            return None
        forwarder = trusted_forwarder(incoming)
        if forwarder:
            return self.found(
                0.0, f"{forwarder}, which passed it on, saw it come from {dmarc.domain}"
            )
        answer = await gate.read(answer_for, dmarc.domain)
        action = action_for(dmarc.policy, answer)
        score = 0.0 if answer == "ignore" else SCORE
        return self.found(score, f"{dmarc.domain} did not send this message", action)


def action_for(policy: str, answer: str) -> Action:
    """Return what is done where a domain asks for `policy`."""
    if answer == "ignore" or policy == "none":
        return Action.ACCEPT
    if policy == "reject" and answer == "obey":
        return Action.REFUSE
    return Action.JUNK


def answer_for(domain: str) -> str:
    """Return what an administrator says of a domain or one above it; reads only."""
    labels = domain.split(".")
    names = [".".join(labels[n:]) for n in range(len(labels))][:20]
    rows = dict(
        SenderPolicy.objects.filter(domain__in=names).values_list("domain", "dmarc")
    )
    found = next((rows[name] for name in names if name in rows), "")
    return found or str(settings.MAILHOST_DMARC)


def trusted_forwarder(incoming: Incoming) -> str:
    """Return the trusted domain that sealed the message and saw it pass, or ""."""
    arc, author = incoming.origin.arc, incoming.origin.dmarc.domain
    if arc.result != "pass" or not arc.sealers:
        return ""
    sealer = arc.sealers[0]
    trusted = [
        name.lower().rstrip(".") for name in settings.MAILHOST_TRUSTED_FORWARDERS
    ]
    if not any(sealer == name or sealer.endswith("." + name) for name in trusted):
        return ""
    for result in read(arc.said):
        said_of = dict(result.properties).get("header.from", author).lower()
        if (result.method, result.result) == ("dmarc", "pass") and said_of == author:
            return sealer
    return ""
