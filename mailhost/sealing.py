"""Secrets in rows: encrypted under SECRET_KEY, a key of its own for each purpose."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """It was sealed under another SECRET_KEY."""


def sealed(purpose: str, text: str) -> str:
    """Return a secret as it is kept."""
    return _box(purpose, settings.SECRET_KEY).encrypt(text.encode()).decode("ascii")


def unsealed(purpose: str, kept: str) -> str:
    """Return the secret; raises Unreadable."""
    try:
        return _box(purpose, settings.SECRET_KEY).decrypt(kept.encode()).decode()
    except InvalidToken:
        raise Unreadable(f"a secret of {purpose} was sealed with another key") from None


@lru_cache(maxsize=32)
def _box(purpose: str, key: str) -> Fernet:
    derive = HKDF(SHA256(), 32, salt=None, info=b"mailhost " + purpose.encode())
    return Fernet(base64.urlsafe_b64encode(derive.derive(key.encode())))
