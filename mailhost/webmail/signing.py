"""Tokens of short-lived URLs: for one user, one purpose, and what it is about."""

from typing import Any

from django.core import signing
from django.http import Http404

from accounts.models import User

PARTS = "webmail.part"  # a picture inside a message
PICTURE = "webmail.picture"  # a picture elsewhere
SECONDS = 3600


def token(user: User, purpose: str, *about: int | str) -> str:
    """Return a token that `read` understands for this user, for SECONDS."""
    return signing.dumps([user.pk, *about], salt=purpose, compress=True)


def read(user: User, purpose: str, text: str) -> list[Any]:
    """Return what the token is about, or raise Http404: forged, old, another's."""
    try:
        found: list[Any] = signing.loads(text, salt=purpose, max_age=SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    if found[0] != user.pk:
        raise Http404
    return found[1:]
