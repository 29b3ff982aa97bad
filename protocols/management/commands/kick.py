"""End open connections: one, or all of a login."""

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from protocols.connections import kick
from protocols.management.commands.who import as_dict


class Command(BaseCommand):
    """manage.py kick."""

    help = (
        "End a connection (its id as `who` shows it) or all of a login, in every"
        " process within a second. They may log in again: suspend a user, change the"
        " password or delete the app password to keep them out."
    )

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("who", help="a connection, or a login")
        parser.add_argument("--json", action="store_true", help="as a list of objects")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        ended = kick(options["who"])
        if options["json"]:
            self.stdout.write(json.dumps([as_dict(row) for row in ended], indent=2))
        elif not ended:
            raise CommandError(f"{options['who']} has no open connection.")
        else:
            self.stdout.write(f"ended {len(ended)}")
