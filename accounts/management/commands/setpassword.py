"""Give a user a new password; what is logged in with the old one ends."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts.management.passwords import (
    add_json_argument,
    add_password_arguments,
    ask_password,
    tell,
)
from accounts.models import User, normalise_email


class Command(BaseCommand):
    """manage.py setpassword."""

    help = "Give a user a new password. Sessions with the old one end."

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email")
        add_password_arguments(parser)
        add_json_argument(parser)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=normalise_email(options["email"])).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        password = ask_password(self, options)
        user.set_password(password)
        user.save(update_fields=["password"])
        made = {"password": password} if options["random"] else {}
        said = f"{user.email} has a new password"
        tell(self, options, said, email=user.email, **made)
