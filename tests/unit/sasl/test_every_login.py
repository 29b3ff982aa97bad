"""Each mechanism, by each protocol, in each standing of user and credential."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
import pytest
from allauth.idp.oidc.models import Token
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from pytest_django import Settings

from accounts import apppasswords, auth, scram, standing, tokens
from accounts.claims import Bearer
from accounts.known import Login
from accounts.models import Account, AppPassword, ExternalIdentity, User
from accounts.saslprep import saslprep
from protocols.sasl import MECHANISMS, At, Challenge, Exchange
from tests.sasl_client import Scram, ask

pytestmark = pytest.mark.engines

PROTOCOLS = ("imap", "pop3", "smtp")
KEY = ec.generate_private_key(ec.SECP256R1())
OWN = "a password of alice's alone"
ISSUER, AUDIENCE = "https://id.example.test", "mail"
WHOLE = "imap pop3 smtp"


@dataclass
class Shown:
    """What a client has, to be shown by a mechanism."""

    user: User
    password: str = OWN
    token: str = ""


def plain(shown: Shown, at: At) -> Login:
    return run("PLAIN", at, f"\0{shown.user.email}\0{shown.password}".encode())


def login(shown: Shown, at: At) -> Login:
    return run("LOGIN", at, shown.user.email.encode(), shown.password.encode())


def scram_256(shown: Shown, at: At) -> Login:
    client = Scram(shown.user.email, shown.password)
    return run("SCRAM-SHA-256", at, client.first(), client.final, client.verifies)


def scram_1(shown: Shown, at: At) -> Login:
    client = Scram(shown.user.email, shown.password, "sha1")
    return run("SCRAM-SHA-1", at, client.first(), client.final, client.verifies)


def oauthbearer(shown: Shown, at: At) -> Login:
    said = f"n,a={shown.user.email},\1auth=Bearer {shown.token}\1\1"
    return run("OAUTHBEARER", at, said.encode(), b"\1")


def xoauth2(shown: Shown, at: At) -> Login:
    said = f"user={shown.user.email}\1auth=Bearer {shown.token}\1\1"
    return run("XOAUTH2", at, said.encode(), b"")


def external(shown: Shown, at: At) -> Login:
    return run("EXTERNAL", At(at.protocol, True, False, (shown.user.email,)), b"")


def run(name: str, at: At, *answers: bytes | Callable[[bytes], bytes | bool]) -> Login:
    exchange = Exchange(MECHANISMS[name][0](at))
    left = list(answers)
    said = exchange.step(left.pop(0))  # type: ignore[arg-type]  # the first is octets
    while not isinstance(said, Login):
        if isinstance(said, Challenge):
            answer = left.pop(0)
            response = answer(said.octets) if callable(answer) else answer
            if isinstance(response, bool):
                assert response, "the server does not know the password"
                response = b""
            said = exchange.step(response)
            continue
        try:
            answer = ask(said, at.protocol)
        except auth.LoginRefused as error:
            said = exchange.refused(error)
        else:
            said = exchange.answered(answer)
    return said


BY_PASSWORD = (plain, login, scram_256, scram_1)
BY_TOKEN = (oauthbearer, xoauth2)
Mechanism = Callable[[Shown, At], Login]


@pytest.fixture(autouse=True)
def all_mechanisms(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    auth.forget()
    settings.MAILHOST_SCRAM_MAIN_PASSWORDS = "yes"
    settings.MAILHOST_SCRAM_SHA1 = settings.MAILHOST_ACCESS_TOKENS = True
    settings.MAILHOST_OAUTH_ISSUER, settings.MAILHOST_OAUTH_AUDIENCE = ISSUER, AUDIENCE
    monkeypatch.setattr(scram, "ITERATIONS", 4)  # so that a hundred take no minute
    known = jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    public = jwt.PyJWK.from_dict({**known, "kid": "k"})
    monkeypatch.setattr("accounts.jwts.keys.get", lambda _: public)


def own_password(user: User, scopes: str, expires: int) -> Shown:
    user.set_password(OWN)
    user.save()
    return Shown(user)


def app_password(user: User, scopes: str, expires: int) -> Shown:
    until = timezone.now() + timedelta(seconds=expires)
    _, text = apppasswords.create(user.pk, "phone", scopes.split(), until)
    return Shown(user, text)


def own_token(user: User, scopes: str, expires: int) -> Shown:
    row, text = tokens.issue(user.pk, scopes.split(), "a program")
    row.expires_at = timezone.now() + timedelta(seconds=expires)
    row.save()
    return Shown(user, token=text)


def outside_token(user: User, scopes: str, expires: int) -> Shown:
    ExternalIdentity.objects.get_or_create(user=user, issuer=ISSUER, subject="4711")
    return Shown(user, token=jwt_for(scopes, expires))


def jwt_for(scopes: str = WHOLE, expires: int = 600, **claims: Any) -> str:
    now = int(timezone.now().timestamp())
    said = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "4711", "exp": now + expires,
        "scope": " ".join(tokens.WORDS[word] for word in scopes.split()), **claims,
    }  # fmt: skip
    kept = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(kept, KEY, algorithm="ES256", headers={"kid": "k"})


def certificate(user: User, scopes: str, expires: int) -> Shown:
    return Shown(user)


WAYS: list[tuple[Callable[[User, str, int], Shown], Mechanism]] = [
    *((own_password, by) for by in BY_PASSWORD),
    *((app_password, by) for by in BY_PASSWORD),
    *((own_token, by) for by in BY_TOKEN),
    *((outside_token, by) for by in BY_TOKEN),
    (certificate, external),
]
IDS = [f"{show.__name__}-{by.__name__}" for show, by in WAYS]


def suspended(user: User) -> None:
    standing.suspend(user)


def user_disabled(user: User) -> None:
    user.is_active = False
    user.save()


def account_disabled(user: User) -> None:
    Account.objects.filter(owner=user).update(active=False)


def second_factor(user: User) -> None:
    user.second_factor = True
    user.save()


def domain_second_factor(user: User) -> None:
    from accounts.models import Domain

    Domain.objects.filter(name="example.test").update(second_factor=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("show", "by"), WAYS, ids=IDS)
def test_every_way_in(
    alice: User, bob: User, show: Callable[[User, str, int], Shown], by: Mechanism,
    protocol: str, settings: Settings,
) -> None:  # fmt: skip
    at = At(protocol, tls=True)
    shown = show(alice, WHOLE, 600)
    found = by(shown, at)
    assert (found.user_id, found.account_id) == (alice.pk, alice.account.pk)
    # It is alice's alone.
    if show is not certificate:
        shown.user = bob
        with pytest.raises(auth.WrongCredentials):
            by(shown, at)
        shown.user = alice
    for spoil in (suspended, user_disabled, account_disabled):
        spoil(alice)
        with pytest.raises(auth.NotAllowed, match="disabled"):
            by(shown, at)
        standing.resume(alice)
    # A second factor is more than a password, and everything else is more than that.
    for demand in (second_factor, domain_second_factor):
        demand(alice)
        if show is own_password:
            with pytest.raises(auth.NotAllowed, match="app password"):
                by(shown, at)
        else:
            assert by(shown, at).user_id == alice.pk
        User.objects.update(second_factor=False)
        alice.refresh_from_db()
    settings.MAILHOST_APP_PASSWORDS_ONLY = True
    if show is own_password:
        with pytest.raises(auth.NotAllowed, match="app password"):
            by(shown, at)
    else:
        assert by(shown, at).user_id == alice.pk


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("show", "by"), [way for way in WAYS if way[0] not in {own_password, certificate}],
    ids=[i for i in IDS if not i.startswith(("own_password", "certificate"))],
)  # fmt: skip
def test_scope_and_expiry(
    alice: User, show: Callable[[User, str, int], Shown], by: Mechanism, protocol: str
) -> None:
    at = At(protocol, tls=True)
    others = " ".join(p for p in PROTOCOLS if p != protocol)
    with pytest.raises(auth.NotAllowed, match="not for this protocol"):
        by(show(alice, others, 600), at)
    with pytest.raises(auth.LoginRefused):
        by(show(alice, WHOLE, -60), at)
    AppPassword.objects.all().delete()
    Token.objects.all().delete()
    ExternalIdentity.objects.all().delete()
    gone = show(alice, protocol, 600)
    assert by(gone, at).user_id == alice.pk
    AppPassword.objects.all().delete()
    Token.objects.all().delete()
    ExternalIdentity.objects.all().delete()
    with pytest.raises(auth.WrongCredentials):
        by(gone, at)


@pytest.mark.parametrize("name", ["sha256", "sha1"])
def test_nobody_has_a_salt_as_everybody_has(alice: User, name: str) -> None:
    first = [auth.salted(n) for n in ("nobody@example.test", "Nobody@example.test")]
    assert first[0] == first[1]
    assert auth.salted("nobody2@example.test").salt != first[0].salt
    assert len(first[0].salt) == len(auth.salted(alice.email).salt)
    assert first[0].iterations == auth.salted(alice.email).iterations
    by = scram_256 if name == "sha256" else scram_1
    with pytest.raises(auth.WrongCredentials, match=r"^Authentication failed$"):
        by(Shown(User(email="nobody@example.test")), At())
    with pytest.raises(auth.WrongCredentials, match=r"^Authentication failed$"):
        by(Shown(alice, "wrong"), At())


def test_a_user_from_before_scram_keeps_the_salt_that_was_told(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(scram_salt=None)
    before = auth.salted(alice.email)
    _, text = apppasswords.create(alice.pk, "phone")
    assert auth.salted(alice.email) == before
    assert scram_256(Shown(alice, text), At()).app_password_id is not None


def test_salts_are_random(alice: User, bob: User) -> None:
    assert bytes(alice.scram_salt or b"") != bytes(bob.scram_salt or b"")


def test_an_app_password_without_its_dashes(alice: User) -> None:
    row, text = apppasswords.create(alice.pk, "phone")
    found = scram_256(Shown(alice, text.replace("-", "")), At())
    assert found.app_password_id == row.pk


def test_own_passwords_have_no_keys_unless_wanted(
    alice: User, settings: Settings
) -> None:
    settings.MAILHOST_SCRAM_MAIN_PASSWORDS = "no"
    own_password(alice, "", 0)
    assert User.objects.get(pk=alice.pk).scram_keys is None
    with pytest.raises(auth.WrongCredentials):
        scram_256(Shown(alice), At())


def test_keys_are_collected_at_a_login(alice: User, settings: Settings) -> None:
    from accounts import afterwards

    settings.MAILHOST_SCRAM_MAIN_PASSWORDS = "no"
    own_password(alice, "", 0)
    settings.MAILHOST_SCRAM_MAIN_PASSWORDS = "collect"
    auth.forget()
    plain(Shown(alice), At())
    afterwards.run_waiting()
    assert scram_256(Shown(alice), At()).user_id == alice.pk


def test_keys_do_not_outlive_the_password(alice: User) -> None:
    own_password(alice, "", 0)
    from django.contrib.auth.hashers import make_password

    User.objects.filter(pk=alice.pk).update(password=make_password("another"))
    with pytest.raises(auth.WrongCredentials):
        scram_256(Shown(alice), At())


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.test"},
        {"iss": None},
        {"aud": "web"},
        {"aud": None},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"sub": "4712"},
        {"sub": None, "email": "alice@example.test", "email_verified": True},
        {"scope": None},
        {"scope": {"mail.imap": 1}},
    ],
)
def test_tokens_of_others_are_looked_at_closely(
    alice: User, claims: dict[str, Any]
) -> None:
    ExternalIdentity.objects.create(user=alice, issuer=ISSUER, subject="4711")
    assert oauthbearer(Shown(alice, token=jwt_for()), At()).user_id == alice.pk
    with pytest.raises(auth.LoginRefused):
        oauthbearer(Shown(alice, token=jwt_for(**claims)), At())


def test_a_token_signed_otherwise(alice: User) -> None:
    ExternalIdentity.objects.create(user=alice, issuer=ISSUER, subject="4711")
    text = jwt_for()
    head, body, signature = text.split(".")
    stranger = ec.generate_private_key(ec.SECP256R1())
    claims = jwt.decode(text, options={"verify_signature": False})
    for bad in (
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        jwt.encode(claims, stranger, algorithm="ES256", headers={"kid": "k"}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": "k"}),
        jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": "k"}),
        "a.b.c",
        "x" * 20_000,
    ):
        with pytest.raises(auth.WrongCredentials):
            auth.check(Bearer(alice.email, bad), auth.Attempt("imap", "127.0.0.1"))


def test_a_token_is_kept_as_its_digest_for_an_hour_at_most(alice: User) -> None:
    row, text = tokens.issue(alice.pk, ["imap"], "a program")
    assert text not in repr(Token.objects.filter(pk=row.pk).values().get())
    assert row.expires_at - row.created_at <= timedelta(hours=1, seconds=1)
    with pytest.raises(ValueError, match="hour"):
        tokens.issue(alice.pk, ["imap"], "a program", 3601)
    with pytest.raises(ValueError, match="scope"):
        tokens.issue(alice.pk, ["web"], "a program")


def test_a_password_is_prepared_as_the_client_does(alice: User) -> None:
    alice.set_password("ﬁn\u00adger\u00a0Ⅸ")  # RFC 4013 §3
    alice.save()
    assert scram_256(Shown(alice, "finger IX"), At()).user_id == alice.pk


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0007", None),
        ("\u0627\u0031", None),
    ],
)
def test_saslprep_of_the_rfc(text: str, prepared: str | None) -> None:
    if prepared is None:
        with pytest.raises(ValueError, match=r"prohibited|mixed"):
            saslprep(text)
    else:
        assert saslprep(text) == prepared
