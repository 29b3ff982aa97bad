"""What an authority asks for by HTTP before it issues. RFC 8555 §8.3.

Rows, so that any host of the installation may be asked. A token is a key of a row and
nothing else: no file is looked for.
"""

import re
from datetime import timedelta

from django.utils import timezone

from mailhost.certificates.models import AcmeChallenge

PATH = "/.well-known/acme-challenge/"
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,255}")  # base64url, 128 random bits at least
LONGEST_LIFE = timedelta(hours=1)  # what a killed process left


def put(token: str, answer: str) -> None:
    """Answer for a token from now on, on every host."""
    AcmeChallenge.objects.update_or_create(token=token, defaults={"answer": answer})


def remove(tokens: list[str]) -> None:
    """Answer no more."""
    AcmeChallenge.objects.filter(token__in=tokens).delete()


def answer_to(path: str) -> str | None:
    """Return what to say to a request for a path; None: there is nothing."""
    token = path.removeprefix(PATH)
    if not TOKEN.fullmatch(token):
        return None
    rows = AcmeChallenge.objects.filter(token=token)
    found: str | None = rows.values_list("answer", flat=True).first()
    return found


def prune() -> None:
    """Forget those of orders that were cut off."""
    old = timezone.now() - LONGEST_LIFE
    AcmeChallenge.objects.filter(created_at__lt=old).delete()
