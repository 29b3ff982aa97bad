"""Make the index of texts anew, of one account or of all."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts.models import Account
from mailhost.search.engines import index
from mailhost.store import indexing
from protocols.management.commands.importmail import find_account


class Command(BaseCommand):
    """manage.py rebuildsearch [ADDRESS]."""

    help = (
        "Make the search index anew, while the servers run or not. Searches stay"
        " complete meanwhile: what is not indexed yet is read."
    )

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("account", nargs="?", help="a login, or a shared account")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        index().ensure()
        name = options["account"]
        chosen = [find_account(name)] if name else Account.objects.order_by("pk")
        for account in chosen:
            try:
                indexing.forget(account.pk)
            except indexing.BusyIndex as error:
                raise CommandError(f"{account}: {error}") from None
            indexing.index_whole(account.pk)
            self.stdout.write(f"{account}: indexed")
