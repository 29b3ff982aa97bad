"""Make and rotate the DKIM keys of a domain, and print what to publish."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts.models import Domain
from accounts.names import fold_domain
from mailhost.outbound import dkimkeys
from mailhost.outbound.models import DkimKey


class Command(BaseCommand):
    """manage.py dkim DOMAIN [--rotate [--force]]."""

    help = (
        "Give a domain its DKIM keys, two that sign and two that will, and print the"
        " TXT records to publish. --rotate lets the next ones sign, once DNS has them;"
        " those that signed stay published for two weeks more."
    )

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("domain")
        parser.add_argument("--rotate", action="store_true")
        parser.add_argument(
            "--force", action="store_true", help="rotate without asking DNS"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        domain = fold_domain(options["domain"])
        if not Domain.objects.filter(name=domain).exists():
            raise CommandError(f"There is no domain {domain} here.")
        made = dkimkeys.make(domain)
        if options["rotate"]:
            self._rotate(domain, force=options["force"])
        elif made:
            self.stdout.write("New keys were made. Publish all of these:\n")
        for key in dkimkeys.keys_of(domain):
            phase = DkimKey.Phase(key.phase).label
            self.stdout.write(f"\n; {key.get_kind_display()}: {phase}")
            self.stdout.write(dkimkeys.zone_line(key))

    def _rotate(self, domain: str, *, force: bool) -> None:
        if not force and (missing := dkimkeys.unpublished_next(domain)):
            raise CommandError(
                f"DNS does not have {missing} yet, or did not answer; publish it first."
            )
        dkimkeys.rotate(domain)
        dkimkeys.signing_keys.forget()
        self.stdout.write("The next keys sign now. Publish the new next ones:\n")
