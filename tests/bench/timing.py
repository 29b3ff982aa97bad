"""Whether the time of a refused login tells who exists.

    python -m tests.bench.timing [pairs]

A wrong password of who exists and one of who does not, in turns, asked where all
protocols ask (accounts.auth.check); what runs on the machine beside it falls on both.
AUC is how often the one takes longer than the other: 0.5 says nothing about who exists;
beyond two standard errors from it something can be heard, at the server itself.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.processes import Installation


def took(login: str, number: int) -> float:
    """Return the milliseconds of one refused login."""
    from accounts import auth
    from accounts.claims import Password

    start = time.perf_counter()
    try:
        # Another machine's address each time: nobody is slowed.
        at = auth.Attempt(
            "imap", f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        )
        auth.check(Password(login, f"wrong {number}"), at)
    except auth.WrongCredentials:
        return (time.perf_counter() - start) * 1000
    raise RuntimeError("a wrong password was taken")


def auc(some: list[float], others: list[float]) -> float:
    """Return how often one of some is more than one of others."""
    wins = sum((a > b) + (a == b) / 2 for a in some for b in others)
    return wins / (len(some) * len(others))


def run(pairs: int) -> None:
    """Measure and print."""
    import django

    django.setup()
    from django.conf import settings

    settings.MAILHOST_LOGIN_FAILURES = 0
    known, nobody = [], []
    took("nobody@test.local", 0)  # what is made once
    for number in range(pairs):
        known.append(took("user1@test.local", 2 * number))
        nobody.append(took(f"nobody{number}@test.local", 2 * number + 1))
    error = ((2 * pairs + 1) / (12 * pairs * pairs)) ** 0.5
    print(  # noqa: T201 -- a report
        f"{pairs} pairs: wrong password {statistics.median(known):.2f} ms, "
        f"nobody {statistics.median(nobody):.2f} ms (medians); "
        f"AUC {auc(known, nobody):.3f}, standard error {error:.3f}"
    )


def main() -> None:
    """Make a database, measure."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory(prefix="mailhost-bench-") as directory:
        site = Installation(Path(directory), users=1)
        os.environ.update(site.environment())
        run(pairs)


if __name__ == "__main__":
    main()
