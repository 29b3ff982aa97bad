"""Make a user with an account and, in a domain of ours, an address."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from typing_extensions import override

from accounts.limits import DomainFull
from accounts.management.passwords import (
    add_json_argument,
    add_password_arguments,
    ask_password,
    tell,
)
from accounts.models import Domain, User, normalise_email
from accounts.names import split_address


class Command(BaseCommand):
    """manage.py adduser."""

    help = "Make a user: login, account, folders, address."

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="login and address, alice@example.org")
        parser.add_argument("--name", default="", help="as in 'Alice Ames'")
        parser.add_argument("--admin", action="store_true", help="may do everything")
        parser.add_argument(
            "--new-domain", action="store_true", help="make the domain when it is new"
        )
        parser.add_argument(
            "--quota-mb", type=int, metavar="N", help="MiB; else the domain's default"
        )
        add_password_arguments(parser)
        add_json_argument(parser)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        email = normalise_email(options["email"])
        if (options["quota_mb"] or 0) < 0:
            raise CommandError("A quota is no less than 0.")
        self._check(email, make_domain=options["new_domain"])
        password = ask_password(self, options)
        try:
            self._make(email, password, options)
        except DomainFull as full:
            raise CommandError(" ".join(full.messages)) from None
        made = {"password": password} if options["random"] else {}
        tell(self, options, f"made {email}", email=email, **made)

    def _make(self, email: str, password: str, options: dict[str, Any]) -> None:
        with transaction.atomic():
            if options["new_domain"]:
                Domain.objects.get_or_create(name=split_address(email)[1])
            may = {"is_staff": options["admin"], "is_superuser": options["admin"]}
            user = User(email=email, name=options["name"], **may)
            user.set_password(password)
            if options["quota_mb"] is not None:
                user.first_quota = options["quota_mb"] << 20
            user.save()

    def _check(self, email: str, *, make_domain: bool) -> None:
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is no e-mail address.") from None
        if User.objects.filter(email=email).exists():
            raise CommandError(f"There is a user {email}.")
        domain = split_address(email)[1]
        if not make_domain and not Domain.objects.filter(name=domain).exists():
            raise CommandError(
                f"{domain} is no domain of this host; --new-domain makes it one."
            )
