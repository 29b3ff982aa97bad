"""Show who is connected now, by all protocols and in all processes."""

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from protocols.common.banner import columns
from protocols.connections import connected
from protocols.models import OpenConnection

HEAD = ("LOGIN", "SERVICE", "ADDRESS", "TLS", "SINCE", "CLIENT", "CONNECTION")


class Command(BaseCommand):
    """manage.py who."""

    help = "Show the open connections; who came within the last seconds may be missing."

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("login", nargs="?", help="only of this login")
        parser.add_argument("--json", action="store_true", help="as a list of objects")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        rows = connected()
        if options["login"]:
            rows = rows.filter(login=options["login"].lower())
        if options["json"]:
            self.stdout.write(json.dumps([as_dict(row) for row in rows], indent=2))
            return
        self.stdout.write(columns([HEAD, *map(as_line, rows)]), ending="")


def as_dict(row: OpenConnection) -> dict[str, Any]:
    """Return what --json says of a connection."""
    return {
        "connection": row.connection_id,
        "login": row.login,
        "service": row.service,
        "address": row.address,
        "tls": row.tls,
        "since": row.since.isoformat(),
        "client": row.client,
        "process": row.worker,
    }


def as_line(row: OpenConnection) -> tuple[str, ...]:
    """Return a line of the table."""
    tls = "yes" if row.tls else "no"
    since = row.since.strftime("%Y-%m-%d %H:%M:%S")
    return (
        row.login, row.service, row.address or "-", tls, since, row.client or "-",
        row.connection_id,
    )  # fmt: skip
