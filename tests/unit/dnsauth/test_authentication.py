"""All methods together, against the DNS server of the tests."""

import asyncio

import dkim
import pytest

from mailhost.dnsauth import arc, authentication, iprev
from mailhost.dnsauth.authentication import Authentication, Handover, authenticate
from mailhost.dnsauth.header import read
from mailhost.dnsauth.resolver import Asks, Purse, Resolver
from tests.unit.dnsauth.test_signatures import rsa_key
from tests.unit.dnsauth.zoned import Zoned
from tests.world.dns import SERVFAIL, Zone, dns_server, reverse

HOST = "mail.example.test"
PEER = "192.0.2.1"
MESSAGE = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.test\r\nSubject: Hi\r\n"
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nText\r\n"
)
GOOD: Zone = {
    "example.org": {"TXT": "v=spf1 a:mx.example.org -all"},
    "mx.example.org": {"A": PEER, "AAAA": "2001:db8::1"},
    reverse(PEER): {"PTR": ["other.example.org.", "mx.example.org."]},
    reverse("2001:db8::1"): {"PTR": "mx.example.org."},
    "_dmarc.example.org": {"TXT": "v=DMARC1; p=reject"},
    "s1._domainkey.example.org": {"TXT": rsa_key()[1]},
}
ANN = Handover(PEER, "mx.example.org", "ann@example.org")


def signed(message: bytes = MESSAGE) -> bytes:
    return bytes(dkim.sign(message, b"s1", b"example.org", rsa_key()[0])) + message


def purse(rows: Zone) -> Purse:
    return lambda _: Zoned(rows)


async def test_a_good_message() -> None:
    with dns_server(dict(GOOD)) as world:
        ask = Resolver([world.server]).purse(10)
        found = await authenticate(signed(), ANN, HOST, ask)
    assert (found.iprev.result, found.iprev.name) == ("pass", "mx.example.org")
    assert found.spf.result == "pass"
    assert found.signers == ["example.org"]
    assert found.dmarc.result == "pass"
    assert found.sender_is_real
    written = found.field(HOST)
    assert written.startswith(b"Authentication-Results: mail.example.test;\r\n\t")
    results = {one.method: one for one in read(written.partition(b":")[2])}
    assert {m: r.result for m, r in results.items()} == {
        "iprev": "pass",
        "spf": "pass",
        "dkim": "pass",
        "dmarc": "pass",
    }
    assert results["spf"].properties == (("smtp.mailfrom", "example.org"),)
    assert results["dmarc"].properties == (("header.from", "example.org"),)
    assert ("header.d", "example.org") in results["dkim"].properties


async def test_a_forged_one() -> None:
    found = await authenticate(
        MESSAGE, Handover("198.51.100.9", "x", "ann@example.org"), HOST, purse(GOOD)
    )
    assert (found.spf.result, found.dmarc.result) == ("fail", "fail")
    assert found.dmarc.policy == "reject"
    assert not found.sender_is_real


@pytest.mark.parametrize(
    "more", [b"X: y\r\n" * 2000, b"X: " + b"y" * 300_000 + b"\r\n"]
)
@pytest.mark.parametrize("above", [True, False])
async def test_a_forged_author_does_not_hide_in_a_long_header(
    more: bytes, *, above: bool
) -> None:
    octets = more + MESSAGE if above else MESSAGE.replace(b"\r\n\r\n", b"\r\n" + more)
    handover = Handover("198.51.100.9", "x", "eve@example.net")
    found = await authenticate(octets, handover, HOST, purse(GOOD))
    assert (found.dmarc.result, found.dmarc.policy) == ("fail", "reject")


async def test_the_null_sender_is_judged_by_its_helo() -> None:
    rows = GOOD | {"mx.example.org": {"A": PEER, "TXT": "v=spf1 a -all"}}
    handover = Handover(PEER, "mx.example.org", "")
    found = await authenticate(MESSAGE, handover, HOST, purse(rows))
    assert (found.spf.result, found.spf.identity) == ("pass", "helo")
    assert found.dmarc.result == "pass"
    assert not found.sender_is_real
    assert b"smtp.helo=mx.example.org" in found.field(HOST)


async def test_the_helo_name_is_asked_beside_the_sender() -> None:
    rows = GOOD | {"mx.example.org": {"A": "192.0.2.2", "TXT": "v=spf1 a -all"}}
    rows["example.org"] = {"TXT": "v=spf1 ip4:192.0.2.1 -all"}
    found = await authenticate(MESSAGE, ANN, HOST, purse(rows))
    assert (found.spf.result, found.helo.result) == ("pass", "fail")
    assert found.dmarc.result == "pass"
    written = found.field(HOST)
    assert b"spf=pass" in written
    assert b"smtp.helo=mx.example.org" in written
    bare = Handover(PEER, "localhost", "ann@example.org")
    assert b"smtp.helo" not in (
        await authenticate(MESSAGE, bare, HOST, purse(rows))
    ).field(HOST)


