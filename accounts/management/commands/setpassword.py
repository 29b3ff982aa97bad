"""Give a user a new password; what is logged in with the old one ends."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts.management.passwords import add_password_arguments, ask_password
from accounts.models import User, normalise_email


class Command(BaseCommand):
    """manage.py setpassword."""

    help = "Give a user a new password. Sessions with the old one end."

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email")
        add_password_arguments(parser)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=normalise_email(options["email"])).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        user.set_password(ask_password(self, options))
        user.save(update_fields=["password"])
        self.stdout.write(f"{user.email} has a new password")
