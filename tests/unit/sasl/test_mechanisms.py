"""The mechanisms as octets, against the examples of their RFCs."""

import json
from base64 import b64decode
from typing import Any

import pytest
from pytest_django import Settings

from accounts import scram as keys
from accounts.auth import WrongCredentials
from accounts.claims import Bearer, Certificate, Password, Proof, Salted
from accounts.known import Login
from protocols import sasl
from protocols.sasl import At, Challenge, Exchange, Said, SaslError, offered
from protocols.sasl import scram as mechanism

AT = At(tls=True)
TIM = Login(1, 2, "tim")


def begun(name: str, at: At = AT) -> Exchange:
    return Exchange(sasl.MECHANISMS[name][0](at))


def test_plain_says_everything_at_once() -> None:
    # RFC 4616 §4
    exchange = begun("PLAIN")
    assert exchange.step(None) == Challenge(b"")
    said = exchange.step(b"\0tim\0tanstaaftanstaaf")
    assert said == Password("tim", "tanstaaftanstaaf")
    assert exchange.answered(TIM) == TIM


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"tim",
        b"\0tim",
        b"\0tim\0",
        b"\0\0secret",
        b"\0tim\0a\0b",
        b"Ursel\0Kurt\0xipj3plmq",  # acting as somebody else
        b"\0tim\0\xff",
        b"\0tim\0" + b"x" * 5000,
    ],
)
def test_plain_refuses(response: bytes) -> None:
    with pytest.raises(SaslError):
        begun("PLAIN").step(response)


def test_plain_may_name_itself() -> None:
    assert begun("PLAIN").step(b"Tim\0tim\0x") == Password("tim", "x")


@pytest.mark.parametrize("initial", [True, False])
def test_login_asks_twice(*, initial: bool) -> None:
    exchange = begun("LOGIN")
    if not initial:
        assert exchange.step(None) == Challenge(b"Username:")
    assert exchange.step(b"tim") == Challenge(b"Password:")
    assert exchange.step(b"x") == Password("tim", "x")


def test_what_is_secret_is_never_shown() -> None:
    shown = [
        Password("tim", "hush"),
        Bearer("tim", "hush"),
        Proof("t", "S", b"", b"hush"),
    ]
    assert "hush" not in repr(shown)


# RFC 5802 §5 and RFC 7677 §3: user "user", password "pencil".
EXAMPLES = {
    "SCRAM-SHA-1": (
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        "3rfcNHYJY1ZVvWVs7j",
        "QSXCR+Q6sek8bf92",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"  # noqa: ISC004
        "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "SCRAM-SHA-256": (
        "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"  # noqa: ISC004
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_scram_of_the_rfc(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, nonce, salt, final, verifier = EXAMPLES[name]
    monkeypatch.setattr(mechanism, "new_nonce", lambda: nonce)
    monkeypatch.setattr(keys, "ITERATIONS", 4096)
    exchange = begun(name)
    assert exchange.step(first.encode()) == Salted("user")
    said = exchange.answered(keys.Parameters(b64decode(salt), 4096))
    client_nonce = first.rpartition("r=")[2]
    assert said == Challenge(f"r={client_nonce}{nonce},s={salt},i=4096".encode())
    claim = exchange.step(final.encode())
    assert isinstance(claim, Proof)
    kept = keys.keys_of(["pencil"], b64decode(salt), [name])
    answer = keys.try_proof(kept, name, claim.message, claim.proof)
    assert answer is not None
    who = Login(1, 2, "user", answer=answer)
    assert exchange.answered(who) == Challenge(verifier.encode())
    assert exchange.step(b"") == who
    wrong = keys.keys_of(["Pencil"], b64decode(salt), [name])
    assert keys.try_proof(wrong, name, claim.message, claim.proof) is None


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"x,,n=user,r=abc",
        b"n,n=user,r=abc",
        b"n,,n=us=er,r=abc",  # "=" is quoted. RFC 5802 §5.1
        b"n,,n=,r=abc",
        b"n,,m=ext,n=user,r=abc",  # mandatory, and not known
        b"n,,n=user,r=a\x7fb",
        b"n,,n=user",
        b"n,a=other,n=user,r=abc",
        b"n,,n=\xff,r=abc",
        b"p=tls-unique,,n=user,r=abc",  # a binding we have not
        b"p=tls-exporter,,n=user,r=abc",
        b"n,,n=user,r=" + b"x" * 600,
        b"n,,n=" + b"x" * 5000 + b",r=a",
    ],
)
def test_scram_refuses_to_begin(first: bytes) -> None:
    with pytest.raises(SaslError):
        begun("SCRAM-SHA-256").step(first)


def test_scram_unquotes_names_and_passes_extensions_by() -> None:
    said = begun("SCRAM-SHA-256").step(b"y,a=a=2Cb=3D,n=a=2Cb=3D,r=abc,x=y")
    assert said == Salted("a,b=")


@pytest.mark.parametrize(
    ("gs2", "final"),
    [
        ("n,,", "c=biws,r=other,p=AAAA"),
        ("n,,", "c=eSws,r={r},p=AAAA"),  # "y,," where "n,," was said: a downgrade
        ("y,,", "c=biws,r={r},p=AAAA"),  # and the other way round
        ("n,,", "c=biwsAAAA,r={r},p=AAAA"),  # binding data behind "n"
        ("n,,", "c=biws,r={r}"),
        ("n,,", "c=biws,r={r},p=*"),
        ("n,,", "c=***,r={r},p=AAAA"),
        ("n,,", "r={r},c=biws,p=AAAA"),
        ("n,,", ""),
    ],
)
def test_scram_refuses_what_does_not_fit(gs2: str, final: str) -> None:
    exchange = begun("SCRAM-SHA-256")
    exchange.step(f"{gs2}n=user,r=abc".encode())
    said: Any = exchange.answered(keys.Parameters(b"salt", 4096))
    nonce = said.octets.decode().split(",")[0].removeprefix("r=")
    with pytest.raises(SaslError):
        exchange.step(final.format(r=nonce).encode())


def test_scram_nonces_differ() -> None:
    seen = set()
    for _ in range(20):
        exchange = begun("SCRAM-SHA-256")
        exchange.step(b"n,,n=user,r=abc")
        seen.add(exchange.answered(keys.Parameters(b"salt", 4096)).octets)  # type: ignore[union-attr]  # a Challenge
    assert len(seen) == 20


# RFC 7628 §4.1
BEARER = (
    b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQz"
    b"AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
)


def test_oauthbearer_of_the_rfc() -> None:
    said = begun("OAUTHBEARER").step(b64decode(BEARER))
    assert said == Bearer(
        "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    )


@pytest.mark.parametrize("last", [b"\1", b""])
def test_oauthbearer_says_what_is_wrong(last: bytes) -> None:
    # RFC 7628 §4.3: an empty one asks for the scope
    exchange = begun("OAUTHBEARER", At("smtp", tls=True))
    said = exchange.step(b"n,a=user@example.com,\1host=h\1port=143\1auth=\1\1")
    assert said == Bearer("user@example.com", "")
    said = exchange.refused(WrongCredentials())
    assert isinstance(said, Challenge)
    assert json.loads(said.octets) == {"status": "invalid_token", "scope": "mail.smtp"}
    with pytest.raises(WrongCredentials):
        exchange.step(last)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"\1",
        b"n,,\1\1",
        b"n,,\1auth=Bearer x\1",
        b"n,,\1auth=Bearer x",
        b"n,,x\1auth=Bearer x\1\1",
        b"y,,\1auth=Bearer x\1\1",
        b"n,,\1host\1auth=Bearer x\1\1",
        b"n,,\1auth=Bearer x\0\1\1",
        b"n,,\1auth=Bearer " + b"x" * 20_000 + b"\1\1",
    ],
)
def test_oauthbearer_refuses(response: bytes) -> None:
    with pytest.raises(SaslError):
        begun("OAUTHBEARER").step(response)


