"""The only place a password is checked, for every protocol and the web.

An unknown login costs the same time as a wrong password. A password that Argon2 has
verified is remembered by this process for a minute, as an HMAC under a random key,
together with the user's credential_version: a change of password makes it void at
once. App passwords are found by one indexed look-up.
"""

import functools
import hmac
import os
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import hashers
from django.contrib.auth.backends import ModelBackend
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from typing_extensions import override

from accounts import apppasswords
from accounts.afterwards import later
from accounts.models import AppPassword, User, normalise_email
from accounts.names import storable
from accounts.throttle import failures

REMEMBER_SECONDS = 60.0
REMEMBER_MOST = 20_000
LONGEST_PASSWORD = 1024
NOTE_USE_EVERY = timedelta(minutes=5)

_process_key = secrets.token_bytes(32)
_verified: dict[bytes, float] = {}
# One Argon2 takes 100 MB and a core: as many at once as there are cores.
_hashing = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))


# Past the ORM, which takes longer to write this query than to run it.
STANDING = """
    SELECT u.id, u.email, u.password, u.is_active, u.credential_version, a.id, a.active
    FROM accounts_user u LEFT JOIN accounts_account a ON a.owner_id = u.id
    WHERE u.email = %s
"""


class LoginRefused(Exception):
    """The login is not accepted; the text is safe to show."""


class WrongCredentials(LoginRefused):
    """No such login, or not this password: never said which."""

    def __init__(self) -> None:
        super().__init__("Authentication failed")


class NotAllowed(LoginRefused):
    """The password is right, and still this login is refused."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Disabled(NotAllowed):
    """The account is suspended: an administrator knows why."""

    def __init__(self) -> None:
        super().__init__("This account is disabled")


class Expired(NotAllowed):
    """The app password is no longer good."""

    def __init__(self) -> None:
        super().__init__("This app password has expired")


class TooManyFailures(NotAllowed):
    """Too many logins failed from there; the password was not looked at."""

    def __init__(self) -> None:
        super().__init__("Too many failed logins, try again later")


@dataclass(frozen=True, slots=True)
class Login:
    """Who has logged in."""

    user_id: int
    account_id: int
    email: str
    app_password_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Standing:
    """What one query tells of a login."""

    user_id: int
    email: str
    password: str
    is_active: bool
    credential_version: int
    account_id: int | None
    account_active: bool


def authenticate(login: str, password: str, *, protocol: str, address: str) -> Login:
    """Return who logs in, or raise WrongCredentials or NotAllowed.

    protocol is one of apppasswords.SCOPES; address is the peer's. Synchronous: run
    it in a thread. Reads only; what it notes is written afterwards.
    """
    login = normalise_email(storable(login))
    if failures.blocked(address, login):
        raise TooManyFailures
    try:
        found = _authenticate(login, password, protocol, address)
    except WrongCredentials:
        failures.note(address, login)
        raise
    failures.forgive(address, login)
    return found


def _authenticate(login: str, password: str, protocol: str, address: str) -> Login:
    if len(password) > LONGEST_PASSWORD:
        raise WrongCredentials
    password = storable(password)
    standing = _standing(login)
    app_password = _app_password(standing, password)
    if app_password is None and not _password_matches(standing, password):
        raise WrongCredentials
    if standing is None:  # never: a dummy hash matches nothing
        raise WrongCredentials
    if not standing.is_active or not standing.account_active:
        raise Disabled
    if app_password is not None:
        _check_use(app_password, protocol)
        _note_use(app_password, protocol, address)
    return Login(
        user_id=standing.user_id,
        account_id=standing.account_id or 0,
        email=standing.email,
        app_password_id=app_password.pk if app_password else None,
    )


def forget() -> None:
    """Forget all verified passwords and failures of this process."""
    _verified.clear()
    failures.clear()


def _standing(login: str) -> _Standing | None:
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [login])
        row = cursor.fetchone()
    if row is None:
        return None
    user_id, email, hashed, active, version, account_id, open_ = row
    return _Standing(
        user_id, email, hashed, bool(active), version, account_id, bool(open_)
    )


def _app_password(standing: _Standing | None, password: str) -> AppPassword | None:
    key = apppasswords.lookup(password)
    if key is None:
        return None
    user_id = standing.user_id if standing else 0
    return AppPassword.objects.filter(lookup=key, user_id=user_id).first()


def _password_matches(standing: _Standing | None, password: str) -> bool:
    unknown = _dummy_hash()
    if standing is None:
        with _hashing:
            hashers.check_password(password, unknown)
        return False
    token = _token(standing, password)
    if _verified.get(token, 0.0) > time.monotonic():
        return True
    with _hashing:
        right, outdated = hashers.verify_password(password, standing.password)
    if right:
        _remember(token)
        if outdated:
            _hash_again(standing, password)
    return right


@functools.cache
def _dummy_hash() -> str:
    return hashers.make_password(secrets.token_urlsafe(16))


def _token(standing: _Standing, password: str) -> bytes:
    text = f"{standing.user_id}:{standing.credential_version}:{password}"
    return hmac.digest(_process_key, text.encode("utf-8", "surrogatepass"), "sha256")


def _remember(token: bytes) -> None:
    if len(_verified) >= REMEMBER_MOST:
        now = time.monotonic()
        for old in [t for t, until in list(_verified.items()) if until <= now]:
            _verified.pop(old, None)
        if len(_verified) >= REMEMBER_MOST:
            _verified.clear()
    _verified[token] = time.monotonic() + REMEMBER_SECONDS


def _hash_again(standing: _Standing, password: str) -> None:
    """Keep the password under today's hasher; what was verified stays valid."""

    def write() -> None:
        User.objects.filter(pk=standing.user_id, password=standing.password).update(
            password=hashers.make_password(password)
        )

    later(f"hash {standing.user_id}", write)


def _check_use(app_password: AppPassword, protocol: str) -> None:
    expires_at = app_password.expires_at
    if expires_at is not None and expires_at <= timezone.now():
        raise Expired
    if protocol not in app_password.scopes:
        raise NotAllowed("This app password is not for this protocol")


def _note_use(app_password: AppPassword, protocol: str, address: str) -> None:
    now, last = timezone.now(), app_password.last_used_at
    if last is not None and now - last < NOTE_USE_EVERY:
        return

    def write() -> None:
        AppPassword.objects.filter(pk=app_password.pk).update(
            last_used_at=now, last_address=address or None, last_protocol=protocol
        )

    later(f"use {app_password.pk}", write)


class Backend(ModelBackend):
    """Django's door: web logins, the admin's too, take the same way."""

    @override
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        login = username or kwargs.get(User.USERNAME_FIELD)
        if not login or password is None:
            return None
        address = request.META.get("REMOTE_ADDR", "") if request else ""
        try:
            found = authenticate(login, password, protocol="web", address=address)
        except LoginRefused:
            return None
        if found.app_password_id is not None:
            return None  # a browser's session would outlive it and its scope
        return User.objects.get(pk=found.user_id)
