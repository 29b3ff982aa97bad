"""DKIM: the examples of the RFCs, dkimpy as signer, and what a stranger may send."""

import base64
import functools
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from mailhost.dnsauth import body, signatures
from mailhost.dnsauth.signatures import Signature
from mailhost.dnsauth.signed import letter_of
from tests.unit.dnsauth.zoned import Zoned
from tests.world.dns import DROP, Zone

VECTORS = Path(__file__).parents[2] / "vectors/dkim"
RFC_6376_KEY = (
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQ"
    "g1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gb"
    "to/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
)
RFC_8463_KEYS: Zone = {
    "brisbane._domainkey.football.example.com": {
        "TXT": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    },
    "test._domainkey.football.example.com": {
        "TXT": "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
        "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
        "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
        "Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    },
}
MESSAGE = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.test\r\nSubject: Hi \t there\r\n"
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nText  with \t blanks \r\n\r\n\r\n"
)


@functools.cache
def rsa_key(bits: int = 2048) -> tuple[bytes, str]:
    """A private key in PEM, and its record."""
    key = rsa.generate_private_key(65537, bits)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def signed(
    message: bytes = MESSAGE, *, domain: bytes = b"example.org", **options: object
) -> bytes:
    field = dkim.sign(message, b"s1", domain, rsa_key()[0], **options)
    return bytes(field) + message


async def verify(message: bytes, record: str = "", **more: str) -> list[Signature]:
    zone: Zone = {"s1._domainkey.example.org": {"TXT": record or rsa_key()[1]}}
    zone |= {name: {"TXT": text} for name, text in more.items()}
    return list(await signatures.verify(letter_of(message), Zoned(zone)))


async def test_rfc_6376_appendix_a() -> None:
    message = (VECTORS / "rfc6376-a2.eml").read_bytes()
    ask = Zoned({"brisbane._domainkey.example.com": {"TXT": RFC_6376_KEY}})
    [found] = await signatures.verify(letter_of(message), ask)
    assert (found.result, found.domain, found.bits) == ("pass", "example.com", 1024)


async def test_rfc_8463_appendix_a() -> None:
    message = (VECTORS / "rfc8463-a3.eml").read_bytes()
    found = await signatures.verify(letter_of(message), Zoned(RFC_8463_KEYS))
    assert [(s.result, s.algorithm) for s in found] == [
        ("pass", "ed25519-sha256"),
        ("pass", "rsa-sha256"),
    ]
    changed = message.replace(b"hungry", b"thirsty")
    found = await signatures.verify(letter_of(changed), Zoned(RFC_8463_KEYS))
    assert [s.result for s in found] == ["fail", "fail"]


@pytest.mark.parametrize("header", [b"simple", b"relaxed"])
@pytest.mark.parametrize("text", [b"simple", b"relaxed"])
async def test_what_dkimpy_signs_holds(header: bytes, text: bytes) -> None:
    message = signed(canonicalize=(header, text))
    [found] = await verify(message)
    assert (found.result, found.domain, found.selector) == ("pass", "example.org", "s1")
    [found] = await verify(message.replace(b"Ann", b"Eve"))
    assert (found.result, found.reason) == ("fail", "The header was changed")
    [found] = await verify(message + b"more\r\n")
    assert (found.result, found.reason) == ("fail", "The body was changed")


async def test_a_second_from_breaks_the_signature() -> None:
    [found] = await verify(b"From: eve@example.net\r\n" + signed())
    assert found.result == "fail"


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=DKIM1; p=", "permerror"),
        ("v=DKIM1; p=AAAA", "permerror"),
        ("v=DKIM1; p=%%%", "permerror"),
        (
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "permerror",
        ),
        ("nonsense", "permerror"),
        ("\N{SNOWMAN}" * 100, "permerror"),
        ("v=DKIM1; p=" + "A" * 4000, "permerror"),
    ],
)
async def test_a_key_that_is_none(record: str, result: str) -> None:
    [found] = await verify(signed(), record)
    assert found.result == result


async def test_what_the_record_says_of_its_key_counts() -> None:
    key = rsa_key()[1]
    for extra, wanted in [
        ("s=email", "pass"),
        ("s=tlsrpt", "permerror"),
        ("h=sha1", "permerror"),
        ("h=sha1:sha256; t=y:s", "pass"),
    ]:
        [found] = await verify(signed(), f"{key}; {extra}")
        assert found.result == wanted, extra
    below = signed(identity=b"ann@mail.example.org")
    assert (await verify(below, key))[0].result == "pass"
    assert (await verify(below, f"{key}; t=s"))[0].result == "permerror"


async def test_a_short_key_is_not_believed() -> None:
    pem, record = rsa_key(1024)
    message = bytes(dkim.sign(MESSAGE, b"s1", b"example.org", pem)) + MESSAGE
    assert (await verify(message, record))[0].result == "pass"
    key = rsa.RSAPublicNumbers(65537, (1 << 767) + 9).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    [found] = await verify(message, f"p={base64.b64encode(der).decode()}")
    assert (found.result, found.reason) == ("policy", "The key is too short (768 bits)")


