"""What a new user gets: a personal account and, in a domain of ours, an address."""

from typing import Any

from django.db import transaction

from accounts import signals
from accounts.models import Account, Address, Domain, User


def user_saved(instance: User, created: bool, raw: bool, **_: Any) -> None:  # noqa: FBT001 -- Django's signature
    """Receive post_save: whoever makes a user (admin, code, command) gets the same."""
    if created and not raw:
        with transaction.atomic():
            make_account(instance)


def make_account(user: User) -> Account:
    """Make the personal account of user; its folders come by account_created.

    Runs in the caller's transaction. An address that exists (an alias, say) is
    not taken away from who has it.
    """
    account = Account.objects.create(
        kind=Account.Kind.PERSONAL,
        name=user.email,
        owner=user,
        quota_bytes=user.first_quota,
    )
    local_part, _, domain_name = user.email.rpartition("@")
    domain = Domain.objects.filter(name=domain_name).first()
    if domain is not None and local_part:
        address, new = Address.objects.get_or_create(
            domain=domain, local_part=local_part
        )
        if new:
            address.accounts.add(account)
    signals.account_created.send(Account, account=account)
    return account


def make_shared_account(name: str) -> Account:
    """Make an account that belongs to a team; memberships say who may use it."""
    with transaction.atomic():
        account = Account.objects.create(kind=Account.Kind.SHARED, name=name)
        signals.account_created.send(Account, account=account)
    return account
