"""Import mail from mbox files, Maildirs and .eml files into a user's account."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts.models import Account, normalise_email
from mailhost import importing, olduidls
from mailhost.importing import Taken
from mailhost.mailfiles import Found, Source, sources
from mailhost.store.errors import StoreError
from mailhost.store.values import Stored
from protocols.pop3.models import OldUidl

WIDTH = 30


class Command(BaseCommand):
    """manage.py importmail ADDRESS PATH."""

    help = (
        "Import mail into the account of a login or of a shared account's name:"
        " mbox files, Maildirs (with their folders), directories of .eml files."
        " Dates and flags are kept. What the folder holds already is passed over."
    )

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("account", help="alice@example.org, or a shared account")
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--folder", default="INBOX", help="default: INBOX")
        parser.add_argument(
            "--doubles",
            action="store_true",
            help="copy what the folder holds already once more",
        )
        parser.add_argument(
            "--pop3-uidls",
            choices=olduidls.KINDS,
            default="",
            help="keep what the old server's POP3 called the messages, by Dovecot's"
            " list, by file name, or by X-UIDL: POP3 clients do not read them again",
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        for path in options["paths"]:
            try:
                found = sources(path, options["pop3_uidls"])
            except ValueError as error:
                raise CommandError(str(error)) from None
            for source in found:
                self._import(account.pk, source, options)

    def _import(self, account_id: int, source: Source, options: dict[str, Any]) -> None:
        folder = options["folder"]
        if source.folder:
            # A Maildir's Sent goes to Sent, not to INBOX/Sent.
            folder = source.folder if folder == "INBOX" else f"{folder}/{source.folder}"
        bar = Bar(folder, source.size)
        try:
            place = importing.folder_for(account_id, folder)
            taken = importing.import_messages(
                account_id,
                place.id,
                source.read(0),
                bar.show,
                keep_uidls,
                doubles=options["doubles"],
            )
        except StoreError as error:
            raise CommandError(f"{folder}: {error}") from error
        bar.end()
        known = f", {taken.known} were there before" if taken.known else ""
        rate = bar.rate(taken.stored)
        self.stdout.write(f"{folder}: {taken.stored} messages{known}, {rate} a second")


class Bar:
    """A line that grows, where somebody looks at it."""

    def __init__(self, label: str, size: int) -> None:
        """Measure against size octets of the source."""
        self._label, self._size = label, max(size, 1)
        self._seen = sys.stderr.isatty()
        self._start = time.monotonic()

    def show(self, taken: Taken, last: Found) -> None:
        """Draw how far we are."""
        count = taken.stored + taken.known
        if self._seen:
            done = min(WIDTH, WIDTH * last.progress // self._size)
            bar = "#" * done + "." * (WIDTH - done)
            line = f"\r{self._label} [{bar}] {count} ({self.rate(count)}/s)"
            sys.stderr.write(line)
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._seen:
            sys.stderr.write("\n")

    def rate(self, count: int) -> int:
        """Return messages a second so far."""
        return round(count / max(time.monotonic() - self._start, 0.001))


def keep_uidls(batch: Sequence[Found], stored: Sequence[Stored], _taken: Taken) -> None:
    """Note UIDLs that an old server gave."""
    OldUidl.objects.bulk_create(
        [
            OldUidl(folder_id=put.folder_id, uid=put.uid, uidl=one.uidl)
            for one, put in zip(batch, stored, strict=True)
            if one.uidl
        ]
    )


def find_account(name: str) -> Account:
    """Return the account of a login, or the shared account of this name."""
    account = Account.objects.filter(owner__email=normalise_email(name)).first()
    account = account or Account.objects.filter(kind="shared", name=name).first()
    if account is None:
        raise CommandError(f"There is no account {name}.")
    return account
