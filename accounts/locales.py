"""In which language people are spoken to, and in whose time.

What a user chose counts; else the language of their browser and the zone of the
settings. A first login keeps what the browser asked for: mails have no browser.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.models import User

MONDAY = 1  # as Django counts
_week_start: ContextVar[int] = ContextVar("week_start", default=MONDAY)


class Locale:
    """Middleware: the language and the zone of who is logged in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if language := language_of(request.user):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        with timezone.override(zone_of(request.user)), _week_of(request.user):
            return self.get_response(request)


@contextmanager
def spoken_to(user: User) -> Iterator[None]:
    """Speak to a user outside of a request: a mail, a websocket."""
    language = language_of(user) or settings.LANGUAGE_CODE
    zone = timezone.override(zone_of(user))
    with translation.override(language), zone, _week_of(user):
        yield


@contextmanager
def _week_of(user: User | AnonymousUser) -> Iterator[None]:
    token = _week_start.set(week_start(user))
    try:
        yield
    finally:
        _week_start.reset(token)


def first_day() -> int:
    """Return the first day of the week in force, as datetime counts: 0 is Monday."""
    return (_week_start.get() - 1) % 7


def language_of(user: User | AnonymousUser) -> str:
    """Return the language a user chose, if there is such; else nothing."""
    chosen = getattr(user, "language", "")
    return _variant(chosen) if chosen else ""


def zone_of(user: User | AnonymousUser) -> ZoneInfo:
    """Return the zone a user chose, or that of the settings."""
    chosen = getattr(user, "time_zone", "")
    return ZoneInfo(chosen if is_zone(chosen) else settings.MAILHOST_TIME_ZONE)


def week_start(user: User | AnonymousUser) -> int:
    """Return the first day of a user's week: 0 is Sunday, 1 Monday, 6 Saturday."""
    chosen: int | None = getattr(user, "week_start", None)
    return MONDAY if chosen is None else chosen


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
