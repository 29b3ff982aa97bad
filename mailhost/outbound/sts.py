"""MTA-STS: a domain's policy, fetched by HTTPS and kept. RFC 8461 (text not read)."""

import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from mailhost import fetch
from mailhost.outbound import resolver
from mailhost.outbound.models import StsPolicy
from mailhost.outbound.resolver import NoAnswer
from mailhost.outbound.security import Kind, Security
from mailhost.store.gate import gate

MOST_OCTETS = 65_536  # of a policy. §3.3
FETCH_SECONDS = 60.0  # §3.3
MOST_AGE = 31_557_600  # seconds. §3.2
RETRY = timedelta(minutes=5)  # after a fetch that failed. §3.3
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)


class Invalid(Exception):
    """This is no policy."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a domain asks of those who send to it."""

    mode: str  # enforce, testing or none
    hosts: tuple[str, ...] = ()
    max_age_seconds: int = 0
    text: str = ""
    domain: str = ""
    error: str = ""  # why there is none. RFC 8460 §4.3.3

    def allows(self, host: str) -> bool:
        """Tell whether an MX host is one of the policy's. §4.1.."""
        return any(_matches(pattern.lower(), host.lower()) for pattern in self.hosts)


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):  # exactly one label
        return host.partition(".")[2] == pattern[2:]
    return host == pattern


def parse(octets: bytes) -> Policy:
    """Read a policy; raises Invalid. §3.2.."""
    if len(octets) > MOST_OCTETS:
        raise Invalid("it is too long")
    fields: dict[str, list[str]] = {}
    text = octets.decode("utf-8", "replace")
    for line in re.split(r"\r?\n", text):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), []).append(value.strip())
    mode, age = fields.get("mode", [""])[0], fields.get("max_age", [""])[0]
    if fields.get("version", [""])[0] != "STSv1":
        raise Invalid("it has no version STSv1")
    if mode not in {"enforce", "testing", "none"}:
        raise Invalid("it has no mode")
    if not (age.isascii() and age.isdigit() and len(age) <= 10):
        raise Invalid("it has no max_age")
    hosts = tuple(fields.get("mx", [])[:100])
    if not all(map(_HOST.fullmatch, hosts)) or (mode != "none" and not hosts):
        raise Invalid("it names no MX host")
    return Policy(mode, hosts, min(int(age), MOST_AGE), text)


def policy_id(records: list[str]) -> str:
    """Return the id that _mta-sts announces; empty if none is. §3.1.."""
    found = [r for r in records if re.match(r"v=STSv1\s*(;|$)", r)]
    if len(found) != 1:
        return ""
    fields = {
        name.strip(): value.strip()
        for name, _, value in (piece.partition("=") for piece in found[0].split(";"))
    }
    given = fields.get("id", "")
    return given if _ID.fullmatch(given) else ""


async def policy_for(domain: str) -> Policy | None:
    """Return the policy in force for a domain; None: it has none."""
    if not settings.MAILHOST_MTA_STS:
        return None
    row = await gate.read(_row, domain)
    now = timezone.now()
    try:
        announced = policy_id(await resolver.texts(f"_mta-sts.{domain}"))
    except NoAnswer:
        announced = ""
    kept = _policy(row) if row is not None and row.expires_at > now else None
    if row is not None and kept and announced in {"", row.policy_id}:
        return kept  # §3.3: what is kept counts until it expires
    if not announced:
        return None
    if row is not None and row.error and now - row.checked_at < RETRY:
        return kept or Policy("none", domain=domain, error=row.error)
    try:
        policy = await fetched(domain)
    except (fetch.Failed, Invalid) as error:
        failure = _failure(error)
        await gate.write((), _note_failure, domain, failure)
        return kept or Policy("none", domain=domain, error=failure)
    await gate.write((), _keep, domain, announced, policy)
    return policy


async def renew(domain: str) -> str:
    """Fetch a policy that is kept once more; return what came of it.

    Where it is not announced any more, or cannot be fetched, what is kept counts until
    it expires, as it would without us. §3.3
    """
    try:
        announced = policy_id(await resolver.texts(f"_mta-sts.{domain}"))
    except NoAnswer as error:
        return str(error)
    if not announced:
        return "not announced"
    try:
        policy = await fetched(domain)
    except (fetch.Failed, Invalid) as error:
        await gate.write((), _note_failure, domain, _failure(error))
        return str(error)
    await gate.write((), _keep, domain, announced, policy)
    return policy.mode


async def fetched(domain: str) -> Policy:
    """Fetch the policy; raises fetch.Failed, Invalid. §3.3.."""
    answer = await fetch.get(
        f"https://mta-sts.{domain}/.well-known/mta-sts.txt",
        most_octets=MOST_OCTETS,
        seconds=FETCH_SECONDS,
        redirects=0,  # §3.3: never followed
    )
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status != 200 or kind != "text/plain":
        raise fetch.Failed(f"{answer.status} {kind}")
    found = parse(answer.body)
    return Policy(found.mode, found.hosts, found.max_age_seconds, found.text, domain)


def security(policy: Policy | None, host: str) -> Security:
    """Return what a policy asks of a connection to one MX host."""
    if policy is None:
        return Security()
    if policy.error or policy.mode == "none":
        return Security(policy_type="sts" if policy.error else "no-policy-found")
    shown = tuple(line for line in policy.text.splitlines() if line.strip())
    more = (("policy-string", shown), ("mx-host", policy.hosts))
    testing = policy.mode == "testing"
    return Security(
        Kind.OPPORTUNISTIC if testing else Kind.PKIX,
        testing=testing,
        refused=not policy.allows(host),
        policy_type="sts",
        policy=more,
    )


def _failure(error: Exception) -> str:
    if isinstance(error, Invalid):
        return "sts-policy-invalid"
    bad = isinstance(error, fetch.Untrusted)
    return "sts-webpki-invalid" if bad else "sts-policy-fetch-error"


def _row(domain: str) -> StsPolicy | None:
    return StsPolicy.objects.filter(domain=domain).first()


def _policy(row: StsPolicy) -> Policy | None:
    if not row.policy_id:
        return None
    return Policy(row.mode, tuple(row.hosts), 0, row.text, row.domain)


def _keep(domain: str, announced: str, policy: Policy) -> None:
    now = timezone.now()
    StsPolicy.objects.update_or_create(
        domain=domain,
        defaults={
            "policy_id": announced,
            "mode": policy.mode,
            "hosts": list(policy.hosts),
            "text": policy.text,
            "fetched_at": now,
            "checked_at": now,
            "error": "",
            "expires_at": now + timedelta(seconds=policy.max_age_seconds),
        },
    )


def _note_failure(domain: str, failure: str) -> None:
    now = timezone.now()
    StsPolicy.objects.update_or_create(
        domain=domain,
        defaults={"error": failure, "checked_at": now},
        create_defaults={
            "mode": "none",
            "error": failure,
            "checked_at": now,
            "expires_at": now,
        },
    )
