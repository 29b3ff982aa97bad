"""Passwords that we make for one device: random, shown once, found by their HMAC."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.utils.crypto import salted_hmac

from accounts import scram
from accounts.models import AppPassword, User

SCOPES = ("imap", "pop3", "smtp", "sieve", "web")
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # 5 bits each; no 0, 1, 8, 9
LENGTH = 26  # 130 bits
GROUP = 5


def create(
    user_id: int,
    name: str,
    scopes: Sequence[str] = SCOPES,
    expires_at: datetime | None = None,
) -> tuple[AppPassword, str]:
    """Save an app password; return its row and the text to show this once."""
    unknown = set(scopes) - set(SCOPES)
    if unknown:
        raise ValueError(f"no such scope: {', '.join(sorted(unknown))}")
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    groups = (letters[i : i + GROUP] for i in range(0, LENGTH, GROUP))
    shown = "-".join(groups)
    row = AppPassword.objects.create(
        user_id=user_id,
        name=name,
        lookup=key_of(letters),
        scopes=list(scopes),
        # SCRAM's client hashes what was typed: as it is shown, or without dashes.
        scram_keys=scram.keys_of([shown, letters], _salt_of(user_id)),
        expires_at=expires_at,
    )
    return row, shown


def _salt_of(user_id: int) -> bytes:
    """Return the user's salt; what was made up until now is kept from now on."""
    user = User.objects.only("email", "scram_salt").get(pk=user_id)
    if user.scram_salt is None:
        User.objects.filter(pk=user_id, scram_salt=None).update(scram_salt=user.salt)
    return user.salt


def lookup(password: str) -> str | None:
    """Return the key under which password would be kept; None if we made no such.

    Blanks and dashes do not count: people type it from another screen.
    """
    letters = password.replace("-", "").replace(" ", "").lower()
    if len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return key_of(letters)


def key_of(letters: str) -> str:
    """Return the HMAC of a password's letters under SECRET_KEY, as hex."""
    return salted_hmac("accounts.apppasswords", letters, algorithm="sha256").hexdigest()
