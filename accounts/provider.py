"""This host as an OAuth 2 and OpenID provider: mail programs get tokens, no passwords.

django-allauth does the protocol. What is stricter here: the code flow alone, with PKCE
by S256; redirect addresses exactly as registered, but for the port on loopback.
"""

import functools
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from allauth.idp.oidc.adapter import DefaultOIDCAdapter, get_adapter
from allauth.idp.oidc.internal.oauthlib import authorization_codes
from allauth.idp.oidc.models import Client, PrivateKey, Token
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

LOOPBACK = {"127.0.0.1", "::1"}
KEY_FILE = "oidc-key.pem"
# Types of Token beside allauth's own: traps, for what was redeemed and comes again.
TRAPS = USED, USED_CODE = "ur", "uc"


class ProviderAdapter(DefaultOIDCAdapter):  # type: ignore[misc]  # it has no types
    """Our scopes, and our key."""

    scope_display: ClassVar[dict[str, Any]] = {
        **DefaultOIDCAdapter.scope_display,
        "mail.imap": _("Read and file your mail (IMAP)"),
        "mail.pop": _("Fetch your mail (POP3)"),
        "mail.smtp": _("Send mail as you (SMTP)"),
        "mail.sieve": _("Change your filters (ManageSieve)"),
    }

    @override
    def get_claims(
        self, purpose: Any, user: Any, client: Client, scopes: Any, **kwargs: Any
    ) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_claims(
            purpose, user, client, scopes, **kwargs
        )
        if "email" in scopes:  # it is ours: nobody has to verify it
            claims |= {"email": user.email, "email_verified": True}
        if "profile" in scopes:
            claims |= {"name": user.name, "preferred_username": user.email}
        return claims

    @override
    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        data["response_types_supported"] = ["code"]
        data["grant_types_supported"] = ["authorization_code", "refresh_token"]
        data["code_challenge_methods_supported"] = ["S256"]
        data.pop("device_authorization_endpoint", None)

    @override
    def list_private_keys(self, **_kwargs: Any) -> list[PrivateKey]:
        return [PrivateKey(pem=private_key(Path(settings.MAILHOST_DATA_DIR)))]


@functools.cache
def private_key(directory: Path) -> str:
    """Return the PEM of the key that signs ID tokens; made once, for us alone."""
    given = settings.MAILHOST_OIDC_KEY
    file = Path(given) if given else directory / KEY_FILE
    if not file.exists():
        handle, draft = tempfile.mkstemp(dir=directory)  # mode 0600
        with os.fdopen(handle, "wb") as stream:
            stream.write(_new_key())
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            os.unlink(draft)
    return file.read_text("ascii")


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def refusal(request: HttpRequest) -> str:
    """Return why a request is not taken; "" if it is."""
    if "none" in request.GET.get("prompt", "").split():
        return "prompt=none is not taken: a person is always asked."
    if request.GET.get("response_type") != "code":
        return "Only response_type=code is taken."
    if request.GET.get("code_challenge_method") != "S256":
        return "A code_challenge with code_challenge_method=S256 is wanted."
    if not 43 <= len(request.GET.get("code_challenge", "")) <= 128:
        return "The code_challenge has no sound length."
    client = Client.objects.filter(pk=request.GET.get("client_id", "")).first()
    uri = request.GET.get("redirect_uri", "")
    registered = client.get_redirect_uris() if client is not None else []
    if not any(is_same(uri, one) for one in registered):
        return "This redirect_uri is not registered."
    return ""


def is_same(uri: str, registered: str) -> bool:
    """Tell whether an address is the registered one; on loopback any port may stand."""
    if uri == registered:
        return True
    try:
        asked, known = urlsplit(uri), urlsplit(registered)
        port = asked.port
    except ValueError:
        return False
    if known.scheme != "http" or known.hostname not in LOOPBACK or not port:
        return False
    host = f"[{known.hostname}]" if ":" in known.hostname else known.hostname
    return uri == urlunsplit(known._replace(netloc=f"{host}:{port}"))


def prune() -> int:
    """Delete tokens whose time is over; return how many."""
    return int(Token.objects.expired().delete()[0])


def programs_of(user_id: int) -> list[Client]:
    """Return the programs that hold tokens of a user."""
    held = Token.objects.valid().filter(user_id=user_id, client__isnull=False)
    held = held.exclude(type__in=TRAPS)
    return list(Client.objects.filter(pk__in=held.values("client")).order_by("name"))


def refresh_token(text: str) -> Token | None:
    """Return the row of a refresh token that is good."""
    return Token.objects.lookup(Token.Type.REFRESH_TOKEN, text)


def note_used(row: Token) -> None:
    """Keep the hash of a refresh token that was changed for another, as its trap."""
    Token.objects.get_or_create(
        type=USED,
        hash=row.hash,
        defaults={
            "user_id": row.user_id,
            "client_id": row.client_id,
            "expires_at": row.expires_at,
        },
    )


def whose_code(client_id: str, code: str) -> int | None:
    """Return the user who gave a code that is good; None of any other."""
    found = authorization_codes.lookup(client_id, code)
    client = Client.objects.filter(pk=client_id).first()
    if found is None or client is None:
        return None
    user = get_adapter().get_user_by_sub(client, found["sub"])
    return None if user is None else int(user.pk)


def note_redeemed(code: str, client_id: str, user_id: int) -> bool:
    """Keep the hash of a redeemed code as its trap; False: another was faster."""
    _row, is_new = Token.objects.get_or_create(
        type=USED_CODE,
        hash=get_adapter().hash_token(code),
        defaults={
            "user_id": user_id,
            "client_id": client_id,
            # As long as what came of it can be renewed, at least.
            "expires_at": timezone.now()
            + timedelta(seconds=settings.IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN),
        },
    )
    return bool(is_new)


def spring(text: str, kind: str = USED) -> bool:
    """Take all that a program was given, if a used refresh token or code comes again.

    Two hold the grant then, and one of them is a thief. RFC 9700 §4.14.2 and, of a
    code, RFC 6749 §4.1.2.
    """
    row = Token.objects.by_value(text).filter(type=kind).first()
    return row is not None and bool(revoke(row.user_id, row.client_id))


def revoke_all(user_id: int) -> None:
    """Take everything that a user gave to programs."""
    Token.objects.filter(user_id=user_id).delete()


def revoke(user_id: int, client_id: str) -> int:
    """Take all that a user gave a program; return how many tokens that were."""
    held = Token.objects.filter(user_id=user_id, client_id=client_id)
    return int(held.delete()[0])
