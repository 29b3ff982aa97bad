"""ARC: the published suite of sealing, and what is sealed verifies."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from mailhost.dnsauth import arc
from mailhost.dnsauth.arcset import Sealer, Sight, names_to_sign, seal
from mailhost.dnsauth.signed import letter_of
from tests.unit.dnsauth.test_signatures import rsa_key
from tests.unit.dnsauth.zoned import Zoned

SUITE = Path(__file__).parents[2] / "vectors/arc/arc-draft-sign-tests.yml"
MESSAGE = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=x; h=from; bh=AA==; b=AA==\r\n"
    b"From: a@a.test\r\nSubject:  one \r\n\ttwo\r\nReceived: by x\r\n\r\n"
    b"Text  x \r\n\r\n"
)
SEEN = b" mail.example.test;\r\n\tdmarc=pass header.from=a.test\r\n"


def sealer(secret: bytes, domain: str = "example.org", selector: str = "s1") -> Sealer:
    key = load_pem_private_key(secret, None)
    assert isinstance(key, RSAPrivateKey)
    return Sealer(domain, selector, key)


def cases() -> list[Any]:
    found = []
    for section in yaml.safe_load_all(SUITE.read_text("utf-8")):
        for name, test in section["tests"].items():
            found.append(pytest.param(section, test, id=name))
    return found


def squeezed(octets: bytes) -> str:
    return "".join(octets.decode().split())


@pytest.mark.parametrize(("section", "test"), cases())
def test_the_suite(section: Any, test: Any) -> None:
    message = test["message"].encode().replace(b"\n", b"\r\n")
    # The suite merges several fields; ours is always one.
    said = test["AAR"].partition(";")[2].replace("\n", "\r\n ").encode()
    chain = re.search(r"arc=(\w+)", test["AAR"])
    secret = section["privatekey"].encode()
    made = seal(
        letter_of(message),
        Sight(said, chain[1] if chain else "none"),
        sealer(secret, section["domain"], section["sel"]),
        test["sig-headers"].encode().split(b":"),
        int(test["t"]),
    )
    if not test["AS"]:
        assert made == b""
        return
    fields = dict(letter_of(made + b"\r\n").fields)
    for name, key in (
        (b"ARC-Authentication-Results", "AAR"),
        (b"ARC-Message-Signature", "AMS"),
        (b"ARC-Seal", "AS"),
    ):
        assert squeezed(fields[name]) == squeezed(test[key].encode())


def zone(domain: str = "example.org") -> Zoned:
    return Zoned({f"s1._domainkey.{domain}": {"TXT": rsa_key()[1]}})


def sealed(octets: bytes, chain: str = "none") -> bytes:
    letter = letter_of(octets)
    names = names_to_sign(letter, (b"dkim-signature", b"from", b"subject"))
    return seal(letter, Sight(SEEN, chain), sealer(rsa_key()[0]), names) + octets


async def test_chains_grow_and_verify() -> None:
    octets = MESSAGE
    for number in range(1, 4):
        octets = sealed(
            b"Received: by y\r\n" + octets, "pass" if number > 1 else "none"
        )
        assert max(map(len, octets.split(b"\r\n"))) < 998
        found = await arc.verify(letter_of(octets), zone())
        assert (found.result, len(found.sealers)) == ("pass", number), found
        assert b"dmarc=pass" in found.said


async def test_where_others_fold_does_not_matter() -> None:
    octets = sealed(MESSAGE)
    for folded in (
        octets.replace(b";\r\n ", b";\r\n\t"),
        octets.replace(b"ARC-Message-Signature: ", b"ARC-Message-Signature:\r\n\t"),
    ):
        assert folded != octets
        assert (await arc.verify(letter_of(folded), zone())).result == "pass"


@pytest.mark.parametrize(
    "change",
    [
        (b"Text", b"Test"),
        (b"From: a@", b"From: b@"),
        (b"two", b"three"),
        (b"dmarc=pass", b"dmarc=fail"),
        (b"Subject", b"From: eve@x.test\r\nSubject"),
        (b"bh=AA==", b"bh=BB=="),
    ],
)
async def test_no_change_is_believed(change: tuple[bytes, bytes]) -> None:
    octets = sealed(MESSAGE).replace(*change, 1)
    assert (await arc.verify(letter_of(octets), zone())).result == "fail"


async def test_a_chain_that_failed_is_sealed_once_more_and_no_further() -> None:
    broken = sealed(MESSAGE).replace(b"Text", b"Test")
    again = sealed(broken, "fail")
    assert b"i=2;\r\n" in again
    assert b"cv=fail" in again
    assert (await arc.verify(letter_of(again), zone())).result == "fail"
    assert sealed(again, "fail") == again


@given(st.lists(st.binary(max_size=60), max_size=6), st.sampled_from(["none", "fail"]))
@profile(max_examples=100, deadline=None)
def test_whatever_claims_to_be_a_set_is_sealed_or_left(
    values: list[bytes], chain: str
) -> None:
    names = (b"ARC-Seal", b"ARC-Message-Signature", b"arc-authentication-results")
    fields = b"".join(
        b"%b: i=%d; %b\r\n" % (names[n % 3], n // 3, re.sub(rb"[\r\n]", b"", value))
        for n, value in enumerate(values, start=2)
    )
    made = sealed(fields + MESSAGE, chain)
    assert made.endswith(fields + MESSAGE)
