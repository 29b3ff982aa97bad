"""The addresses of logging in: django-allauth's, as far as we use it."""

from allauth.account import views
from allauth.idp.oidc.views import ConfigurationView
from allauth.mfa.webauthn import views as webauthn
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from mailhost.webmail.views.authorize import Authorize, Redeem, Revoke
from mailhost.webmail.views.login import Login


def closed(_request: HttpRequest) -> HttpResponse:
    """Answer for what allauth wants a name of and we do not have."""
    raise Http404


# People are made by administrators, who also help with lost passwords.
CLOSED = ("account_signup", "account_email", "account_reset_password")

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", Login.as_view(), name="account_login"),
    path("account/logout/", views.logout, name="account_logout"),
    path("account/inactive/", views.account_inactive, name="account_inactive"),
    path("account/again/", views.reauthenticate, name="account_reauthenticate"),
    path(
        "account/password/",
        RedirectView.as_view(pattern_name="account"),
        name="account_change_password",
    ),
    path("account/factors/", include("allauth.mfa.urls")),
    path("account/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    *(path(f"account/closed/{name}/", closed, name=name) for name in CLOSED),
    # Before allauth's own of these addresses.
    path("identity/o/authorize", Authorize.as_view()),
    path("identity/o/api/revoke", Revoke.as_view()),
    path("identity/o/api/token", Redeem.as_view()),
    path("identity/o/api/device/code", closed),
    path("identity/o/device", closed),
    # RFC 8414 §3: the same page, for programs that speak OAuth without OpenID.
    path(".well-known/oauth-authorization-server", ConfigurationView.as_view()),
    path("", include("allauth.idp.urls")),
]
