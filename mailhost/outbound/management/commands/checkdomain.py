"""Look at a domain as the world sees it, and say what to fix."""

import argparse
import asyncio
import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from accounts.names import fold_domain
from mailhost.outbound import inspection
from mailhost.store.gate import gate

MARKS = {"good": "ok  ", "bad": "FIX ", "weak": "look", "unknown": "?   "}


class Command(BaseCommand):
    """manage.py checkdomain DOMAIN [--json]."""

    help = (
        "Check what a domain publishes (MX, SPF, DKIM, DMARC, MTA-STS, TLSRPT, DANE),"
        " the name of this host's addresses (PTR), port 25, the certificate and block"
        " lists, and say what to fix. Ends with 1 if something must be fixed."
    )

    @override
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("domain")
        parser.add_argument("--json", action="store_true", help="for programs")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        found = asyncio.run(_inspected(fold_domain(options["domain"])))
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in found], indent=1))
        else:
            for one in found:
                self.stdout.write(f"{MARKS[one.verdict]} {one.topic}: {one.text}")
                if one.fix:
                    self.stdout.write(f"       {one.fix}")
        if any(one.verdict == "bad" for one in found):
            raise SystemExit(1)


async def _inspected(domain: str) -> list[inspection.Finding]:
    try:
        return await inspection.inspect(domain)
    finally:
        await gate.close()
