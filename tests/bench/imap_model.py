"""Clients at random against two worker processes, their pictures held to the rows.

    python -m tests.bench.imap_model [--seed N] [--minutes M] [--steps S]

Runs seed after seed, each on an account of its own; ends at the first that fails, with
the shortest transcript found that fails too. What is checked: tests/imap_model.
"""

import argparse
import os
import tempfile
from pathlib import Path

import django

from tests.processes import Installation


def main() -> None:
    """Read the options, start the servers, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--steps", type=int, default=400)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="mailhost-model-") as name,
        Installation(Path(name), users=1) as installation,
    ):
        # This process reads the same rows.
        os.environ |= installation.environment()
        django.setup()
        from tests.imap_model.run import soak
        from tests.imap_model.sites import (
            LAG_SECONDS,
            alternating,
            fresh_accounts,
            trusting,
        )

        installation.start("--only", "imap", workers=2)
        make = fresh_accounts(
            installation.ports,
            trusting(Path(name) / "tls" / "self-signed.pem"),
            lag_seconds=LAG_SECONDS,
            suits=alternating(installation),
        )
        runs, commands = soak(make, asked.seed, asked.minutes, asked.steps)
    print(f"{runs} runs, {commands} commands, no violation")  # noqa: T201


if __name__ == "__main__":
    main()
