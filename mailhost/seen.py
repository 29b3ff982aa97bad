"""What was verified of a message goes into the day's DMARC report to its domain."""

from typing import Any

from django.conf import settings

from mailhost.dnsauth.authentication import Authentication
from mailhost.outbound.dmarcrpt import DmarcSeen, record_dmarc
from mailhost.screening.values import Action, Incoming, Verdict
from mailhost.store.gate import gate

TAGS = ("adkim", "aspf", "p", "sp", "pct")
DISPOSITIONS = {Action.JUNK: "quarantine", Action.REFUSE: "reject"}


def count(incoming: Incoming, verdict: Verdict, **_: Any) -> None:
    """Receive the signal `screened`; the row is written behind it."""
    if not settings.MAILHOST_SEND_REPORTS:
        return
    seen = seen_in(incoming.origin, verdict.action)
    if seen.report_to and seen.policy_domain:
        gate.begin_write((), record_dmarc, seen, soft=True)


def seen_in(origin: Authentication, action: Action) -> DmarcSeen:
    """Return what a report has of one message. RFC 7489 Appendix C."""
    dmarc, failed = origin.dmarc, origin.dmarc.result == "fail"
    done = DISPOSITIONS.get(action, "none") if failed else "none"
    asked = dmarc.policy if failed else "none"
    reasons = [] if done == asked else [("local_policy", "what we found beside DMARC")]
    spf = origin.spf
    spf_aligned = spf.result == "pass" and _aligned(origin, spf.domain, "aspf")
    return DmarcSeen(
        source_ip=origin.handover.peer,
        header_from=dmarc.domain,
        policy_domain=dmarc.record_at.removeprefix("_dmarc."),
        report_to=dmarc.record.get("rua", ""),
        policy={tag: dmarc.record[tag] for tag in TAGS if tag in dmarc.record},
        disposition=done,
        dkim_aligned=any(_aligned(origin, name, "adkim") for name in origin.signers),
        spf_aligned=spf_aligned,
        envelope_from=origin.handover.mail_from.rpartition("@")[2],
        spf=spf.result,
        dkim=[(s.domain, s.selector, s.result) for s in origin.signatures[:10]],
        reasons=reasons,
    )


def _aligned(origin: Authentication, name: str, tag: str) -> bool:
    """Tell whether a name is the author's domain, or of its organization. §3.1."""
    dmarc = origin.dmarc
    if dmarc.record.get(tag, "r") == "s" or not dmarc.organization:
        return name == dmarc.domain
    return name == dmarc.organization or name.endswith("." + dmarc.organization)
