"""Domains of others whose mail we take and hand on: relayed, or as their backup MX."""

from accounts.names import split_address
from mailhost.outbound.models import RelayDomain


def takes(address: str) -> bool | None:
    """Tell whether an address of a relayed domain exists; None: not such a domain."""
    local, domain = split_address(address)
    row = RelayDomain.objects.filter(name=domain, active=True).first()
    if row is None or not local:
        return None
    known = {str(name).casefold() for name in row.recipients}
    return not known or local in known
