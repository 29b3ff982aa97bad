"""Access tokens, those of this server and those of an outside provider: one question.

`find(text)` returns whose a token is and what it is good for, or None. A token of ours
(accounts.provider) is random bits, found by their SHA-256. What has the form of a JWT
is asked of the outside provider's keys (accounts.jwts), where one is configured.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from allauth.idp.oidc.models import Token
from django.conf import settings
from django.utils import timezone

from accounts import jwts
from accounts.known import Credential

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
    return text.count(".") != 2


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
) -> tuple[Token, str]:
    """Save a token for a program; return its row and its text, which is not kept.

    For programs of this host's own; others get theirs by OAuth. `client` is a name.
    """
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"no such scope: {', '.join(sorted(unknown))}")
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError("a token is good for an hour at most")
    text = secrets.token_urlsafe(48)
    row = Token(
        type=Token.Type.ACCESS_TOKEN,
        user_id=user_id,
        data={"program": client},
        expires_at=timezone.now() + timedelta(seconds=seconds),
    )
    row.set_value(text)
    row.set_scopes([WORDS[scope] for scope in scopes])
    row.save()
    return row, text


def _own(text: str) -> Found | None:
    rows = Token.objects.by_value(text).filter(type=Token.Type.ACCESS_TOKEN)
    row = rows.filter(user__isnull=False).first()
    if row is None:
        return None
    granted = row.get_scopes()
    scopes = tuple(p for p, word in WORDS.items() if word in granted)
    credential = Credential("token", scopes, row.expires_at, access_token_id=row.pk)
    return Found(row.user_id, credential)
