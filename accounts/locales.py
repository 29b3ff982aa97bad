"""In which language people are spoken to, and in whose time.

What a user chose counts; else the language of their browser and the zone of the
settings. A first login keeps what the browser asked for: mails have no browser.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.models import User


class Locale:
    """Middleware: the language and the zone of who is logged in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if language := language_of(request.user):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


@contextmanager
def spoken_to(user: User) -> Iterator[None]:
    """Speak to a user outside of a request: a mail, a websocket."""
    language = language_of(user) or settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(zone_of(user)):
        yield


def language_of(user: User | AnonymousUser) -> str:
    """Return the language a user chose, if there is such; else nothing."""
    chosen = getattr(user, "language", "")
    return _variant(chosen) if chosen else ""


def zone_of(user: User | AnonymousUser) -> ZoneInfo:
    """Return the zone a user chose, or that of the settings."""
    chosen = getattr(user, "time_zone", "")
    return ZoneInfo(chosen if is_zone(chosen) else settings.MAILHOST_TIME_ZONE)


def week_start(user: User) -> int:
    """Return the first day of a user's week: 0 is Sunday, 1 Monday, 6 Saturday."""
    if user.week_start is not None:
        return user.week_start
    return int(formats.get_format("FIRST_DAY_OF_WEEK"))


def is_zone(name: str) -> bool:
    """Tell whether a text is the IANA name of a zone."""
    return name in _known()


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def zones() -> tuple[str, ...]:
    """Return the zones that people choose from, in order: no old names, no offsets."""
    table = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("ascii")
    rows = [line.split("\t") for line in table.splitlines() if line[0] != "#"]
    return ("UTC", *sorted({row[2] for row in rows} & _known()))


def asked_for(request: HttpRequest) -> str:
    """Return the language a browser wants most of those we have, or nothing."""
    header = request.headers.get("Accept-Language", "")
    for wanted, _weight in parse_accept_lang_header(header):
        if wanted != "*" and (found := _variant(wanted)):
            return found
    return ""


def _variant(language: str) -> str:
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return ""


def remember(request: HttpRequest, user: User, **_: Any) -> None:
    """Receive user_logged_in: keep the browser's language if none was chosen."""
    if not user.language and (language := asked_for(request)):
        User.objects.filter(pk=user.pk, language="").update(language=language)
        user.language = language
