"""MTA-STS and certificates by ACME, as `inspection` looks at them."""

from django.conf import settings

from mailhost import fetch
from mailhost.certificates import policy as ours
from mailhost.certificates import status, wanted
from mailhost.outbound import resolver, sts
from mailhost.outbound.findings import BAD, GOOD, WEAK, Finding, Subject
from mailhost.store.gate import gate


async def mta_sts(about: Subject) -> list[Finding]:
    """A policy makes others insist on TLS. RFC 8461."""
    announced = sts.policy_id(await resolver.texts(f"_mta-sts.{about.domain}"))
    alias, announcement = ours.records(about.domain)
    if not announced:
        text = "There is no MTA-STS policy: TLS to us can be stripped."
        fix = (
            "Set MAILHOST_MTA_STS_POLICY=testing (docs/deliverability.md), and"
            f" publish: {alias}"
        )
        if ours.is_served():
            text = "The MTA-STS policy that we serve is not announced."
            fix = f"Publish: {alias}  and, once it answers: {announcement}"
        return [Finding("MTA-STS", WEAK, text, fix)]
    try:
        policy = await sts.fetched(about.domain)
    except (fetch.Failed, sts.Invalid) as error:
        text = f"The policy is announced and cannot be used: {error}."
        where = f"https://mta-sts.{about.domain}/.well-known/mta-sts.txt"
        fix = f"Look at {where}"
        if ours.is_served():
            fix += f"; it must lead here ({alias}), with MAILHOST_WEB_TLS_PORT=443."
        return [Finding("MTA-STS", BAD, text, fix)]
    return [_judged(about, policy), *_announced(about, policy, announced)]


def _judged(about: Subject, policy: sts.Policy) -> Finding:
    lacking = [host for host in about.hosts if not policy.allows(host)]
    if lacking and policy.mode != "none":
        text = f"The policy does not name {', '.join(lacking)}."
        fix = "Add an mx: line and a new id."
        if ours.is_served():
            fix = "Add it to MAILHOST_MTA_STS_HOSTS, and publish the new id."
        return Finding("MTA-STS", BAD, text, fix)
    verdict = GOOD if policy.mode == "enforce" else WEAK
    fix = "" if verdict == GOOD else "When the TLS reports are good: mode: enforce."
    return Finding("MTA-STS", verdict, f"The policy is in mode {policy.mode}.", fix)


def _announced(about: Subject, policy: sts.Policy, announced: str) -> list[Finding]:
    """Say whether what the world finds is the policy that our settings make."""
    if not ours.is_served():
        return []
    if policy.text.split() != ours.text().split():
        text = "Another policy than ours is served for this domain."
        fix = f"Let mta-sts.{about.domain} lead to {about.host}."
        return [Finding("MTA-STS", WEAK, text, fix)]
    if announced != ours.identity():
        text = "The policy has changed, and others do not hear of it."
        return [
            Finding("MTA-STS", WEAK, text, f"Publish: {ours.records(about.domain)[1]}")
        ]
    return []


async def issued(about: Subject) -> list[Finding]:
    """What an authority issues is there, and renewed in time."""
    if not settings.MAILHOST_ACME_DIRECTORY:
        return []
    wants = [
        name
        for name in await gate.read(wanted.names)
        if name in {about.host, about.domain} or name.endswith(f".{about.domain}")
    ]
    there = {one.name: one for one in await gate.read(status.all_of_them, wants)}
    return [_status(name, there.get(name)) for name in wants]


def _status(name: str, one: status.Status | None) -> Finding:
    fix = f"Then run: manage.py certificates {name} --now"
    if one is None or one.days_left is None:
        why = f": {one.error}." if one is not None and one.error else " yet."
        return Finding("ACME", BAD, f"{name} has no certificate{why}", fix)
    text = f"The certificate of {name} has {one.days_left} days left"
    if one.error:
        verdict = BAD if one.state == "ended" else WEAK
        return Finding(
            "ACME", verdict, f"{text}; it was not renewed: {one.error}.", fix
        )
    if one.state in {"ending", "ended"}:
        return Finding("ACME", BAD, f"{text}.", "Are the servers running? " + fix)
    return Finding("ACME", GOOD, f"{text}, and is renewed on {one.renew_at:%Y-%m-%d}.")
