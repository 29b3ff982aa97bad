"""Routes of the admin's: for a domain, for all below it, for all."""

from dataclasses import dataclass

from mailhost.outbound.models import SmartRoute
from mailhost.sealing import unsealed


@dataclass(frozen=True, slots=True)
class Way:
    """A host that takes mail for us, and how it is spoken with."""

    host: str
    port: int
    tls: str
    login: str = ""
    password: str = ""


def way_of(domain: str) -> Way | None:
    """Return the most special route for a domain; None: there is none."""
    labels = domain.split(".")
    above = ["." + ".".join(labels[n:]) for n in range(1, len(labels))]
    names = [domain, *above, "*"]
    rows = {
        r.domain: r for r in SmartRoute.objects.filter(domain__in=names, active=True)
    }
    best = next((rows[name] for name in names if name in rows), None)
    if best is None:
        return None
    password = unsealed("route", best.secret) if best.secret else ""
    return Way(best.host, best.port, best.tls, best.login, password)
