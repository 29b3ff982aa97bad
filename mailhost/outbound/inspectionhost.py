"""What this host calls itself, whose mail it takes, and whether it reaches others."""

from accounts.addresses import is_local_domain
from mailhost.outbound.findings import BAD, GOOD, Finding, Subject
from mailhost.outbound.models import Attempt, RelayDomain
from mailhost.store.gate import gate

LAST = 200  # attempts that are looked at
ENOUGH = 5  # of them to say something


async def names(about: Subject) -> list[Finding]:
    """The host has a full name, and the domain is one of ours."""
    found = []
    if "." not in about.host:
        text = f"This host calls itself {about.host}."
        fix = "Set MAILHOST_HOSTNAME to its full name in DNS, as mail.example.org."
        found.append(Finding("name", BAD, text, fix))
    if not await gate.read(_is_taken, about.domain):
        text = f"{about.domain} is no domain of this server: its mail is refused."
        fix = "Add it in the admin (Domains), or as a relay domain."
        found.append(Finding("name", BAD, text, fix))
    good = f"{about.host} takes mail for {about.domain}."
    return found or [Finding("name", GOOD, good)]


async def way_out(_about: Subject) -> list[Finding]:
    """Others are reached on port 25, as far as the queue has tried.

    Nobody is asked for it: whoever let us connect to test that would be a third party.
    """
    tried, reached = await gate.read(_attempts)
    if tried < ENOUGH:
        return []
    if not reached:
        text = f"None of the last {tried} attempts to send reached a server."
        fix = "Ask the provider to open port 25 outwards, or set MAILHOST_SMARTHOST."
        return [Finding("way out", BAD, text, fix)]
    text = f"{reached} of the last {tried} attempts to send reached a server."
    return [Finding("way out", GOOD, text)]


def _is_taken(domain: str) -> bool:
    return (
        is_local_domain(domain)
        or RelayDomain.objects.filter(name=domain, active=True).exists()
    )


def _attempts() -> tuple[int, int]:
    """Return how many attempts there were lately, and how many had a connection."""
    hosts = list(Attempt.objects.order_by("-pk").values_list("host", flat=True)[:LAST])
    return len(hosts), sum(map(bool, hosts))
