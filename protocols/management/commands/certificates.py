"""Show the certificates that an authority issues (ACME); request them now; rehearse."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from mailhost.certificates import keys, ordering, status, wanted
from mailhost.certificates.refusals import Refused
from mailhost.jobs import runner
from protocols.common.banner import columns

HEAD = ("NAME", "STATE", "DAYS", "ENDS", "NEXT", "FAILED")
OFF = (
    "ACME is not set up: set MAILHOST_ACME_DIRECTORY to the directory URL of an"
    " authority (docs/settings.md)."
)


class Command(BaseCommand):
    """manage.py certificates [NAME…] [--now | --dry-run] [--new-key] [--json]."""

    help = (
        "Show the certificates of this installation and when they are renewed. With"
        " --now they are requested at once, with --dry-run from the authority of"
        " MAILHOST_ACME_STAGING, and nothing is kept. The servers must be running: the"
        " authority asks them. Ends with 1 if one is missing, ended or fails."
    )

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", nargs="*", help="default: all that are wanted")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--now", action="store_true", help="request them now")
        what.add_argument("--dry-run", action="store_true", help="keep nothing")
        parser.add_argument(
            "--new-key",
            action="store_true",
            help="with --now: a new private key; TLSA records must change, too",
        )
        parser.add_argument("--json", action="store_true", help="for programs")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.MAILHOST_ACME_DIRECTORY:
            raise CommandError(OFF)
        if options["new_key"] and not options["now"]:
            raise CommandError("--new-key goes with --now.")
        wanted.note()
        names = _names(options["name"])
        if options["dry_run"]:
            failed = [name for name in names if not self._rehearse(name)]
        elif options["now"]:
            new_key = options["new_key"]
            failed = [name for name in names if not self._request(name, new_key)]
        else:
            failed = self._show(names if options["name"] else None, options["json"])
        if failed:
            raise SystemExit(1)

    def _rehearse(self, name: str) -> bool:
        try:
            _, found = ordering.ask(
                name, keys.new_key(), settings.MAILHOST_ACME_STAGING
            )
        except Refused as error:
            self.stderr.write(f"{name}: {error}.")
            return False
        self.stdout.write(f"{name}: could be issued, until {found.ends_at:%Y-%m-%d}.")
        return True

    def _request(self, name: str, new_key: bool) -> bool:  # noqa: FBT001
        if not wanted.ask_now(name, new_key=new_key):
            self.stderr.write(f"{name}: it is being requested just now.")
            return False
        try:
            error = runner.run_one(wanted.JOB, name)
        except runner.Busy:
            error = Exception("it is being requested just now")
        if error is not None:
            self.stderr.write(f"{name}: {error}.")
            return False
        (now,) = status.all_of_them([name])
        self.stdout.write(f"{name}: issued, until {_day(now.ends_at)}.")
        return True

    def _show(self, names: list[str] | None, as_json: bool) -> list[str]:  # noqa: FBT001
        found = status.all_of_them(names)
        if as_json:
            rows = [asdict(one) for one in found]
            self.stdout.write(json.dumps(rows, indent=1, default=str))
        else:
            self.stdout.write(columns([HEAD, *map(_line, found)]), ending="")
            for one in found:
                if one.error:
                    self.stdout.write(f"{one.name}: {one.error}.")
        bad = {"missing", "failing", "ending", "ended"}
        return [one.name for one in found if one.state in bad]


def _names(asked: Sequence[str]) -> list[str]:
    names = wanted.names()
    for name in asked:
        if name not in names:
            raise CommandError(
                f"{name} is not among the names that get certificates"
                f" ({', '.join(names) or 'none'}); see MAILHOST_ACME_NAMES."
            )
    if not names:
        raise CommandError("No name gets a certificate: MAILHOST_HOSTNAME must be one.")
    return list(asked) or names


def _line(one: status.Status) -> tuple[str, ...]:
    days = "-" if one.days_left is None else str(one.days_left)
    failed = str(one.failures) if one.failures else "-"
    ends, following = _day(one.ends_at), _minute(one.next_attempt)
    return (one.name, one.state, days, ends, following, failed)


def _day(when: datetime | None) -> str:
    return "-" if when is None else f"{when:%Y-%m-%d}"


def _minute(when: datetime | None) -> str:
    return "-" if when is None else f"{when:%Y-%m-%d %H:%M}"
