"""Where a program sends a person to be allowed to act for them: accounts.provider."""

from typing import Any
from urllib.parse import urlsplit

from allauth.idp.oidc.views import AuthorizationView, RevokeView, TokenView
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from typing_extensions import override

from accounts.provider import note_used, refresh_token, refusal, revoke, spring
from mailhost.webmail.policy import SITE


class Authorize(AuthorizationView):  # type: ignore[misc]  # it has no types
    """The page that asks; it refuses what accounts.provider refuses."""

    @override
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wrong := refusal(request):
            # Not told by a redirect: where the answer would go is what is in doubt.
            return HttpResponseBadRequest(wrong, content_type="text/plain")
        response: HttpResponse = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = policy(request.GET["redirect_uri"])
        return response


class Redeem(TokenView):  # type: ignore[misc]  # it has no types
    """Where a program gets tokens; a refresh token that comes twice ends the grant."""

    @override
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.POST.get("refresh_token", "")
        row = refresh_token(text)
        if row is None and text:
            spring(text)
        response: HttpResponse = super().post(request, *args, **kwargs)
        if row is not None and refresh_token(text) is None:
            note_used(row)
        return response


class Revoke(RevokeView):  # type: ignore[misc]  # it has no types
    """Where a program gives a token back: with a refresh token, all that came of it."""

    @override
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # RFC 7009 §2.1: the access tokens of the same grant go along.
        row = refresh_token(request.POST.get("token", ""))
        response: HttpResponse = super().post(request, *args, **kwargs)
        if row is not None and refresh_token(request.POST["token"]) is None:
            revoke(row.user_id, row.client_id)
        return response


def policy(uri: str) -> str:
    """Return the site's policy, by which the form may also lead to this address."""
    parts = urlsplit(uri)
    to = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    return SITE.replace("form-action 'self'", f"form-action 'self' {to}")