async def test_without_dns_nothing_is_known() -> None:
    found = await authenticate(signed(), ANN, HOST, Resolver([]).purse(5))
    assert [r.result for r in found.results()] == ["temperror"] * 5


async def test_what_could_not_be_asked_is_no_failure() -> None:
    rows = GOOD | {"s1._domainkey.example.org": SERVFAIL}
    handover = Handover("198.51.100.9", "x", "list@example.net")
    found = await authenticate(signed(), handover, HOST, purse(rows))
    assert found.dmarc.result == "temperror"


async def test_the_budget_bounds_all_of_it() -> None:
    zone: Zone = {
        f"d{n}.example": {
            "TXT": f"v=spf1 include:d{n + 1}.example ptr mx exists:%{{i}} -all"
        }
        for n in range(200)
    }
    fields = b"".join(
        b"DKIM-Signature: v=1; a=rsa-sha256; s=s%d; d=d%d.example; h=from;"
        b" bh=AAAA; b=AAAA\r\n" % (n, n)
        for n in range(200)
    )
    with dns_server(zone) as world:
        ask = Resolver([world.server]).purse(10)
        handover = Handover(PEER, "x", "ann@d1.example")
        found = await authenticate(fields + MESSAGE, handover, HOST, ask, 25)
        assert len(world.asked) <= 5 * 25
    assert len(found.signatures) == 10
    assert found.signatures[0].result == "permerror"


async def test_who_spends_our_queries_leaves_enough_for_dmarc() -> None:
    sets = b"".join(
        b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=d%d.example; s=s; b=AAAA\r\n"
        b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=e%d.example; s=s; h=from;"
        b" bh=AAAA; b=AAAA\r\n" % (n, n, n, n)
        for n in range(1, 51)
    )
    ill = (
        b"DKIM-Signature: v=1; a=rsa-sha256; s=s; d=ill.example; h=from;"
        b" bh=AAAA; b=AA==\r\n"
    )
    rows = GOOD | {"ill.example": SERVFAIL, "s._domainkey.ill.example": SERVFAIL}
    with dns_server(rows) as world:
        handover = Handover("198.51.100.9", "x", "eve@ill.example")
        found = await authenticate(
            sets + ill + MESSAGE, handover, HOST, Resolver([world.server]).purse(10), 20
        )
    assert (found.spf.result, found.signatures[0].result) == ("temperror", "temperror")
    # What could not be asked has nothing to say about the author's domain.
    assert (found.dmarc.result, found.dmarc.policy) == ("fail", "reject")


def test_what_is_said_of_a_chain_names_who_brought_it() -> None:
    found = Authentication(ANN, arc=arc.Arc("pass", ("example.net",)))
    written = found.field(HOST).replace(b"\r\n\t", b" ")
    assert b"arc=pass (sealed by example.net)" in written
    assert b"smtp.remote-ip=192.0.2.1" in written


async def test_a_chain_that_takes_too_long_leaves_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def endless(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(arc, "verify", endless)
    monkeypatch.setattr(authentication, "ARC_SECONDS", 0.05)
    found = await authenticate(signed(), ANN, HOST, purse(GOOD))
    assert (found.arc.result, found.dmarc.result) == ("fail", "pass")


@pytest.mark.parametrize(
    ("mail_from", "signer", "real"),
    [
        ("ann@example.org", "example.org", True),
        ("ann@bounce.example.org", "example.org", True),
        ("ann@example.org", "mail.example.org", False),
        ("ann@notexample.org", "example.org", False),
        ("ann@example.org", "org", False),
        ("", "example.org", False),
    ],
)
def test_whose_signature_makes_a_sender_real(
    mail_from: str, signer: str, *, real: bool
) -> None:
    from mailhost.dnsauth.signatures import Signature

    found = Authentication(
        Handover(PEER, "x", mail_from), signatures=(Signature("pass", signer),)
    )
    assert found.sender_is_real is real


@pytest.mark.parametrize(
    ("address", "result"),
    [
        (PEER, "pass"),
        ("2001:db8::1", "pass"),
        ("192.0.2.99", "permerror"),
        ("192.0.2.50", "fail"),
        ("192.0.2.51", "temperror"),
        ("", "permerror"),
    ],
)
async def test_iprev(address: str, result: str) -> None:
    rows = GOOD | {
        reverse("192.0.2.50"): {"PTR": "mx.example.org."},
        reverse("192.0.2.51"): SERVFAIL,
    }
    ask: Asks = Zoned(rows)
    assert (await iprev.check(address, ask)).result == result
