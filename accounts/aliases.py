"""Aliases: read from text, given to an account, and made by people themselves."""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Address, Domain, User
from accounts.names import split_address


def read_aliases(text: str) -> list[str]:
    """Return the addresses in a text, spaces, commas or semicolons between.

    Raises ValidationError for what is none.
    """
    found = [word for word in re.split(r"[\s,;]+", text) if word]
    for word in found:
        validate_email(word)
    return found


def check_alias(alias: str, account: Account | None, domains: Sequence[str]) -> None:
    """Raise ValidationError if an address may not lead to the account.

    domains: those that may be used, as A-labels; account None: one to be made.
    """
    local_part, domain = split_address(alias)
    if domain not in domains:
        raise ValidationError(_("%(domain)s is not yours.") % {"domain": domain})
    there = Address.objects.filter(domain__name=domain, local_part=local_part)
    others = there.exclude(accounts=account) if account is not None else there
    if others.exists():
        raise ValidationError(_("%(alias)s is taken.") % {"alias": alias})


def add_alias(alias: str, account: Account, *, own: bool = False) -> Address:
    """Let an address, checked by check_alias, lead to the account."""
    local_part, domain = split_address(alias)
    address, _new = Address.objects.get_or_create(
        domain=Domain.objects.get(name=domain),
        local_part=local_part,
        defaults={"own": own},
    )
    address.accounts.add(account)
    return address


def own_aliases(user: User) -> list[Address]:
    """Return the aliases that a user made for themselves."""
    rows = Address.objects.filter(own=True, accounts__owner=user)
    return list(rows.select_related("domain").order_by("local_part"))


def room_for_aliases(user: User) -> int:
    """Return how many more a user may make, by the word of their domain."""
    domain = Domain.objects.filter(name=split_address(user.email)[1]).first()
    most = domain.own_aliases if domain is not None and domain.active else 0
    return max(0, most - len(own_aliases(user)))


def make_own_alias(user: User, local_part: str) -> Address:
    """Make an alias in the user's own domain. Raises ValidationError."""
    domain = split_address(user.email)[1]
    alias = f"{local_part.strip()}@{domain}"
    validate_email(alias)
    with transaction.atomic():
        # Two requests at once must not both find the last room.
        account = Account.objects.select_for_update().get(owner=user, active=True)
        if not room_for_aliases(user):
            raise ValidationError(_("You have as many aliases as you may."))
        # An alias that exists leads to somebody, or to nobody on purpose.
        check_alias(alias, None, [domain])
        return add_alias(alias, account, own=True)


def drop_own_alias(user: User, pk: int) -> bool:
    """Delete an alias of one's own; tell whether there was one."""
    mine = Address.objects.filter(pk=pk, own=True, accounts__owner=user)
    return bool(mine.delete()[0])
