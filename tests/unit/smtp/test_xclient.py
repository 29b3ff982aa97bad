"""A trusted proxy says who the client is. postfix.org/XCLIENT_README.html"""

from dataclasses import replace
from typing import Any

import pytest

from protocols.common.context import ConnectionContext
from protocols.smtp.mx import Mx
from protocols.smtp.paths import Refused
from protocols.smtp.submission import Submission
from protocols.smtp.xclient import parse
from tests.conftest import PASSWORD
from tests.unit.smtp.conftest import Services, plain
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.test"


def behind_a_proxy(context: ConnectionContext) -> Mx:
    return Mx(replace(context, trusted_proxy=True))


def submission_behind_a_proxy(context: ConnectionContext) -> Submission:
    proxy = replace(context, trusted_proxy=True, peer="127.0.0.1", ssl_context=None)
    return Submission(replace(proxy, allow_plaintext_login=True))


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("ADDR=192.0.2.9", {"ADDR": "192.0.2.9"}),
        ("addr=IPV6:2001:db8::1 PORT=25", {"ADDR": "IPV6:2001:db8::1", "PORT": "25"}),
        ("NAME=[UNAVAILABLE] HELO=a+2Bb", {"NAME": "", "HELO": "a+b"}),
        ("PROTO=ESMTP DESTADDR=192.0.2.1", {"PROTO": "ESMTP", "DESTADDR": "192.0.2.1"}),
    ],
)
def test_parse(argument: str, found: dict[str, str]) -> None:
    assert parse(argument) == found


@pytest.mark.parametrize(
    "argument",
    [
        *("", "ADDR", "ADDR=", "ADDR=far.example", "ADDR=1.2.3", "PORT=99999"),
        *("ADDR=192.0.2.9 ADDR=192.0.2.9", "LOGIN=alice", "PROTO=LMTP", "X=Y"),
        *("HELO=a+0D+0Ab", "HELO=a+2", "NAME=a=b", "ADDR=192.0.2.9  PORT=1"),
    ],
)
def test_what_is_refused(argument: str) -> None:
    with pytest.raises(Refused, match=r"501 5\.5\.4"):
        parse(argument)


async def test_the_client_is_who_the_proxy_says(services: Services, alice: Any) -> None:
    client = await services.connect(behind_a_proxy)
    await client.reply()
    assert "XCLIENT NAME ADDR PORT" in await client.say("EHLO proxy.example")
    await client.say("MAIL FROM:<x@far.example>")
    assert (await client.say("XCLIENT ADDR=198.51.100.5"))[:3] == "503"
    await client.say("RSET")
    said = await client.say("XCLIENT ADDR=198.51.100.5 NAME=[UNAVAILABLE]")
    assert said == "220 mail.example.test ESMTP mailhost"
    assert (await client.say("MAIL FROM:<x@far.example>"))[:3] == "503"
    await client.say("EHLO real.example")
    said = await client.message("x@far.example", [ALICE], b"Subject: x\r\n\r\nx")
    assert said[:3] == "250"
    [octets] = await messages(ALICE)
    assert b"Received: from real.example ([198.51.100.5])" in octets


async def test_nobody_else_may(services: Services) -> None:
    client = await services.mx()
    assert "XCLIENT" not in await client.say("EHLO far.example")
    assert (await client.say("XCLIENT ADDR=127.0.0.1"))[:9] == "550 5.7.0"


async def test_a_stranger_gets_no_rights_of_the_proxy(
    services: Services, alice: Any
) -> None:
    """A proxy on this machine may log in without TLS; who is behind it may not."""
    client = await services.connect(submission_behind_a_proxy)
    await client.reply()
    assert "AUTH" in await client.say("EHLO proxy.example")
    said = await client.say(f"AUTH PLAIN {plain(ALICE, PASSWORD)}")
    assert said[:3] == "235"
    await client.say("XCLIENT ADDR=198.51.100.5")
    assert "AUTH" not in await client.say("EHLO real.example")
    # The proxy's login has not become the client's.
    assert (await client.say(f"MAIL FROM:<{ALICE}>"))[:9] == "530 5.7.0"
