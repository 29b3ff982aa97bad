"""What django-allauth asks of us: who may sign up (nobody), what is kept how.

Passwords are checked by accounts.auth, through Django's backends; allauth adds what
comes after: second factors, passkeys, asking again before something grave.
"""

import base64
import hashlib
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.refusals import NotNow


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it has no types
    """People are made by administrators; their address is their login."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The address or the password is not right."),
    }

    @override
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    @override
    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the pages show where one is."""

    @override
    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        # Without allauth's own count of failures: accounts.throttle has a better one.
        # Other backends (LDAP) know a login by this name alone.
        login = credentials.pop("email", None)
        found = authenticate(request, username=login, **credentials)
        refused = getattr(request, "login_refused", None)
        if found is None and isinstance(refused, NotNow):
            # Alike for who exists and who does not; told, so that nobody goes looking
            # for another password.
            raise ValidationError(_(refused.reason))
        return found

    @override
    def reauthenticate(self, user: Any, password: str) -> bool:
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # it has no types
    """Secrets of second factors are kept encrypted: a stolen database is not enough."""

    @override
    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    @override
    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(str(key))) for key in keys])


def _key(secret: str) -> bytes:
    digest = hashlib.sha256(b"accounts.second factors\0" + secret.encode()).digest()
    return base64.urlsafe_b64encode(digest)
