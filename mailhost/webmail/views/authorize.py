"""Where a program sends a person to be allowed to act for them: accounts.provider."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from allauth.core.internal import httpkit
from allauth.idp.oidc.views import AuthorizationView, RevokeView, TokenView
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
)
from typing_extensions import override

from accounts import provider
from accounts.again import ask_first
from accounts.provider import note_used, refresh_token, refusal, revoke, spring
from mailhost.webmail.policy import SITE


class Authorize(AuthorizationView):  # type: ignore[misc]  # it has no types
    """The page that asks; it refuses what accounts.provider refuses."""

    @override
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wrong := refusal(request):
            # Not told by a redirect: where the answer would go is what is in doubt.
            return HttpResponseBadRequest(wrong, content_type="text/plain")
        if request.user.is_authenticated and (asking := ask_first(request)):
            return asking
        response: HttpResponse = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = policy(request.GET["redirect_uri"])
        return response


class Redeem(TokenView):  # type: ignore[misc]  # it has no types
    """Where a program gets tokens; a refresh token or code that comes twice ends it."""

    @override
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("grant_type") == "authorization_code":
            return self._redeem_code(request, *args, **kwargs)
        text = request.POST.get("refresh_token", "")
        row = refresh_token(text)
        if row is None and text:
            spring(text)
        response: HttpResponse = super().post(request, *args, **kwargs)
        if row is not None and refresh_token(text) is None:
            note_used(row)
        return response

    def _redeem_code(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        code, client_id = request.POST.get("code", ""), client_of(request)
        user_id = provider.whose_code(client_id, code)
        if user_id is None:
            provider.spring(code, provider.USED_CODE)
        response: HttpResponse = super().post(request, *args, **kwargs)
        if user_id is None or response.status_code != HTTPStatus.OK:
            return response
        if not provider.note_redeemed(code, client_id, user_id):
            # Two at the same moment: neither keeps what it got.
            provider.spring(code, provider.USED_CODE)
            return JsonResponse({"error": "invalid_grant"}, status=400)
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


def client_of(request: HttpRequest) -> str:
    """Return which program says it asks: by a field, or by HTTP Basic.

    RFC 6749 §2.3.1. What it says is checked by who answers it.
    """
    said, _secret = httpkit.extract_basic_auth(request.headers)
    return said or request.POST.get("client_id", "")


def policy(uri: str) -> str:
    """Return the site's policy, by which the form may also lead to this address."""
    parts = urlsplit(uri)
    to = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    return SITE.replace("form-action 'self'", f"form-action 'self' {to}")
