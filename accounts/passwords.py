"""Whether a password is a user's own: what was verified lately, Argon2, other backends.

What Argon2 or a backend has verified is remembered by this process for a minute, as an
HMAC under a random key, together with the user's credential_version: a change of
password makes it void at once.
"""

import functools
import hmac
import os
import secrets
import threading
import time

from django.conf import settings
from django.contrib.auth import authenticate, hashers
from django.http import HttpRequest

from accounts import scram
from accounts.afterwards import later
from accounts.known import Standing
from accounts.models import User

REMEMBER_SECONDS = 60.0
REMEMBER_MOST = 20_000

_process_key = secrets.token_bytes(32)
_verified: dict[bytes, float] = {}
# One Argon2 takes 100 MB and a core: as many at once as there are cores.
_hashing = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))


class MailRequest(HttpRequest):
    """What Django's backends get for a request when a mail program logs in."""

    def __init__(self, address: str, protocol: str) -> None:
        """Say from where, and by which protocol."""
        super().__init__()
        self.META["REMOTE_ADDR"] = address
        self.mail_protocol = protocol


def asks_others() -> bool:
    """Tell whether backends beside our own are there to be asked."""
    return len(settings.AUTHENTICATION_BACKENDS) > 1


def is_remembered(standing: Standing, password: str) -> bool:
    """Tell whether this process verified the password within the last minute."""
    return _verified.get(_token(standing, password), 0.0) > time.monotonic()


def matches(standing: Standing | None, password: str) -> bool:
    """Check against the hash; an unknown login costs the same. Slow by design."""
    with _hashing:
        if standing is None:
            hashers.check_password(password, _dummy_hash())
            return False
        right, outdated = hashers.verify_password(password, standing.password)
    if right:
        remember(standing, password)
        if outdated or _lacks_keys(standing):
            _hash_again(standing, password, new_hash=outdated)
    return right


def elsewhere(login: str, password: str, address: str, protocol: str) -> int | None:
    """Return whom another backend knows by this password; None: nobody."""
    if not asks_others():
        return None
    request = MailRequest(address, protocol)
    user = authenticate(request, username=login, password=password)
    return user.pk if isinstance(user, User) else None


def remember(standing: Standing, password: str) -> None:
    """Keep for a minute that the password is right."""
    if len(_verified) >= REMEMBER_MOST:
        now = time.monotonic()
        for old in [t for t, until in list(_verified.items()) if until <= now]:
            _verified.pop(old, None)
        if len(_verified) >= REMEMBER_MOST:
            _verified.clear()
    _verified[_token(standing, password)] = time.monotonic() + REMEMBER_SECONDS


def forget() -> None:
    """Forget all verified passwords of this process."""
    _verified.clear()


@functools.cache
def _dummy_hash() -> str:
    return hashers.make_password(secrets.token_urlsafe(16))


def _token(standing: Standing, password: str) -> bytes:
    text = f"{standing.user_id}:{standing.credential_version}:{password}"
    return hmac.digest(_process_key, text.encode("utf-8", "surrogatepass"), "sha256")


def _lacks_keys(standing: Standing) -> bool:
    if not (wanted := scram.wanted_for_passwords()):
        return False
    user = User.objects.only("scram_keys").get(pk=standing.user_id)
    keys = user.scram_keys or {}
    made_for = keys.get("for") == scram.fingerprint(standing.password)
    return not (made_for and all(mechanism in keys for mechanism in wanted))


def _hash_again(standing: Standing, password: str, *, new_hash: bool) -> None:
    """Keep the password under today's hasher, and its SCRAM keys.

    What was verified stays valid.
    """

    def write() -> None:
        hashed = hashers.make_password(password) if new_hash else standing.password
        user = User.objects.get(pk=standing.user_id)
        keys = scram.keys_for_password(password, hashed, user.salt)
        User.objects.filter(pk=standing.user_id, password=standing.password).update(
            password=hashed, scram_keys=keys or None, scram_salt=user.salt
        )

    later(f"hash {standing.user_id}", write)
