"""Access tokens of an outside provider: JWTs, checked with its published keys.

Issuer, audience, expiry, not-before, algorithm and signature are checked by PyJWT;
whose the token is follows from (iss, sub) alone, never from an e-mail claim: the
provider may let people write what they like there. RFC 9068.
"""

import json
import logging
import threading
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
from django.conf import settings

from accounts.models import ExternalIdentity

log = logging.getLogger(__name__)

FRESH_SECONDS = 300.0
AGAIN_SECONDS = 30.0  # at least between two fetches, whatever key a stranger names
TIMEOUT_SECONDS = 5.0
MOST_OCTETS = 1 << 20
LEEWAY_SECONDS = 30  # that two clocks may differ
LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class Known:
    """A valid token's owner."""

    user_id: int
    scope: frozenset[str]
    expires_at: datetime


class Keys:
    """The provider's keys; fetched again when they are old, or one is missing."""

    def __init__(self) -> None:
        """Fetch at first use."""
        self._guard = threading.Lock()
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._source = ""
        self._fetched_at = float("-inf")

    def get(self, name: str | None) -> jwt.PyJWK | None:
        """Return the key of this name; a token without a name takes a lone key."""
        with self._guard:
            age = time.monotonic() - self._fetched_at
            changed = self._source != settings.MAILHOST_OAUTH_KEYS
            missing = name not in self._keys and age > AGAIN_SECONDS
            if changed or age > FRESH_SECONDS or missing:
                self._fetch()
            if name is None and len(self._keys) == 1:
                return next(iter(self._keys.values()))
            return self._keys.get(name)

    def _fetch(self) -> None:
        source = settings.MAILHOST_OAUTH_KEYS
        self._fetched_at = time.monotonic()
        try:
            found = jwt.PyJWKSet.from_dict(json.loads(read(source)))
        except (OSError, ValueError, jwt.PyJWTError) as error:
            log.warning("the provider's keys cannot be had: %s", error)
            if self._source != source:
                self._keys = {}
            return
        self._keys = {key.key_id: key for key in found.keys}
        self._source = source


keys = Keys()


def read(source: str) -> bytes:
    """Return the octets of a file or of an https:// URL (http:// on loopback)."""
    parts = urlsplit(source)
    if not parts.scheme:
        return Path(source).read_bytes()
    loopback = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("keys come from a file or by https")
    with urllib.request.urlopen(source, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
        octets: bytes = response.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        raise ValueError("too many keys")
    return octets


def find(text: str) -> Known | None:
    """Return whose token this is; None if it is not valid, or nobody's here."""
    if len(text) > LONGEST:
        return None
    try:
        claims = _claims(text)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        log.info("token refused: %s", error)
        return None
    identity = ExternalIdentity.objects.filter(
        issuer=claims["iss"], subject=claims["sub"]
    ).first()
    if identity is None:
        log.info("token refused: its subject is nobody's here")
        return None
    expires_at = datetime.fromtimestamp(float(claims["exp"]) + LEEWAY_SECONDS, UTC)
    return Known(identity.user_id, _scope(claims), expires_at)


def _claims(text: str) -> dict[str, Any]:
    name = jwt.get_unverified_header(text).get("kid")
    key = keys.get(name)
    if key is None:
        raise jwt.InvalidTokenError("no such key")
    claims: dict[str, Any] = jwt.decode(
        text,
        key,
        algorithms=settings.MAILHOST_OAUTH_ALGORITHMS,
        audience=settings.MAILHOST_OAUTH_AUDIENCE,
        issuer=settings.MAILHOST_OAUTH_ISSUER,
        leeway=LEEWAY_SECONDS,
        options={"require": ["iss", "sub", "aud", "exp"]},
    )
    return claims


def _scope(claims: dict[str, Any]) -> frozenset[str]:
    """Read the scope: words in a text (RFC 8693 §4.2), or a list as some write it."""
    found = claims.get("scope", claims.get("scp", ""))
    words = found.split() if isinstance(found, str) else found
    if not isinstance(words, list):
        return frozenset()
    return frozenset(word for word in words if isinstance(word, str))
