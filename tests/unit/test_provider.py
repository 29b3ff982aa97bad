"""This host as an OAuth provider: a scripted program goes the whole way."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.idp.oidc.internal.oauthlib import authorization_codes
from allauth.idp.oidc.models import Client as Program
from allauth.idp.oidc.models import Token
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import provider
from accounts.auth import Attempt, NotAllowed, WrongCredentials, check
from accounts.claims import Bearer
from accounts.credentials import Revocation
from accounts.known import version_of
from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
BACK = "http://127.0.0.1:49152/back"
SCOPE = "openid email mail.imap mail.smtp"


@pytest.fixture
def program(db: None) -> Program:
    """A mail program as an administrator registers it: it can keep no secret."""
    cache.clear()
    return Program.objects.create(
        name="Some program",
        type=Program.Type.PUBLIC,
        scopes=SCOPE.replace(" ", "\n"),
        grant_types="authorization_code\nrefresh_token",
        redirect_uris="http://127.0.0.1/back\norg.example.app:/back",
    )


@dataclass
class Script:
    """The program's side of the flow."""

    program: Program
    browser: Client
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def question(self, **more: str) -> dict[str, str]:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.program.pk, "state": "s1",
            "redirect_uri": BACK, "scope": SCOPE, "nonce": "n1",
            "code_challenge": challenge, "code_challenge_method": "S256",
        } | more  # fmt: skip
        return {name: value for name, value in asked.items() if value}

    def ask(self, **more: str) -> Any:
        return self.browser.get("/identity/o/authorize", self.question(**more))

    def grant(self, **more: str) -> str:
        page = self.ask(**more)
        assert page.status_code == 200, page.content
        form = {"request": page.context["form"].initial["request"], "action": "grant"}
        answer: Any = self.browser.post(
            "/identity/o/authorize", {**form, "scopes": SCOPE.split()}
        )
        found = urlsplit(answer["Location"])
        assert answer["Location"].startswith(more.get("redirect_uri", BACK))
        query = parse_qs(found.query)
        assert query["state"] == ["s1"]
        return str(query["code"][0])

    def redeem(self, code: str, **more: str) -> Any:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
            "client_id": self.program.pk, "code_verifier": self.verifier,
        }  # fmt: skip
        return Client().post("/identity/o/api/token", form | more)

    def refresh(self, token: str) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        form["client_id"] = self.program.pk
        return Client().post("/identity/o/api/token", form)


@pytest.fixture
def script(program: Program, alice: User) -> Script:
    browser = Client()
    browser.post("/login/", {"login": alice.email, "password": PASSWORD})
    return Script(program, browser)


def test_the_whole_way(script: Script, alice: User) -> None:
    told = script.redeem(script.grant()).json()
    assert told["token_type"] == "Bearer"
    assert told["expires_in"] <= 3600
    assert set(told["scope"].split()) == set(SCOPE.split())
    row = Token.objects.get(type=Token.Type.ACCESS_TOKEN)
    assert row.user == alice
    assert told["access_token"] not in row.hash
    keys = Client().get("/.well-known/jwks.json").json()["keys"]
    key = jwt.PyJWK(keys[0]).key
    claims = jwt.decode(
        told["id_token"], key, algorithms=["RS256"], audience=script.program.pk
    )
    assert claims["email"] == alice.email
    assert claims["nonce"] == "n1"
    assert claims["iss"] == "http://testserver"


def test_the_server_describes_itself(db: None) -> None:
    told = Client().get("/.well-known/openid-configuration").json()
    assert told["issuer"] == "http://testserver"
    assert told["token_endpoint"].endswith("/identity/o/api/token")
    # RFC 8414 §3
    again = Client().get("/.well-known/oauth-authorization-server").json()
    assert again == told
    assert again["code_challenge_methods_supported"] == ["S256"]


def test_refresh_tokens_rotate(script: Script) -> None:
    first = script.redeem(script.grant()).json()
    second = script.refresh(first["refresh_token"]).json()
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert script.refresh(first["refresh_token"]).status_code == 400


