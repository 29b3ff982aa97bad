"""Access tokens, those of this server and those of an outside provider: one question.

`find(text)` returns whose a token is and what it is good for, or None. A token of ours
is 256 random bits behind a prefix, found by its SHA-256. Anything else is asked of the
provider's keys (accounts.jwts), where one is configured.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import jwts
from accounts.known import Credential
from accounts.models import AccessToken

PREFIX = "mht_"
SCOPES = ("imap", "pop3", "smtp", "sieve")
# As they stand in a token's scope.
WORDS = {"imap": "mail.imap", "pop3": "mail.pop", "smtp": "mail.smtp"}
WORDS["sieve"] = "mail.sieve"
MOST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Found:
    """Whose a valid token is."""

    user_id: int
    credential: Credential


def is_ours(text: str) -> bool:
    """Tell whether a token can be looked up without asking a provider's keys."""
    return text.startswith(PREFIX)


def are_taken() -> bool:
    """Tell whether any source of tokens is configured."""
    return bool(settings.MAILHOST_ACCESS_TOKENS or settings.MAILHOST_OAUTH_ISSUER)


def find(text: str) -> Found | None:
    """Return whose token this is, even an expired one; None of none. May fetch keys."""
    if is_ours(text):
        return _own(text) if settings.MAILHOST_ACCESS_TOKENS else None
    if not settings.MAILHOST_OAUTH_ISSUER:
        return None
    known = jwts.find(text)
    if known is None:
        return None
    scopes = tuple(p for p, word in WORDS.items() if word in known.scope)
    return Found(known.user_id, Credential("token", scopes, known.expires_at))


def issue(
    user_id: int, scopes: Sequence[str], client: str, seconds: int = MOST_SECONDS
) -> tuple[AccessToken, str]:
    """Save a token for a program; return its row and its text, which is not kept."""
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"no such scope: {', '.join(sorted(unknown))}")
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError("a token is good for an hour at most")
    text = PREFIX + secrets.token_urlsafe(32)
    row = AccessToken.objects.create(
        user_id=user_id,
        digest=digest_of(text),
        scopes=list(scopes),
        client=client,
        expires_at=timezone.now() + timedelta(seconds=seconds),
    )
    return row, text


def digest_of(text: str) -> str:
    """Return under what a token is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def prune() -> None:
    """Forget tokens that expired a day ago; what they opened is long closed."""
    AccessToken.objects.filter(
        expires_at__lt=timezone.now() - timedelta(days=1)
    ).delete()


def _own(text: str) -> Found | None:
    row = AccessToken.objects.filter(digest=digest_of(text)).first()
    if row is None:
        return None
    credential = Credential(
        "token", tuple(row.scopes), row.expires_at, access_token_id=row.pk
    )
    return Found(row.user_id, credential)
