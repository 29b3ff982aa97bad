"""BDAT and BODY=BINARYMIME, over sockets. RFC 3030."""

from typing import Any

import pytest

from accounts.models import Address, Domain
from mailhost.outbound.models import QueueMessage
from protocols.smtp import spool
from protocols.smtp.server import lmtp_factory
from protocols.smtp.spool import memory
from tests.unit.smtp.conftest import Client, Services
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB = "alice@example.test", "bob@example.test"
MESSAGE = b"From: x@far.example\r\nSubject: hello\r\n\r\nHello\r\n.\r\n..dot\r\n"
BINARY = (
    b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
    b"MIME-Version: 1.0\r\n\r\n" + bytes(range(256)) + b"\r\n.\r\n\n.\n\r.\r\0"
)


async def begun(services: Services, body: str = "", to: str = ALICE) -> Client:
    client = await services.greeted_mx()
    assert (await client.say(f"MAIL FROM:<x@far.example>{body}"))[:3] == "250"
    assert (await client.say(f"RCPT TO:<{to}>"))[:3] == "250"
    return client


async def replies(client: Client, count: int) -> list[str]:
    return [(await client.reply())[:9] for _ in range(count)]


async def test_chunks_become_a_message(services: Services, alice: Any) -> None:
    client = await begun(services)
    for at in range(0, len(MESSAGE), 10):
        piece = MESSAGE[at : at + 10]
        await client.send(b"BDAT %d\r\n%b" % (len(piece), piece))
        assert await client.reply() == f"250 2.0.0 {len(piece)} octets received"
    assert await client.say("BDAT 0 LAST") == "250 2.0.0 Message accepted"
    [octets] = await messages(ALICE)
    assert octets.endswith(b"\r\n" + MESSAGE)


async def test_pipelined(services: Services, alice: Any) -> None:
    """RFC 3030 §4.2: all at once, and another message behind it."""
    client = await services.greeted_mx()
    one = b"MAIL FROM:<x@far.example>\r\nRCPT TO:<alice@example.test>\r\n" + (
        b"BDAT 10\r\n%bBDAT %d LAST\r\n%b"
        % (MESSAGE[:10], len(MESSAGE) - 10, MESSAGE[10:])
    )
    await client.send(one + one + b"QUIT\r\n")
    assert await replies(client, 9) == [
        *["250 2.1.0", "250 2.1.5"],
        *["250 2.0.0"] * 2,
    ] * 2 + ["221 2.0.0"]
    assert len(await messages(ALICE)) == 2


@pytest.mark.parametrize("over", [16, 400_000], ids=["in a file", "in memory"])
async def test_binary_is_kept_to_the_octet(
    services: Services, alice: Any, monkeypatch: pytest.MonkeyPatch, over: int
) -> None:
    monkeypatch.setattr(spool, "CHUNK", over)
    client = await begun(services, " BODY=BINARYMIME")
    await client.send(b"BDAT %d LAST\r\n%bNOOP\r\n" % (len(BINARY), BINARY))
    assert await replies(client, 2) == ["250 2.0.0", "250 2.0.0"]
    [octets] = await messages(ALICE)
    assert octets.endswith(b"\r\n" + BINARY)
    assert memory.arriving == memory.delivered == 0


async def test_only_binarymime_may_be_binary(services: Services, alice: Any) -> None:
    client = await begun(services, " BODY=8BITMIME")
    await client.send(b"BDAT %d LAST\r\n%bNOOP\r\n" % (len(BINARY), BINARY))
    assert await replies(client, 2) == ["550 5.6.1", "250 2.0.0"]
    assert await messages(ALICE) == []