async def test_a_huge_exponent_costs_nothing() -> None:
    def integer(number: int) -> bytes:
        octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return b"\x02\x82" + len(octets).to_bytes(2, "big") + octets

    both = integer((1 << 4095) + 9) + integer((1 << 4095) + 9)
    der = b"\x30\x82" + len(both).to_bytes(2, "big") + both
    [found] = await verify(signed(), f"p={base64.b64encode(der).decode()}")
    assert (found.result, found.reason) == ("policy", "The key is too large")


async def test_sha_1_and_partial_bodies_are_not_believed() -> None:
    old = signed(signature_algorithm=b"rsa-sha1")
    assert (await verify(old))[0].result == "policy"
    partial = signed(length=True)
    assert (await verify(partial))[0].result == "pass"
    assert (await verify(partial + b"<h1>more</h1>\r\n"))[0].result == "policy"


async def test_without_dns_it_is_not_known() -> None:
    ask = Zoned({"s1._domainkey.example.org": DROP})
    [found] = await signatures.verify(letter_of(signed()), ask)
    assert found.result == "temperror"
    [found] = await signatures.verify(letter_of(signed()), Zoned({}))
    assert (found.result, found.reason) == ("permerror", "There is no key")


async def test_keys_are_asked_for_once_and_few_signatures_are_looked_at() -> None:
    message = signed()
    field = message[: -len(MESSAGE)]
    ask = Zoned({"s1._domainkey.example.org": {"TXT": rsa_key()[1]}})
    found = await signatures.verify(letter_of(field * 50 + MESSAGE), ask)
    assert [s.result for s in found] == ["pass"] * signatures.MOST_SIGNATURES
    assert ask.asked == 1


async def test_from_must_be_signed() -> None:
    value = signed()[: -len(MESSAGE)].lower()
    bare = value.replace(b"from : ", b"").replace(b" : from", b"")
    [found] = await verify(bare + MESSAGE)
    assert (found.result, found.reason) == ("permerror", "From is not signed")


HOSTILE = [
    b"v=1; a=rsa-sha256; b=" + b" " * 200_000 + b"!",
    b"v=1; a=rsa-sha256; d=example.org; s=s1; h=from" + b":a" * 90_000,
    b"v=1; a=rsa-sha256; d=example.org; s=s1; bh=AAAA; b=AAAA; h=from" + b":a" * 2000,
    b"v=1; b=" + b"\r\n " * 60_000,
    b"v=1; d=" + b"x." * 4000 + b"; s=s1; a=rsa-sha256; h=from; bh=AA==; b=AA==",
    b"v=1; d=a b; s=../..; a=rsa-sha256; h=from; bh=AA==; b=AA==",
    b"v=1; d=example.org; s=s1; a=rsa-sha256; h=from; l="
    + b"9" * 76
    + b"; b=AAAA; bh=AA==",
    b"",
    b";;;=",
    b"\xff\xfe=\x00",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_field_is_an_error_at_once(value: bytes) -> None:
    field = b"DKIM-Signature: " + value + b"\r\n"
    found = await verify(field * 10 + MESSAGE)
    assert {s.result for s in found} <= {"permerror", "fail"}


@given(st.binary(max_size=300))
@profile(max_examples=200, deadline=None)
def test_any_octets_are_an_answer(value: bytes) -> None:
    import asyncio

    value = value.replace(b"\n", b"")
    message = b"DKIM-Signature: v=1; a=rsa-sha256; " + value + b"\r\n" + MESSAGE
    [found] = asyncio.run(verify(message))
    assert found.result in {"permerror", "fail", "policy"}


PIECES = st.sampled_from([b"\r\n", b" ", b"\t", b"x", b"word", b"\r\n" * 5, b" " * 7])


@given(st.lists(PIECES, max_size=40).map(b"".join), st.integers(1, 20))
def test_the_body_is_hashed_as_dkimpy_does(octets: bytes, size: int) -> None:
    whole, body.PIECE = body.PIECE, size
    try:
        for form, theirs in ((True, Relaxed), (False, Simple)):
            mine = b"".join(body.canonical(memoryview(octets), relaxed=form))
            assert mine == theirs.canonicalize_body(octets)
    finally:
        body.PIECE = whole


@pytest.mark.parametrize(
    "octets", [b" " * 3_000_000, b"\r\n" * 1_500_000, b" \t" * 10**6 + b"x"]
)
def test_a_hostile_body_takes_linear_time(octets: bytes) -> None:
    # Quadratic work would not end before the suite's own time limit.
    for relaxed in (True, False):
        for _ in body.canonical(memoryview(octets), relaxed=relaxed):
            pass
