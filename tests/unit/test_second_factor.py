"""Second factors of web logins: asked for, counted, used once, and kept encrypted."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Domain, User
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
FACTORS = "/account/factors/"


PERIOD = 36_000  # seconds: no test runs into the next code


def code_of(secret: str) -> str:
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD))
    return code


@pytest.fixture(autouse=True)
def no_counts(settings: Settings) -> None:
    settings.MFA_TOTP_PERIOD = PERIOD
    cache.clear()


def log_in(client: Client, user: User) -> Any:
    form = {"login": user.email, "password": PASSWORD}
    return client.post("/login/", form, follow=True)


def activate(user: User) -> tuple[Client, str]:
    """Give a user an authenticator app; return the browser and the app's secret."""
    client = Client()
    log_in(client, user)
    client.post("/account/again/", {"password": "wrong"})
    assert client.get(f"{FACTORS}totp/activate/").status_code == 302
    client.post("/account/again/", {"password": PASSWORD})
    page: Any = client.get(f"{FACTORS}totp/activate/")
    secret = page.context["form"].secret
    answer = client.post(f"{FACTORS}totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302
    cache.clear()  # the code that was used to set it up may be used again here
    return client, secret


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_a_password_alone_no_longer_lets_in(alice: User) -> None:
    _client, secret = activate(alice)
    client = Client()
    page = log_in(client, alice)
    assert page.redirect_chain[-1][0].startswith(f"{FACTORS}authenticate/")
    assert not is_in(client)
    for path in ("/", "/admin/", FACTORS):
        assert client.get(path).status_code == 302
    client.post(f"{FACTORS}authenticate/", {"code": "000000"})
    assert not is_in(client)
    client.post(f"{FACTORS}authenticate/", {"code": code_of(secret)})
    assert is_in(client)


def test_a_code_is_good_once(alice: User) -> None:
    _client, secret = activate(alice)
    code = code_of(secret)
    seen = []
    for _ in range(2):
        client = Client()
        log_in(client, alice)
        client.post(f"{FACTORS}authenticate/", {"code": code})
        seen.append(is_in(client))
    assert seen == [True, False]


def test_guessing_codes_ends(alice: User) -> None:
    _client, secret = activate(alice)
    client = Client()
    log_in(client, alice)
    for _ in range(6):
        client.post(f"{FACTORS}authenticate/", {"code": "000000"})
    client.post(f"{FACTORS}authenticate/", {"code": code_of(secret)})
    assert not is_in(client)


def test_a_recovery_code_lets_in_once(alice: User) -> None:
    browser, _secret = activate(alice)
    page: Any = browser.post(f"{FACTORS}recovery-codes/generate/", follow=True)
    code = page.context["unused_codes"][0]
    seen = []
    for _ in range(2):
        client = Client()
        log_in(client, alice)
        client.post(f"{FACTORS}authenticate/", {"code": code})
        seen.append(is_in(client))
    assert seen == [True, False]


def test_what_is_kept_is_no_secret(alice: User) -> None:
    _client, secret = activate(alice)
    for row in Authenticator.objects.all():
        assert secret not in str(row.data)


def test_turning_it_off_asks_for_the_password_again(alice: User) -> None:
    browser, _secret = activate(alice)
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.modified = True
    session.save()
    answer = browser.post(f"{FACTORS}totp/deactivate/")
    assert answer["Location"].startswith("/account/again/")
    assert Authenticator.objects.filter(user=alice).exists()


@pytest.mark.parametrize("name", ["signup", "email", "reset_password"])
def test_there_is_no_side_door(alice: User, name: str) -> None:
    assert Client().get(f"/account/closed/account_{name}/").status_code == 404
    for path in ("/accounts/login/", "/signup/", "/account/signup/"):
        assert Client().get(path).status_code == 404


def test_pages_have_no_inline_script(alice: User) -> None:
    browser, _secret = activate(alice)
    for path in ("", "totp/deactivate/", "webauthn/", "webauthn/add/"):
        page = browser.get(f"{FACTORS}{path}", follow=True)
        assert page.status_code == 200
        for tag in page.text.split("<script")[1:]:
            head = tag.partition(">")[0]
            assert "src=" in head or "application/json" in head, head


def test_a_login_without_factors_costs_few_queries(alice: User) -> None:
    client = Client()
    with CaptureQueriesContext(connection) as asked:
        client.post("/login/", {"login": alice.email, "password": PASSWORD})
    assert len(asked) < 20


@pytest.mark.parametrize("by", ["user", "domain"])
def test_who_must_have_one_makes_it_first(alice: User, by: str) -> None:
    if by == "user":
        User.objects.filter(pk=alice.pk).update(second_factor=True)
    else:
        Domain.objects.update(second_factor=True)
    client = Client()
    page = log_in(client, alice)
    assert page.redirect_chain[-1][0] == FACTORS
    assert client.get("/folders/").headers["Location"] == FACTORS
    browser, _secret = activate(alice)
    assert browser.get("/", follow=True).redirect_chain[-1][0].startswith("/mail/")


@pytest.mark.parametrize("of", ["user", "domain"])
def test_what_begins_to_be_demanded_counts_for_who_is_in(alice: User, of: str) -> None:
    client = Client()
    log_in(client, alice)
    assert client.get("/settings/").status_code == 200
    row: Any = alice if of == "user" else Domain.objects.get(name="example.test")
    row.second_factor = True
    row.save()
    assert client.get("/settings/")["Location"] == FACTORS
