"""Our own MTA-STS policy, for each domain of ours. RFC 8461 (text not read)."""

from hashlib import sha256

from django.conf import settings

from accounts.models import Domain

PATH = "/.well-known/mta-sts.txt"
PREFIX = "mta-sts."


def is_served() -> bool:
    """Tell whether there is a policy at all."""
    return bool(settings.MAILHOST_MTA_STS_POLICY != "off")


def text() -> str:
    """Return the policy. RFC 8461 §3.2."""
    lines = ["version: STSv1", f"mode: {settings.MAILHOST_MTA_STS_POLICY}"]
    lines += [f"mx: {host}" for host in settings.MAILHOST_MTA_STS_HOSTS]
    lines.append(f"max_age: {settings.MAILHOST_MTA_STS_SECONDS}")
    return "".join(f"{line}\r\n" for line in lines)


def identity() -> str:
    """Return the id to publish: another one for each policy. RFC 8461 §3.1."""
    return sha256(text().encode()).hexdigest()[:20]


def records(domain: str) -> list[str]:
    """Return what a domain has to publish, as a zone file has it."""
    return [
        f"{PREFIX}{domain}. IN CNAME {settings.MAILHOST_HOSTNAME}.",
        f'_mta-sts.{domain}. IN TXT "v=STSv1; id={identity()};"',
    ]


def for_host(header: str) -> str | None:
    """Return the policy for what a Host header says; None: it is no name of ours."""
    host = header.lower().partition(":")[0].rstrip(".")
    if not is_served() or not host.startswith(PREFIX):
        return None
    ours = Domain.objects.filter(name=host.removeprefix(PREFIX), active=True)
    return text() if ours.exists() else None
