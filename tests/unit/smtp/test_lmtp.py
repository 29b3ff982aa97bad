"""LMTP: one reply for each recipient. RFC 2033."""

from typing import Any

import pytest

from protocols.smtp.server import lmtp_factory
from tests.unit.smtp.conftest import Client, Services
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)


async def greeted(services: Services) -> Client:
    client = await services.connect(lmtp_factory)
    assert await client.reply() == "220 mail.example.test LMTP mailhost"
    assert (await client.say("EHLO x"))[:9] == "500 5.5.1"
    assert (await client.say("HELO x"))[:9] == "500 5.5.1"
    assert "PIPELINING" in await client.say("LHLO client.example")
    return client


async def test_each_has_a_reply(services: Services, alice: Any, bob: Any) -> None:
    from tests.unit.smtp.test_mx import set_quota

    await set_quota(bob, 10)
    client = await greeted(services)
    await client.say("MAIL FROM:<x@far.example>")
    assert (await client.say("RCPT TO:<alice@example.test>"))[:3] == "250"
    assert (await client.say("RCPT TO:<nobody@example.test>"))[:3] == "550"
    assert (await client.say("RCPT TO:<bob@example.test>"))[:3] == "250"
    await client.say("DATA")
    await client.send(b"Subject: from a pipe\n\nline\n\r\n.\r\nNOOP\r\n")
    assert await client.reply() == "250 2.1.5 Delivered"
    assert (await client.reply())[:9] == "452 4.2.2"
    assert (await client.reply())[:9] == "250 2.0.0"
    [octets] = await messages("alice@example.test")
    assert b" with LMTP id " in octets
    assert octets.endswith(b"Subject: from a pipe\r\n\r\nline\r\n\r\n")


async def test_a_refusal_is_said_for_each(
    services: Services, alice: Any, bob: Any
) -> None:
    services.max_message_bytes = 70_000
    client = await greeted(services)
    await client.say("MAIL FROM:<>")
    await client.say("RCPT TO:<alice@example.test>")
    await client.say("RCPT TO:<bob@example.test>")
    await client.say("DATA")
    await client.send(b"x" * 80_000 + b"\r\n.\r\nNOOP\r\n")
    said = [(await client.reply())[:3] for _ in range(3)]
    assert said == ["552", "552", "250"]
