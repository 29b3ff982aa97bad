"""A link by which a new person sets their own password, once, within some days."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import User


class Invitations(PasswordResetTokenGenerator):
    """Tokens that are void once the password is set; PASSWORD_RESET_TIMEOUT old."""

    key_salt = "accounts.invitations"


tokens = Invitations()


def link(user: User, request: HttpRequest | None = None) -> str:
    """Return the address of the page; with a request, whole."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("welcome", args=[uid, tokens.make_token(user)])
    return request.build_absolute_uri(path) if request is not None else path
