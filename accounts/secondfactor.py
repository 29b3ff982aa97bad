"""Who must have a second factor has one before anything else, in the browser.

Mail programs of theirs use app passwords or tokens (accounts.auth.allowed).
"""

import time
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.known import standing_of
from accounts.models import User

# What is needed to get one, and to leave.
OPEN = ("/account/", "/logout/", "/login/", "/static/")
SOUND = "second_factor_sound_at"
SOUND_SECONDS = 300


class SecondFactor:
    """Middleware: sends who still needs a second factor to where it is made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._is_to_ask(request):
            if is_missing(request):
                return HttpResponseRedirect(reverse("mfa_index"))
            request.session[SOUND] = [int(time.time()), _version(request)]
        return self.get_response(request)

    @staticmethod
    def _is_to_ask(request: HttpRequest) -> bool:
        if not request.user.is_authenticated or request.path.startswith(OPEN):
            return False
        sound = request.session.get(SOUND)
        if not isinstance(sound, list) or sound[1] != _version(request):
            return True  # what is demanded may have changed
        return time.time() - float(sound[0]) > SOUND_SECONDS


def _version(request: HttpRequest) -> int:
    assert isinstance(request.user, User)
    return request.user.credential_version


def is_missing(request: HttpRequest) -> bool:
    """Tell whether this user needs a second factor and has none."""
    assert request.user.is_authenticated
    standing = standing_of(request.user.email)
    needs = standing is not None and standing.second_factor
    return needs and not is_mfa_enabled(request.user)