async def test_binary_does_not_leave(
    services: Services, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asgiref.sync import sync_to_async

    @sync_to_async
    def alias() -> None:
        domain = Domain.objects.get(name="example.test")
        Address.objects.create(
            domain=domain, local_part="away", forward_to=["x@far.example"]
        )

    await alias()
    client = await begun(services, " BODY=BINARYMIME")
    assert (await client.say("RCPT TO:<away@example.test>"))[:9] == "550 5.6.1"
    await client.send(b"BDAT 3 LAST\r\na\0b")
    assert (await client.reply())[:3] == "250"
    assert not await QueueMessage.objects.aexists()
    user = await services.submission(ALICE)
    assert (await user.say(f"MAIL FROM:<{ALICE}> BODY=BINARYMIME"))[:3] == "250"
    assert (await user.say("RCPT TO:<x@far.example>"))[:9] == "550 5.6.1"
    assert (await user.say(f"RCPT TO:<{ALICE}>"))[:3] == "250"


async def test_data_and_bdat_do_not_mix(services: Services, alice: Any) -> None:
    client = await begun(services)
    await client.send(b"BDAT 3\r\na: ")
    assert (await client.reply())[:3] == "250"
    assert (await client.say("DATA"))[:9] == "503 5.5.1"
    assert (await client.say(f"RCPT TO:<{ALICE}>"))[:9] == "503 5.5.1"
    assert (await client.say("MAIL FROM:<>"))[:9] == "503 5.5.1"
    assert (await client.say("RSET"))[:3] == "250"
    client = await begun(services, " BODY=BINARYMIME")
    assert (await client.say("DATA"))[:9] == "503 5.5.1"
    # After RSET nothing of it is left, and DATA works.
    await client.say("RSET")
    assert (await client.message("x@far.example", [ALICE], MESSAGE))[:3] == "250"
    [octets] = await messages(ALICE)
    assert b"a: From" not in octets
    assert memory.arriving == 0


async def test_without_a_transaction_octets_are_no_commands(
    services: Services, alice: Any
) -> None:
    client = await services.greeted_mx()
    chunk = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<alice@example.test>\r\n"
    await client.send(b"BDAT %d LAST\r\n%bNOOP\r\n" % (len(chunk), chunk))
    assert await replies(client, 2) == ["503 5.5.1", "250 2.0.0"]
    await client.say("MAIL FROM:<x@far.example>")
    await client.send(b"BDAT %d\r\n%bNOOP\r\n" % (len(chunk), chunk))
    assert await replies(client, 2) == ["503 5.5.1", "250 2.0.0"]


async def test_after_login_is_refused_octets_are_no_commands(
    services: Services, alice: Any
) -> None:
    from protocols.smtp.server import submission_factory

    client = await services.connect(submission_factory)
    await client.reply()
    await client.say("EHLO client.example")
    await client.send(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
    assert await replies(client, 2) == ["503 5.5.1", "250 2.0.0"]


async def test_after_a_failure_chunks_are_discarded(
    services: Services, alice: Any
) -> None:
    services.max_message_bytes = 100_000
    client = await begun(services)
    chunk = b"NOOP\r\n" * 20_000
    for _ in range(2):
        await client.send(b"BDAT %d\r\n%b" % (len(chunk), chunk))
    await client.send(b"BDAT 6 LAST\r\nQUIT\r\n")
    assert await replies(client, 3) == ["552 5.3.4", "503 5.5.1", "503 5.5.1"]
    assert (await client.say("MAIL FROM:<>"))[:9] == "503 5.5.1"
    assert (await client.say("RSET"))[:3] == "250"
    assert (await client.message("x@far.example", [ALICE], MESSAGE))[:3] == "250"
    assert len(await messages(ALICE)) == 1


async def test_a_last_chunk_that_is_too_big(services: Services, alice: Any) -> None:
    services.max_message_bytes = 100_000
    client = await begun(services)
    await client.send(b"BDAT 120000 LAST\r\n" + b"x" * 120_000 + b"NOOP\r\n")
    assert await replies(client, 2) == ["552 5.3.4", "250 2.0.0"]
    # The transaction is over: another BDAT has none.
    assert (await client.say("BDAT 0 LAST"))[:9] == "503 5.5.1"


@pytest.mark.parametrize("size", [400_001, 10**17])
async def test_what_never_ends_is_not_waited_for(
    services: Services, alice: Any, size: int
) -> None:
    services.max_message_bytes = 100_000
    client = await begun(services)
    await client.send(b"BDAT %d\r\n" % size + b"x" * 400_001)
    assert (await client.reply())[:3] in {"421", "552"}
    if size > 400_001:
        assert await client.is_closed()


@pytest.mark.parametrize(
    "argument", ["", "x", "-1", "5 FIRST", "5 LAST now", "1" * 19, "5LAST", "0x5"]
)
async def test_a_size_that_cannot_be_read_ends_it(
    services: Services, alice: Any, argument: str
) -> None:
    """What follows is a chunk, and not to be told from commands."""
    client = await begun(services)
    await client.send(f"BDAT {argument}\r\nQUIT\r\n".encode())
    assert (await client.reply())[:9] == "501 5.5.4"
    assert await client.is_closed()


async def test_cut_off_in_the_middle(services: Services, alice: Any) -> None:
    client = await begun(services)
    await client.send(b"BDAT 6 \r\nabcd\r\nBDAT 900000 LAST\r\n" + b"y" * 500_000)
    assert (await client.reply())[:3] == "250"
    client.writer.write_eof()
    assert await client.is_closed()
    assert await messages(ALICE) == []
    assert memory.arriving == 0


async def test_no_room_on_the_disk(
    services: Services, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    client = await begun(services)
    octets = b"a: b\r\n\r\n" + b"line\r\n" * 60_000
    await client.send(b"BDAT %d LAST\r\n%b" % (len(octets), octets))
    assert (await client.reply())[:9] == "452 4.3.1"
    said = await client.message("x@far.example", [ALICE], octets)
    assert said[:9] == "452 4.3.1"
    assert (await client.message("x@far.example", [ALICE], MESSAGE))[:3] == "250"
    assert memory.arriving == 0


async def test_lmtp_answers_for_each(services: Services, alice: Any, bob: Any) -> None:
    client = await services.connect(lmtp_factory)
    await client.reply()
    await client.say("LHLO client.example")
    await client.say("MAIL FROM:<x@far.example>")
    for to in (ALICE, BOB, ALICE):
        await client.say(f"RCPT TO:<{to}>")
    await client.send(b"BDAT 4\r\na: bBDAT 4 LAST\r\n\r\n\r\n")
    assert await replies(client, 4) == ["250 2.0.0", *["250 2.1.5"] * 3]
    assert len(await messages(ALICE)) == len(await messages(BOB)) == 1


async def test_everything_at_once_and_the_end(services: Services, alice: Any) -> None:
    """A client that has closed its side when DATA is read loses nothing."""
    client = await services.greeted_mx()
    await client.send(
        b"MAIL FROM:<x@far.example>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"
        + MESSAGE.replace(b"\n.", b"\n..")
        + b".\r\nMAIL FROM:<x@far.example>\r\nRCPT TO:<alice@example.test>\r\n"
        + b"BDAT 4 LAST\r\na: bQUIT\r\n"
    )
    client.writer.write_eof()
    said = [code[:3] for code in await replies(client, 8)]
    assert said == ["250", "250", "354", "250", "250", "250", "250", "221"]
    assert len(await messages(ALICE)) == 2
