"""Log in and out."""

from django.contrib.auth.views import LoginView, LogoutView

from mailhost.webmail.forms import LoginForm


class Login(LoginView):
    """The door. accounts.auth.Backend checks the password."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class Logout(LogoutView):
    """By POST alone."""
