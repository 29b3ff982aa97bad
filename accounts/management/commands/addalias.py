"""Make an address that leads to users, shared accounts or outside addresses."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from typing_extensions import override

from accounts.limits import DomainFull
from accounts.management.passwords import add_json_argument, tell
from accounts.models import Account, Address, Domain, normalise_email
from accounts.names import split_address


class Command(BaseCommand):
    """manage.py addalias."""

    help = "Lead an address of ours to users, shared accounts, or outside addresses."

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("address", help="sales@example.org")
        parser.add_argument(
            "targets",
            nargs="+",
            metavar="TARGET",
            help="a login, the name of a shared account, or an outside address",
        )
        add_json_argument(parser)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        local_part, domain_name = split_address(options["address"])
        domain = Domain.objects.filter(name=domain_name).first()
        if domain is None or not local_part:
            raise CommandError(f"{options['address']} is in no domain of this host.")
        try:
            address = make(domain, local_part, options["targets"])
        except DomainFull as full:
            raise CommandError(" ".join(full.messages)) from None
        targets = [*address.accounts.values_list("name", flat=True)]
        targets += address.forward_to
        said = f"{address} leads to {', '.join(targets)}"
        tell(self, options, said, address=str(address), targets=targets)


def make(domain: Domain, local_part: str, targets: list[str]) -> Address:
    """Let an address lead to targets. Raises CommandError, DomainFull."""
    with transaction.atomic():
        address, _ = Address.objects.get_or_create(domain=domain, local_part=local_part)
        for target in targets:
            add(address, target)
        address.save()
    return address


def add(address: Address, target: str) -> None:
    """Let address lead to target too; raises CommandError when that is nobody."""
    account = (
        Account.objects.filter(owner__email=normalise_email(target)).first()
        or Account.objects.filter(kind=Account.Kind.SHARED, name=target).first()
    )
    if account is not None:
        address.accounts.add(account)
        return
    domain = split_address(target)[1]
    if not domain or Domain.objects.filter(name=domain).exists():
        raise CommandError(f"There is no account {target}.")
    if target not in address.forward_to:
        address.forward_to = [*address.forward_to, target]
