"""PLAIN and LOGIN as octets."""

import pytest

from protocols.sasl import Challenge, Credentials, SaslError, start


def test_plain_says_everything_at_once() -> None:
    # RFC 4616 §4
    mechanism = start("plain")
    assert mechanism is not None
    assert mechanism.step(None) == Challenge(b"")
    assert mechanism.step(b"\0tim\0tanstaaftanstaaf") == Credentials(
        "tim", "tanstaaftanstaaf"
    )


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
    mechanism = start("PLAIN")
    assert mechanism is not None
    with pytest.raises(SaslError):
        mechanism.step(response)


def test_plain_may_name_itself() -> None:
    mechanism = start("PLAIN")
    assert mechanism is not None
    assert mechanism.step(b"Tim\0tim\0x") == Credentials("tim", "x", "Tim")


@pytest.mark.parametrize("initial", [True, False])
def test_login_asks_twice(*, initial: bool) -> None:
    mechanism = start("LOGIN")
    assert mechanism is not None
    if not initial:
        assert mechanism.step(None) == Challenge(b"Username:")
    assert mechanism.step(b"tim") == Challenge(b"Password:")
    assert mechanism.step(b"x") == Credentials("tim", "x")


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(Credentials("tim", "secret"))


def test_unknown_mechanism() -> None:
    assert start("CRAM-MD5") is None
