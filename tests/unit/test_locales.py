"""People are spoken to in their language and in their time."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone, translation

from tests.conftest import PASSWORD

if TYPE_CHECKING:
    from accounts.models import User


def log_in(user: "User", **headers: str) -> Client:
    client = Client()
    form = {"login": user.email, "password": PASSWORD}
    client.post("/login/", form, headers=headers)
    return client


def test_what_somebody_chose_wins_over_the_browser(alice: "User") -> None:
    alice.language = "fr"
    alice.save()
    client = log_in(alice)
    shown = client.get("/", follow=True, headers={"accept-language": "de"})
    assert '<html lang="fr" dir="ltr"' in shown.content.decode()
    assert shown["Content-Language"] == "fr"


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("de-AT,de;q=0.9,en;q=0.1", "de"),
        ("pl,nl;q=0.5", "nl"),
        ("pl", ""),
        ("*", ""),
        ("", ""),
        ("x" * 5000, ""),
    ],
)
def test_a_first_login_keeps_what_the_browser_asks(
    alice: "User", header: str, kept: str
) -> None:
    log_in(alice, accept_language=header)
    alice.refresh_from_db()
    assert alice.language == kept


def test_a_later_login_changes_nothing(alice: "User") -> None:
    alice.language = "it"
    alice.save()
    log_in(alice, accept_language="de")
    alice.refresh_from_db()
    assert alice.language == "it"


def test_a_language_that_is_gone_is_as_none(alice: "User") -> None:
    alice.language = "tlh"
    alice.save()
    shown = log_in(alice).get("/", follow=True, headers={"accept-language": "es"})
    assert '<html lang="es"' in shown.content.decode()


def test_a_zone_holds_for_one_request_alone(alice: "User") -> None:
    from accounts import locales

    seen = []

    def view(_request: object) -> object:
        seen.append(timezone.get_current_timezone_name())
        return None

    alice.time_zone = "Asia/Tokyo"
    locales.Locale(view)(type("Request", (), {"user": alice})())  # type: ignore[arg-type]
    assert (seen, timezone.get_current_timezone_name()) == (["Asia/Tokyo"], "UTC")


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Mars/Olympus", "x" * 64])
def test_a_zone_that_is_none_is_the_servers(
    alice: "User", zone: str, settings: object
) -> None:
    from accounts import locales

    alice.time_zone = zone
    settings.MAILHOST_TIME_ZONE = "Europe/Paris"  # type: ignore[attr-defined]
    assert str(locales.zone_of(alice)) == "Europe/Paris"


def test_mails_speak_as_their_reader(alice: "User") -> None:
    from accounts import locales

    alice.language, alice.time_zone = "de", "Asia/Kolkata"
    with translation.override("fr"), locales.spoken_to(alice):
        assert translation.get_language() == "de"
        noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
        assert timezone.localtime(noon).utcoffset() == timedelta(hours=5.5)
        assert locales.first_day() == 0
    alice.week_start = 6
    with locales.spoken_to(alice):
        assert locales.first_day() == 5
    assert locales.first_day() == 0


@pytest.mark.parametrize(
    ("language", "says"), [("de", "Nicht gefunden"), ("ar", "غير موجود"), ("pl", "Not")]
)
def test_what_is_not_there_is_told_in_ones_language(
    db: None, language: str, says: str
) -> None:
    answer = Client().get("/nowhere/", headers={"accept-language": language})
    assert answer.status_code == 404
    assert f"<h1>{says}" in answer.content.decode()


def test_pages_of_allauth_have_their_own_words(alice: "User") -> None:
    alice.language = "nl"
    alice.save()
    shown = log_in(alice).get("/account/factors/", follow=True).content.decode()
    assert '<html lang="nl"' in shown
    assert "Terug naar je account" in shown
