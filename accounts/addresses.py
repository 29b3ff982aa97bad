"""Where an address leads, and who may write in its name."""

from dataclasses import dataclass, replace

from django.db.models import Q

from accounts.models import Account, Address, Domain, Membership, User
from accounts.names import split_address

POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is known of an address: its accounts, outside addresses, and detail."""

    known: bool
    address_id: int | None = None
    account_ids: tuple[int, ...] = ()
    forward_to: tuple[str, ...] = ()
    detail: str = ""  # "shop" of alice+shop. RFC 5233
    canonical: str = ""  # the address as it is kept, without the detail


UNKNOWN = Resolution(known=False)


def is_local_domain(domain: str) -> bool:
    """Tell whether this host is responsible for a domain."""
    _, name = split_address(f"@{domain}")
    return Domain.objects.filter(name=name, active=True).exists()


def resolve(address: str) -> Resolution:
    """Find where mail for address goes: itself, without its detail, the catch-all.

    postmaster always leads somewhere, with or without a domain (RFC 5321 §4.5.1).
    An address all of whose accounts are inactive, and take no mail, is unknown.
    """
    local_part, domain_name = split_address(address)
    if not domain_name:
        return _administrators() if local_part == POSTMASTER else UNKNOWN
    domain = Domain.objects.filter(name=domain_name, active=True).first()
    if domain is None or not local_part:
        return UNKNOWN
    base, detail = split_detail(local_part, domain.plus_separators)
    found = _addresses(Q(domain=domain, local_part__in={local_part, base}))
    if local_part in found:
        return found[local_part]
    if base in found:
        return replace(found[base], detail=detail)
    return _administrators() if local_part == POSTMASTER else _catch_all(domain)


def sends_as(user_id: int, address: str) -> bool:
    """Tell whether a user may write in the name of address.

    Their login, the addresses of their own account with any detail, and those of
    shared accounts where a membership gives send_as. Never by a catch-all.
    """
    local_part, domain_name = split_address(address)
    standing = User.objects.filter(pk=user_id, is_active=True, account__active=True)
    own = standing.values_list("email", flat=True).first()
    if own is None or not domain_name:
        return False
    if split_address(own) == (local_part, domain_name):
        return True
    domain = Domain.objects.filter(name=domain_name, active=True).first()
    if domain is None:
        return False
    base, _ = split_detail(local_part, domain.plus_separators)
    exact = Address.objects.filter(
        domain=domain, local_part__in={local_part, base}, active=True
    )
    # The longer name counts: alice+shop may be somebody else's address.
    best = max(exact, key=lambda row: len(row.local_part), default=None)
    return best is not None and best.accounts.filter(_speaks_for(user_id)).exists()


def split_detail(local_part: str, separators: str) -> tuple[str, str]:
    """Split alice+shop into (alice, shop) at the first separator. RFC 5233 §4."""
    for position, character in enumerate(local_part):
        if position and character in separators:
            return local_part[:position], local_part[position + 1 :]
    return local_part, ""


def addresses_of(user_id: int) -> list[str]:
    """Return the addresses a user may choose as sender, their login first."""
    own = User.objects.filter(pk=user_id).values_list("email", flat=True)
    rows = Address.objects.filter(
        active=True, domain__active=True, accounts__in=_accounts(user_id)
    ).values_list("local_part", "domain__name")
    others = sorted({f"{local_part}@{domain}" for local_part, domain in rows})
    return list(dict.fromkeys([*own, *others]))


def _accounts(user_id: int) -> list[int]:
    found = Account.objects.filter(_speaks_for(user_id))
    return list(found.values_list("pk", flat=True))


def _speaks_for(user_id: int) -> Q:
    members = Membership.objects.filter(send_as=True).filter(
        Q(user_id=user_id) | Q(group__user=user_id)
    )
    return Q(active=True) & (
        Q(owner_id=user_id) | Q(pk__in=members.values("account_id"))
    )


def _addresses(which: Q) -> dict[str, Resolution]:
    """Return the addresses that lead somewhere, by local part; one query."""
    rows = Address.objects.filter(which, active=True).values_list(
        "pk",
        "local_part",
        "domain__name",
        "forward_to",
        "accounts__pk",
        "accounts__active",
        "accounts__takes_mail",
    )
    found: dict[str, Resolution] = {}
    for pk, local_part, domain, forward_to, account_id, *takes in rows:
        before = found[local_part].account_ids if local_part in found else ()
        found[local_part] = Resolution(
            known=True,
            address_id=pk,
            account_ids=(*before, account_id) if any(takes) else before,
            forward_to=tuple(forward_to),
            canonical=f"{local_part}@{domain}",
        )
    return {k: r for k, r in found.items() if r.account_ids or r.forward_to}


def _catch_all(domain: Domain) -> Resolution:
    if domain.catch_all_id is None:
        return UNKNOWN
    return next(iter(_addresses(Q(pk=domain.catch_all_id)).values()), UNKNOWN)


def _administrators() -> Resolution:
    accounts = Account.objects.filter(
        active=True, owner__is_superuser=True, owner__is_active=True
    )
    ids = tuple(accounts.order_by("pk").values_list("pk", flat=True))
    return Resolution(known=bool(ids), account_ids=ids, canonical=POSTMASTER)
