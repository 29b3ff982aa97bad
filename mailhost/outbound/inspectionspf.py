"""Whether SPF lets this host send: for the domain, and for its own name."""

from mailhost.dnsauth import spf
from mailhost.dnsauth.resolver import resolver as shared
from mailhost.outbound import resolver
from mailhost.outbound.findings import BAD, GOOD, UNKNOWN, WEAK, Finding, Subject


async def spf_record(about: Subject) -> list[Finding]:
    """The domain says that this host may send for it. RFC 7208."""
    records = await resolver.texts(about.domain)
    found = [r for r in records if r.lower() == "v=spf1" or r.lower()[:7] == "v=spf1 "]
    advice = f'Publish: {about.domain}. IN TXT "v=spf1 mx -all"'
    if not found:
        return [Finding("SPF", BAD, "There is no SPF record.", advice)]
    if len(found) > 1:
        text = "There is more than one SPF record: none counts."
        return [Finding("SPF", BAD, text, "Merge them into one.")]
    results = [
        await spf.check(
            *(peer, f"postmaster@{about.domain}", about.host, about.host), shared().ask
        )
        for peer in about.addresses
    ]
    for peer, result in zip(about.addresses, results, strict=True):
        if result.result != "pass":
            text = f"For mail from {peer} the record says {result.result}: {found[0]}"
            return [Finding("SPF", BAD, text, f"Add ip4:/ip6: {peer}, or mx, to it.")]
    if "all" not in found[0].lower() and "redirect=" not in found[0].lower():
        text = f"The record does not say what of all others: {found[0]}"
        return [Finding("SPF", WEAK, text, "End it with -all or ~all.")]
    return [Finding("SPF", GOOD, f"This host may send: {found[0]}")]


async def helo_name(about: Subject) -> list[Finding]:
    """The name that this host says it has may be said from its addresses.

    Others ask for it beside the sender (RFC 7208 §2.3), and where there is none; the
    senders of forwards are of it, too (SRS).
    """
    advice = f'Publish: {about.host}. IN TXT "v=spf1 a -all"'
    for peer in about.addresses:
        result = await spf.check(peer, "", about.host, about.host, shared().ask)
        if result.result in {"none", "neutral"}:
            text = f"Nothing says that {about.host} itself sends mail."
            return [Finding("HELO", WEAK, text, advice)]
        if result.result == "temperror":
            return [Finding("HELO", UNKNOWN, f"DNS: {result.reason}.")]
        if result.result != "pass":
            text = f"For the name {about.host} from {peer} SPF says {result.result}."
            return [Finding("HELO", BAD, text, advice)]
    text = f"{about.host} may be said from its addresses."
    return [Finding("HELO", GOOD, text)] if about.addresses else []
