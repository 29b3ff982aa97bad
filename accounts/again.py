"""Who is about to do something grave shows once more that it is they.

A browser that is left open is enough to read mail, and not to make a password that
outlives it. Who logged in, or was asked, in the last minutes is not asked.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def asked_again(view: View) -> View:
    """Decorate a view of who is logged in: ask first; then do what was wanted."""

    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return ask_first(request) or view(request, *args, **kwargs)

    return cast("View", asking)


def ask_first(request: HttpRequest) -> HttpResponse | None:
    """Return the way to where one is asked, and from there back; None: go on."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    if not methods or was_asked_lately(request):
        return None
    # What is done afterwards is answered with a page, not with a part of one.
    is_part = request.META.get("HTTP_HX_REQUEST") == "true"
    for name in [name for name in request.META if name.startswith("HTTP_HX_")]:
        del request.META[name]
    answer: HttpResponse = suspend_request(request, methods[0]["url"])
    if not is_part:
        return answer
    told = HttpResponse(status=204)
    told["HX-Redirect"] = answer["Location"]
    return told


def was_asked_lately(request: HttpRequest) -> bool:
    """Tell whether a password or factor was shown in this session just now."""
    records = get_authentication_records(request, request.user)
    at = max((float(record["at"]) for record in records), default=0.0)
    return time.time() - at < float(app_settings.REAUTHENTICATION_TIMEOUT)