def test_xoauth2() -> None:
    exchange = begun("XOAUTH2")
    said = exchange.step(b"user=someuser@example.com\1auth=Bearer ya29.vF9dft4\1\1")
    assert said == Bearer("someuser@example.com", "ya29.vF9dft4")
    assert isinstance(exchange.refused(WrongCredentials()), Challenge)
    with pytest.raises(WrongCredentials):
        exchange.step(b"")


@pytest.mark.parametrize("response", [b"", b"user=a\1\1", b"user=a\1auth=x\1", b"\xff"])
def test_xoauth2_refuses(response: bytes) -> None:
    with pytest.raises(SaslError):
        begun("XOAUTH2").step(response)


ONE, TWO = ("a@example.test",), ("a@example.test", "b@example.test")


@pytest.mark.parametrize(
    ("emails", "response", "said"),
    [
        (ONE, b"", Certificate("a@example.test")),
        (ONE, b"A@example.test", Certificate("a@example.test")),
        (TWO, b"b@example.test", Certificate("b@example.test")),
        (TWO, b"", None),  # which of them
        (ONE, b"c@example.test", None),
        (ONE, b"\xff", None),
    ],
)
def test_external(emails: tuple[str, ...], response: bytes, said: Said | None) -> None:
    exchange = begun("EXTERNAL", At(tls=True, emails=emails))
    if said is None:
        with pytest.raises(SaslError):
            exchange.step(response)
    else:
        assert exchange.step(response) == said


LDAP = ["accounts.auth.Backend", "django_auth_ldap.backend.LDAPBackend"]


@pytest.mark.parametrize(
    ("changes", "at", "names"),
    [
        ({}, AT, "PLAIN LOGIN"),
        # Who has a password of their own would fail where SCRAM is preferred.
        ({"MAILHOST_SCRAM_MAIN_PASSWORDS": "collect"}, AT, "PLAIN LOGIN"),
        ({"MAILHOST_SCRAM_MAIN_PASSWORDS": "yes"}, AT, "SCRAM-SHA-256 PLAIN LOGIN"),
        ({"MAILHOST_APP_PASSWORDS_ONLY": True}, AT, "SCRAM-SHA-256 PLAIN LOGIN"),
        (
            {"MAILHOST_APP_PASSWORDS_ONLY": True, "MAILHOST_SCRAM_SHA1": True},
            AT,
            "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN",
        ),
        # A directory cannot serve SCRAM.
        (
            {"MAILHOST_APP_PASSWORDS_ONLY": True, "AUTHENTICATION_BACKENDS": LDAP},
            AT,
            "PLAIN LOGIN",
        ),
        ({"MAILHOST_ACCESS_TOKENS": True}, AT, "PLAIN LOGIN OAUTHBEARER XOAUTH2"),
        # Never in the clear, whatever is allowed for passwords. RFC 7628 §5
        ({"MAILHOST_ACCESS_TOKENS": True}, At(), "PLAIN LOGIN"),
        ({}, At(tls=True, emails=ONE), "EXTERNAL PLAIN LOGIN"),
        ({}, At(tls=False, emails=ONE), "PLAIN LOGIN"),
    ],
)
def test_what_is_announced(
    settings: Settings, changes: dict[str, Any], at: At, names: str
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert " ".join(offered(at)) == names
    for name in sasl.MECHANISMS:
        assert (sasl.start(name.lower(), at) is not None) == (name in names.split())
    assert sasl.start("CRAM-MD5", at) is None