def test_a_code_is_good_once_and_for_who_began(script: Script) -> None:
    code = script.grant()
    other = Script(script.program, script.browser)
    assert other.redeem(code).status_code == 400
    code = script.grant()
    assert script.redeem(code).status_code == 200
    assert script.redeem(code).status_code == 400
    code = script.grant()
    assert (
        script.redeem(code, redirect_uri="http://127.0.0.1:1/back").status_code == 400
    )


@pytest.mark.parametrize(
    "more",
    [
        {"code_challenge": ""},
        {"code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"response_type": "token"},
        {"response_type": "id_token token"},
        {"response_type": ""},
        {"client_id": "nobody"},
        {"redirect_uri": ""},
        {"redirect_uri": "http://127.0.0.1:49152/other"},
        {"redirect_uri": "http://127.0.0.1:49152/back?x=1"},
        {"redirect_uri": "http://127.0.0.1:49152/back#x"},
        {"redirect_uri": "http://127.0.0.1.evil.test/back"},
        {"redirect_uri": "http://x@127.0.0.1:49152/back"},
        {"redirect_uri": "https://127.0.0.1:49152/back"},
        {"redirect_uri": "http://localhost:49152/back"},
        {"redirect_uri": "http://127.0.0.1:99999/back"},
        {"redirect_uri": "org.example.app:/other"},
        {"prompt": "none"},
        {"prompt": "login none"},
    ],
)
def test_anything_less_is_refused(script: Script, more: dict[str, str]) -> None:
    answer = script.ask(**more)
    assert answer.status_code == 400
    assert "Location" not in answer


@pytest.mark.parametrize(
    "back", [BACK, "http://127.0.0.1/back", "org.example.app:/back"]
)
def test_where_the_answer_may_go(script: Script, back: str) -> None:
    code = script.grant(redirect_uri=back)
    assert script.redeem(code, redirect_uri=back).status_code == 200


def test_the_form_may_lead_back(script: Script) -> None:
    policy = script.ask()["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:49152;" in policy


def test_who_logged_in_long_ago_is_asked_again(script: Script) -> None:
    session = script.browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.modified = True
    session.save()
    answer = script.ask()
    assert answer["Location"].startswith("/account/again/?next=%2Fidentity")
    form = {"password": PASSWORD, "next": parse_qs(urlsplit(answer.url).query)["next"]}
    there = script.browser.post(answer.url, form)
    assert there["Location"].startswith("/identity/o/authorize?")
    assert script.redeem(script.grant()).status_code == 200


def test_what_is_not_registered_is_not_given(script: Script) -> None:
    script.program.scopes = "openid\nmail.imap"
    script.program.save()
    answer = script.ask()
    assert parse_qs(urlsplit(answer["Location"]).query)["error"] == ["invalid_scope"]


def test_who_is_not_logged_in_logs_in_first(program: Program) -> None:
    answer = Script(program, Client()).ask()
    assert answer["Location"].startswith("/login/")


def test_no_program_registers_itself_or_asks_with_a_password(script: Script) -> None:
    assert Client().post("/identity/o/api/clients").status_code == 404
    assert Client().post("/identity/o/api/introspect").status_code == 404
    form = {"grant_type": "password", "username": "alice@example.test"}
    form |= {"password": PASSWORD, "client_id": script.program.pk}
    assert Client().post("/identity/o/api/token", form).status_code == 400


def test_a_person_takes_it_back(script: Script, alice: User, bob: User) -> None:
    told = script.redeem(script.grant()).json()
    assert "Some program" in script.browser.get("/account/").text
    other = Client()
    other.post("/login/", {"login": bob.email, "password": PASSWORD})
    path = f"/account/programs/{script.program.pk}/drop/"
    assert other.post(path).status_code == 404
    assert script.browser.post(path).status_code == 302
    assert not Token.objects.filter(user=alice).exists()
    assert script.refresh(told["refresh_token"]).status_code == 400


def test_a_refresh_token_given_back_takes_all_along(script: Script) -> None:
    told = script.redeem(script.grant()).json()
    held = Token.objects.exclude(type__in=provider.TRAPS)
    form = {"client_id": script.program.pk, "token": "nonsense"}
    Client().post("/identity/o/api/revoke", form)
    assert held.count() == 2
    form["token"] = told["refresh_token"]
    Client().post("/identity/o/api/revoke", {**form, "client_id": "another"})
    assert held.count() == 2
    Client().post("/identity/o/api/revoke", form)
    assert not Token.objects.exists()


@pytest.mark.parametrize("protocol", ["imap", "smtp", "pop3"])
def test_a_mail_program_logs_in_with_what_it_was_given(
    script: Script, alice: User, settings: Settings, protocol: str
) -> None:
    settings.MAILHOST_ACCESS_TOKENS = True
    token = script.redeem(script.grant()).json()["access_token"]
    claim, at = Bearer(alice.email, token), Attempt(protocol, "192.0.2.1")
    if protocol == "pop3":  # that scope was not asked for
        with pytest.raises(NotAllowed):
            check(claim, at)
        return
    found = check(claim, at)
    assert found.user_id == alice.pk
    assert version_of(found) is not None
    with pytest.raises(WrongCredentials):
        check(Bearer("bob@example.test", token), at)
    provider.revoke(alice.pk, script.program.pk)
    assert version_of(found) is None
    ended = Revocation.objects.get(access_token_id=found.access_token_id)
    assert ended.user_id == alice.pk
    with pytest.raises(WrongCredentials):
        check(claim, at)


def test_a_used_refresh_token_ends_the_grant(script: Script) -> None:
    first = script.redeem(script.grant()).json()["refresh_token"]
    second = script.refresh(first).json()["refresh_token"]
    assert script.refresh(first).status_code == 400
    assert script.refresh(second).status_code == 400
    assert not Token.objects.filter(type=Token.Type.ACCESS_TOKEN).exists()


def test_a_code_that_comes_twice_takes_back_what_the_first_gave(
    script: Script, alice: User, settings: Settings
) -> None:
    settings.MAILHOST_ACCESS_TOKENS = True
    code = script.grant()
    told = script.redeem(code).json()
    at = Attempt("imap", "192.0.2.1")
    found = check(Bearer(alice.email, told["access_token"]), at)
    assert script.redeem(code, client_id="another").status_code >= 400
    assert version_of(found) is None
    assert Revocation.objects.filter(access_token_id=found.access_token_id).exists()
    assert script.refresh(told["refresh_token"]).status_code == 400
    with pytest.raises(WrongCredentials):
        check(Bearer(alice.email, told["access_token"]), at)


def test_of_two_who_redeem_at_once_neither_keeps_anything(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = script.grant()
    whose = provider.whose_code

    def while_another_redeems(client_id: str, said: str) -> int | None:
        user_id = whose(client_id, said)
        monkeypatch.setattr(provider, "whose_code", whose)
        script.redeem(said)
        cache.set(*kept)
        return user_id

    key = authorization_codes.cache_key(script.program.pk, code)
    kept = key, cache.get(key)
    monkeypatch.setattr(provider, "whose_code", while_another_redeems)
    assert script.redeem(code).json() == {"error": "invalid_grant"}
    assert not Token.objects.exists()


def test_a_trap_is_no_program_that_acts(script: Script, alice: User) -> None:
    told = script.redeem(script.grant()).json()
    assert provider.programs_of(alice.pk) == [script.program]
    for token in (told["refresh_token"], told["access_token"]):
        Token.objects.by_value(token).delete()
    assert Token.objects.count() == 1
    assert provider.programs_of(alice.pk) == []


def test_a_new_password_ends_what_programs_hold(
    script: Script, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    refresh = script.redeem(script.grant()).json()["refresh_token"]
    alice.set_password("quite another phrase")
    with django_capture_on_commit_callbacks(execute=True):
        alice.save()
    assert not Token.objects.exists()
    assert script.refresh(refresh).status_code == 400


def test_there_is_no_device_flow(script: Script) -> None:
    script.program.grant_types += "\nurn:ietf:params:oauth:grant-type:device_code"
    script.program.save()
    form = {"client_id": script.program.pk, "scope": "mail.imap"}
    assert Client().post("/identity/o/api/device/code", form).status_code == 404
    assert script.browser.post("/identity/o/device").status_code == 404
    told = Client().get("/.well-known/openid-configuration").json()
    assert told["response_types_supported"] == ["code"]
    assert "device" not in str(told["grant_types_supported"])


def test_expired_tokens_go(script: Script) -> None:
    script.redeem(script.grant())
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert provider.prune() == 3
    assert json.dumps(list(Token.objects.values())) == "[]"
