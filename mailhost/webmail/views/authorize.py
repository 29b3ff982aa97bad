"""Where a program sends a person to be allowed to act for them: accounts.provider."""

from typing import Any
from urllib.parse import urlsplit

from allauth.idp.oidc.views import AuthorizationView
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from typing_extensions import override

from accounts.provider import refusal
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


def policy(uri: str) -> str:
    """Return the site's policy, by which the form may also lead to this address."""
    parts = urlsplit(uri)
    to = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    return SITE.replace("form-action 'self'", f"form-action 'self' {to}")
