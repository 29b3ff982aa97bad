"""Make demo users with mail, so that there is something to look at.

Passwords are random, printed once and kept in demo-passwords.txt of the data
directory, which only its owner may read. Run again: what is there stays.
"""

import argparse
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from typing_extensions import override

from accounts.models import Account, Address, Domain, User
from mailhost.importing import folder_for, import_messages
from protocols.demomail import letters

DOMAIN = "example.test"
PEOPLE = (("alice", "Alice Ames"), ("bob", "Bob Bauer"), ("admin", "Ada Admin"))


class Command(BaseCommand):
    """manage.py demo."""

    help = "Make the domain example.test with alice, bob, admin and some mail."

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print no passwords")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(settings.MAILHOST_DATA_DIR) / "demo-passwords.txt"
        Domain.objects.get_or_create(name=DOMAIN)
        lines = [line for name, title in PEOPLE if (line := make(name, title))]
        if lines:
            keep(file, lines)
        if not options["quiet"] and file.exists():
            self.stdout.write(file.read_text("utf-8"))


def make(name: str, title: str) -> str:
    """Make one person with mail; return login and password, empty when there."""
    email = f"{name}@{DOMAIN}"
    if User.objects.filter(email=email).exists():
        return ""
    password = secrets.token_urlsafe(12)
    admin = name == "admin"
    user = User.objects.create_user(
        email, password, name=title, is_staff=admin, is_superuser=admin
    )
    account = Account.objects.get(owner=user)
    if admin:
        postmaster, _ = Address.objects.get_or_create(
            domain=Domain.objects.get(name=DOMAIN), local_part="postmaster"
        )
        postmaster.accounts.add(account)
    inbox = folder_for(account.pk, "INBOX")
    import_messages(account.pk, inbox.id, letters(email, title))
    return f"{email:<24} {password}"


def keep(file: Path, lines: list[str]) -> None:
    """Write the passwords for the owner's eyes alone, after those that are there."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.writelines(line + "\n" for line in lines)
