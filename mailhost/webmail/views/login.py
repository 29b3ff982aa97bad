"""Log in and out."""

from allauth.account.views import LoginView
from django.contrib.auth.views import LogoutView

from mailhost.webmail.forms import LoginForm


class Login(LoginView):  # type: ignore[misc]  # it has no types
    """The door: accounts.auth.Backend checks the password, allauth what comes after."""

    template_name = "accounts/login.html"
    form_class = LoginForm


class Logout(LogoutView):
    """By POST alone."""
