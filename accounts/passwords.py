"""Whether a password is a user's own: what was verified lately, Argon2, other backends.

What Argon2 or a backend has verified is remembered by this process for a minute, as an
HMAC under a random key, together with the user's credential_version: a change of
password makes it void at once.
"""

import functools
import hmac
import logging
import os
import secrets
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, get_backends, hashers
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.http import HttpRequest

from accounts import scram
from accounts.afterwards import later
from accounts.known import Standing
from accounts.models import User

log = logging.getLogger(__name__)
REMEMBER_SECONDS = 60.0
REMEMBER_MOST = 20_000
# Of python-ldap's errors, and where: those of a directory that does not answer.
ASKING = {"authenticate", "search_for_user_dn", "populate_user"}
UNREACHABLE = {
    *("SERVER_DOWN", "CONNECT_ERROR", "TIMEOUT", "BUSY", "UNAVAILABLE"),
    *("TIMELIMIT_EXCEEDED", "ADMINLIMIT_EXCEEDED", "LOCAL_ERROR"),
}

_process_key = secrets.token_bytes(32)
_verified: dict[bytes, float] = {}
# One Argon2 takes 100 MB and a core: as many at once as there are cores.
_hashing = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))


class Away(Exception):
    """Another backend cannot be asked now: whether the password is right is unknown."""


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
    """Return whom another backend knows by this password; None: nobody.

    Raises Away, and DomainFull for somebody new for whom there is no room.
    """
    if not asks_others():
        return None
    request = MailRequest(address, protocol)
    _listen()
    try:
        user = authenticate(request, username=login, password=password)
    except (Away, DatabaseError, ValidationError):
        raise
    except Exception as error:
        log.exception("a backend could not be asked user=%r", login)
        raise Away from error
    return user.pk if isinstance(user, User) else None


def _listen() -> None:
    """Hear of django-auth-ldap's errors, if it is there: it would say "wrong"."""
    get_backends()  # so that it is loaded
    if (module := sys.modules.get("django_auth_ldap.backend")) is not None:
        module.ldap_error.connect(directory_failed, dispatch_uid="accounts.passwords")


def directory_failed(context: str, exception: Exception, **_: Any) -> None:
    """Receive ldap_error: raise Away for what says nothing about the password."""
    names = {kind.__name__ for kind in type(exception).__mro__}
    # The account that looks for people has a wrong password of its own.
    lost = context == "search_for_user_dn" and "INVALID_CREDENTIALS" in names
    if context in ASKING and (lost or names & UNREACHABLE):
        raise Away from exception  # an LDAPError would be caught further up


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
