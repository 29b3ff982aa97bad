"""No form of line end but CRLF.CRLF ends a message, on no service and by no command.

What another server let through as one message must not become two here: see
CVE-2023-51764, -51765, -51766, CVE-2024-27305. The outgoing side: test_runner.py.
"""

from itertools import product
from typing import Any

import pytest

from protocols.smtp.server import lmtp_factory
from tests.unit.smtp.conftest import Client, Services
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = "alice@example.test"
BREAKS = (b"\r", b"\n", b"\r\n", b"\r\r\n", b"\n\r", b"\0\r\n", b"\x85", b"\x0b", b"")
ENDS = sorted(
    {
        before + dot + after
        for before, dot, after in product(BREAKS, (b".", b"..", b".\0"), BREAKS)
        if before + dot + after != b"\r\n.\r\n" and before
    }
)
SMUGGLED = (
    b"MAIL FROM:<alice@example.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"
    b"Subject: smuggled\r\n\r\nx\r\n"
)


async def greeted(services: Services, service: str) -> Client:
    if service == "submission":
        return await services.submission(ALICE)
    if service == "lmtp":
        client = await services.connect(lmtp_factory)
        await client.reply()
        await client.say("LHLO client.example")
        return client
    return await services.greeted_mx()


def is_real_end(octets: bytes) -> bool:
    """Tell whether CRLF.CRLF stands in it: then it is an end, and no smuggling."""
    return b"\r\n.\r\n" in octets


@pytest.mark.parametrize("service", ["mx", "submission", "lmtp"])
async def test_data(services: Services, alice: Any, service: str) -> None:
    client, count = await greeted(services, service), 0
    for n, end in enumerate(ENDS):
        if n % 50 == 49:  # a hundred refusals end a connection
            client = await greeted(services, service)
        first = b"From: alice@example.test\r\nSubject: %d\r\n\r\nx" % n
        if is_real_end(first + end + SMUGGLED):
            continue
        for line in (f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{ALICE}>"):
            assert (await client.say(line))[:3] == "250", end
        assert (await client.say("DATA"))[:3] == "354"
        await client.send(first + end + SMUGGLED + b"\r\n.\r\nRSET\r\n")
        said = await client.reply()
        # One answer for the message; the next is the RSET's.
        assert await client.reply() == "250 2.0.0 OK", end
        assert said[:10] in {"250 2.0.0 ", "250 2.1.5 ", "550 5.6.11"}, end
        count += said[0] == "2"
        if said[0] == "5":
            assert service == "mx"
    assert len(await messages(ALICE)) == count
    for octets in await messages(ALICE):
        assert b"\n" not in octets.replace(b"\r\n", b"")
        assert octets.count(b"smuggled") == 1


async def test_bdat(services: Services, alice: Any) -> None:
    """In a chunk not even the real end is one; what goes on over chunks is neither."""
    client, count = await greeted(services, "mx"), 0
    for n, end in enumerate((*ENDS, b"\r\n.\r\n")):
        if n % 50 == 49:
            client = await greeted(services, "mx")
        octets = b"Subject: one\r\n\r\nx" + end + SMUGGLED
        for line in (f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{ALICE}>"):
            assert (await client.say(line))[:3] == "250", end
        half = len(octets) - len(SMUGGLED) - 2
        await client.send(
            b"BDAT %d\r\n%bBDAT %d LAST\r\n%bRSET\r\n"
            % (half, octets[:half], len(octets) - half, octets[half:])
        )
        said = [await client.reply() for _ in range(3)]
        assert said[0] == f"250 2.0.0 {half} octets received", end
        assert said[1][:10] in {"250 2.0.0 ", "550 5.6.11"}, end
        assert said[2] == "250 2.0.0 OK", end
        count += said[1][0] == "2"
    kept = await messages(ALICE)
    assert len(kept) == count
    assert all(octets.count(b"smuggled") == 1 for octets in kept)
