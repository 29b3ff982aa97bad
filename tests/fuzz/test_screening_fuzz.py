"""Hostile messages through all checks: always an answer, in bounded time."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pytest_django import Settings

from mailhost.dnsauth.authentication import Handover
from mailhost.dnsauth.header import read
from mailhost.screening import pipeline
from tests.unit.dnsauth.test_signatures import rsa_key
from tests.world.dns import Zone, dns_server

PEER = Handover("192.0.2.1", "mx.example.org", "a@example.org")
SIGNED = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=AA==; b=AA==\r\n"
)
SETS = b"".join(
    b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=x.example; s=s; b=AA==\r\n"
    b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=x.example; s=s; h=from; bh=AA==;"
    b" b=AA==\r\n"
    b"ARC-Authentication-Results: i=%d; x.example; dmarc=pass\r\n" % (n, n, n)
    for n in range(1, 60)
)
HOSTILE = [
    b"",
    b"\r\n" * 1_000_000,
    b"From: " + b"(" * 100_000 + b"\r\n\r\n",
    b"From: " + b"a@b, " * 50_000 + b"\r\n\r\n",
    b"From: a@" + b"x." * 50_000 + b"example\r\n\r\n",
    b"X: y\r\n" * 50_000 + b"\r\n",
    b"X: " + b" " * 2_000_000 + b"\r\n\r\n",
    SIGNED * 2000 + b"From: a@x.example\r\n\r\n" + b" \t" * 1_000_000 + b"x\r\n",
    SETS + b"From: a@x.example\r\n\r\nText\r\n",
    SETS.replace(b"i=7;", b"i=99999999999999999999;") + b"From: a@x.example\r\n\r\n",
    SETS.replace(b"i=", b"i =\r\n "),
    b"Authentication-Results: " + b"(" * 200_000 + b"\r\n\r\n",
    b"Authentication-Results: " + b'"\\' * 100_000 + b"\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=" + b"x" * 200_000 + b"\r\n\r\n",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("octets", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_message_is_an_answer(
    octets: bytes, settings: Settings
) -> None:
    zone: Zone = {
        "s._domainkey.x.example": {"TXT": rsa_key()[1]},
        "_dmarc.x.example": {"TXT": "v=DMARC1; p=none"},
    }
    with dns_server(zone) as world:
        settings.MAILHOST_DNS_SERVERS = [world.server]
        await looked_at(octets)
    settings.MAILHOST_DNS_SERVERS = ["none"]
    await looked_at(octets)


async def looked_at(octets: bytes) -> None:
    verdict = await pipeline.screen(octets, PEER, ["bob@example.test"])
    written = verdict.origin.field("mail.example.test")
    assert len(written) < 10_000
    assert read(written.partition(b":")[2])
    assert len(verdict.to_json()) < 20_000


NAMES = st.sampled_from(
    [
        *(b"From", b"DKIM-Signature", b"ARC-Seal", b"ARC-Message-Signature", b"Date"),
        *(
            b"ARC-Authentication-Results",
            b"Authentication-Results",
            b"Content-Type",
            b"X",
        ),
    ]
)
VALUES = st.binary(max_size=80) | st.text(
    'iabdhsvx=;:1/ \t"()<>@,.\\relaxed', max_size=80
).map(str.encode)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12), st.binary(max_size=200))
@profile(max_examples=150, deadline=None)
def test_any_message_is_an_answer(
    fields: list[tuple[bytes, bytes]], body: bytes
) -> None:
    header = b"".join(name + b":" + value + b"\r\n" for name, value in fields)
    octets = header + b"\r\n" + body
    asyncio.run(pipeline.screen(octets, PEER, ["bob@example.test"]))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
@profile(max_examples=150, deadline=None)
def test_any_envelope_is_an_answer(mail_from: str, helo: str, peer: str) -> None:
    octets = b"From: a@example.org\r\n\r\n"
    for address in (peer, "192.0.2.1"):
        handover = Handover(address, helo, mail_from)
        verdict = asyncio.run(pipeline.screen(octets, handover, [mail_from]))
        assert verdict.origin.field("mail.example.test").isascii()
