"""Authentication-Results: what is written can be read; what is forged goes."""

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from mailhost.dnsauth import header
from mailhost.dnsauth.header import Result

HOST = "mail.example.test"
OURS = [
    b" mail.example.test; spf=pass",
    b" MAIL.Example.TEST;spf=pass",
    b"mail.example.test",
    b" mail.example.test 1; spf=pass",
    b"\r\n\tmail.example.test;\r\n\tspf=pass",
    b' "mail.example.test"; spf=pass',
    b' "mail\\.example.test"; spf=pass',
    b" (a (nested) comment) mail.example.test; none",
    b" mail.example.test.; spf=pass",
    b" (unclosed mail.example.test; spf=pass",
    b' "mail.example.test; spf=pass',
    b" mail. example.test; spf=pass",
    b" <mail.example.test>; spf=pass",
    b" mail.example.org 2; spf=pass",  # a version we do not know
]
OTHERS = [
    b" mail.example.org; spf=pass",
    b" mail.example.org 1; spf=pass",
    b" example.test; spf=pass smtp.mailfrom=mail.example.test",
    b" mx.mail.example.test; spf=pass",
    b" lists.example.org (mail.example.test); none",
    b"",
]


@pytest.mark.parametrize("value", OURS)
def test_what_claims_to_be_ours_goes(value: bytes) -> None:
    message = b"A: 1\r\nAuthentication-Results:%b\r\nB: 2\r\n\r\nbody\r\n" % value
    assert header.without_forged(message, HOST) == b"A: 1\r\nB: 2\r\n\r\nbody\r\n"


@pytest.mark.parametrize("value", OTHERS)
def test_what_others_wrote_stays(value: bytes) -> None:
    message = b"A: 1\r\nAuthentication-Results:%b\r\nB: 2\r\n\r\nbody\r\n" % value
    assert header.without_forged(message, HOST) is message


def test_all_of_them_go_whatever_their_place() -> None:
    forged = b"authentication-RESULTS : mail.example.test; none\r\n"
    message = (
        forged + b"A: 1\r\n" + forged * 2 + b"B: 2\r\n" + forged + b"\r\n" + forged
    )
    left = b"A: 1\r\nB: 2\r\n\r\n" + forged
    assert header.without_forged(message, HOST) == left


def test_a_message_that_is_all_header() -> None:
    message = b"A: 1\r\nAuthentication-Results: mail.example.test; none"
    assert header.without_forged(message, HOST) == b"A: 1\r\n"


def test_what_is_written_can_be_read() -> None:
    results = [
        Result("spf", "pass", (("smtp.mailfrom", "example.org"),), "it (may) \\ send"),
        Result("iprev", "fail", (("policy.iprev", "2001:db8::1"),)),
        Result("dkim", "pass", (("header.d", "ex.org"), ("header.b", 'a"b\\/+=')), "x"),
    ]
    written = header.write(HOST, results)
    assert all(len(line) <= 78 for line in written.split(b"\r\n"))
    value = written.partition(b":")[2]
    assert header.claims(value, HOST)
    assert header.read(value) == [
        Result(one.method, one.result, one.properties) for one in results
    ]


def test_nothing_to_say() -> None:
    assert header.write(HOST, []) == (
        b"Authentication-Results: mail.example.test;\r\n\tnone\r\n"
    )


@pytest.mark.parametrize("text", ["a\r\nX: y", "\x00", "é", ")", '"', "\\", "x" * 999])
def test_a_strangers_words_cannot_break_out(text: str) -> None:
    results = [Result("spf", "fail", (("smtp.mailfrom", text),), text)]
    written = header.write(HOST, results)
    assert written.isascii()
    assert b"\r\nX:" not in written
    [found] = header.read(written.partition(b":")[2])
    assert (found.method, found.result) == ("spf", "fail")
    assert len(found.properties) == 1


def test_a_field_of_another_server_is_read() -> None:
    value = (
        b" i=1; lists.example.org; arc = none (so; it = seems);\r\n\tdmarc/1=Pass"
        b' (p=none) header.from="example.com"; spf=pass smtp.mfrom=jqd@d1.example'
    )
    assert header.read(value) == [
        Result("i", "1"),
        Result("arc", "none"),
        Result("dmarc", "pass", (("header.from", "example.com"),)),
        Result("spf", "pass", (("smtp.mfrom", "jqd@d1.example"),)),
    ]


@pytest.mark.parametrize(
    "value",
    [b'"\\' * 200_000, b'"' * 200_001, b"(" * 200_000, b"(a)" * 100_000, b"=;" * 99],
)
def test_hostile_values_take_linear_time(value: bytes) -> None:
    # Quadratic work would not end before the suite's own time limit.
    message = b"Authentication-Results: " + value + b"\r\n\r\nbody"
    assert header.without_forged(message, HOST) == message
    header.read(value)


@given(
    st.binary(max_size=200) | st.text('"();=\\ \r\n\tmail.example.test').map(str.encode)
)
@profile(max_examples=300)
def test_any_octets_are_read(value: bytes) -> None:
    header.read(value)
    header.claims(value, HOST)
    message = b"Authentication-Results: " + value + b"\r\n\r\nbody"
    left = header.without_forged(message, HOST)
    assert header.without_forged(left, HOST) == left
    assert left.endswith(b"body")
