"""The servers run on uvloop, whose transports differ from asyncio's."""

import asyncio
import ssl
from typing import Any

import pytest
import uvloop

from protocols.smtp.server import submission_factory
from tests.unit.smtp.conftest import Services, plain, trusting
from tests.unit.smtp.inbox import close, messages

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = "alice@example.test"
MESSAGE = b"From: alice@example.test\r\n\r\n" + b"line\r\n" * 40_000


def test_tls_and_a_long_message(alice: Any, ssl_context: ssl.SSLContext) -> None:
    async def talk() -> list[bytes]:
        services = Services(ssl_context)
        client = await services.connect(submission_factory)
        await client.reply()
        await client.say("EHLO client.example")
        assert (await client.say("STARTTLS"))[:3] == "220"
        await client.writer.start_tls(trusting())
        await client.say("EHLO client.example")
        said = await client.say(f"AUTH PLAIN {plain(ALICE, 'correct horse battery')}")
        assert said[:3] == "235"
        assert (await client.message(ALICE, [ALICE], MESSAGE))[:3] == "250"
        assert (await client.say("QUIT"))[:3] == "221"
        assert await client.is_closed()
        found = await messages(ALICE)
        await services.close()
        await close()
        return found

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        [octets] = runner.run(talk())
    assert octets.endswith(MESSAGE + b"\r\n")
