"""One message over one connection, with commands one by one and together."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mailhost.outbound import queue
from mailhost.outbound.models import Attempt, QueueChunk, QueueRecipient, State
from mailhost.outbound.runner import run_once
from mailhost.outbound.values import Envelope, Recipient
from mailhost.outbound.wire import stuffed
from mailhost.store.gate import gate
from tests.unit.outbound.conftest import Remote
from tests.unit.outbound.test_runner import MESSAGE, put, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["PIPELINING", "one by one"], autouse=True)
def ways(request: pytest.FixtureRequest, remote: Remote) -> str:
    if request.param != "PIPELINING":
        remote.extensions = ("8BITMIME", "SIZE 60000000")
    return str(request.param)


async def test_commands_go_together_where_that_is_taken(
    remote: Remote, alice: Any, ways: str
) -> None:
    asked = asyncio.Event()
    remote.held["MAIL"] = asked  # nothing is answered until everything was said
    await put("a@far.example", "b@far.example")
    running = asyncio.create_task(run_once())
    await asyncio.sleep(0.3)
    asked.set()
    assert await running == 2
    assert len(remote.messages) == 1
    assert [line.split(":")[0] for line in remote.said[1:5]] == [
        *("MAIL FROM", "RCPT TO", "RCPT TO", "DATA")
    ]


async def test_a_refused_recipient_is_no_reason_for_others(
    remote: Remote, alice: Any
) -> None:
    remote.replies["RCPT TO:<B@"] = "550 5.1.1 unknown"
    await put("a@far.example", "b@far.example", "c@far.example")
    await run_once()
    found = [await row(f"{x}@far.example") for x in "abc"]
    assert [r.state for r in found] == [State.SENT, State.FAILED, State.SENT]
    assert (found[1].status, found[1].last_reply) == ("5.1.1", "550 5.1.1 unknown")
    assert remote.messages == [MESSAGE.replace(b"\n.", b"\n..")]


async def test_when_all_are_refused_nothing_is_sent(
    remote: Remote, alice: Any, settings: Any, ways: str
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    remote.replies |= {"RCPT TO:<A@": "550 5.1.1 unknown", "DATA": "354 all the same"}
    await put("a@far.example")
    await put("b@far.example")
    await run_once()
    assert (await row("a@far.example")).state == State.FAILED
    assert (await row("b@far.example")).state == State.SENT
    # Who says 354 without any recipient gets nothing (RFC 2920 §3.1).
    nothing = [b""] if ways == "PIPELINING" else []
    assert remote.messages == [*nothing, MESSAGE.replace(b"\n.", b"\n..")]
    assert remote.connections == 1


async def test_a_refused_sender_ends_it_for_all(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    remote.replies |= {"MAIL": "550 5.7.1 not you", "RCPT": "503 5.5.1 no"}
    remote.replies["DATA"] = "503 5.5.1 no"
    await put("a@far.example", "b@far.example")
    await run_once()
    for name in "ab":
        assert (await row(f"{name}@far.example")).last_reply == "550 5.7.1 not you"
    del remote.replies["MAIL"], remote.replies["RCPT"], remote.replies["DATA"]
    await put("c@far.example")
    await run_once()
    assert (await row("c@far.example")).state == State.SENT
    assert len(remote.messages) == 1


async def test_a_refused_sender_and_a_server_that_takes_the_rest(
    remote: Remote, alice: Any
) -> None:
    remote.replies["MAIL"] = "550 5.7.1 not you"
    await put("a@far.example")
    await run_once()
    assert (await row("a@far.example")).state == State.FAILED
    assert remote.messages == []


async def test_after_a_transaction_without_data_comes_rset(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    remote.replies["DATA"] = "451 4.3.0 not now"
    await put("a@far.example")
    await put("b@far.example")
    await run_once()
    assert remote.said.count("RSET") == 1
    assert (await row("b@far.example")).last_reply == "451 4.3.0 not now"
    assert remote.connections == 1


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA", "."])
async def test_a_farewell_leaves_it_for_later(
    remote: Remote, alice: Any, at: str
) -> None:
    remote.replies[at] = "421 4.3.2 going down"
    await put("a@far.example")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.last_reply) == (State.QUEUED, "421 4.3.2 going down")
    assert remote.connections == 1


@pytest.mark.parametrize(
    "reply",
    [
        "two hundred and fifty",
        "250-a\r\n251 b",
        "25",
        "250x",
        "250 " + "x" * 40_000,
        "250-x\r\n" * 5000 + "250 x",
    ],
)
async def test_a_reply_that_is_none(remote: Remote, alice: Any, reply: str) -> None:
    remote.replies["MAIL"] = reply
    await put("a@far.example")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.status) == (State.QUEUED, "4.4.2")
    assert remote.messages == []


async def test_a_reply_too_many_ends_the_connection(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    remote.replies["."] = "250 2.0.0 thanks\r\n250 2.0.0 and again"
    await put("a@far.example")
    await put("b@far.example")
    await run_once()
    assert (len(remote.messages), remote.connections) == (2, 2)
    assert await QueueRecipient.objects.filter(attempts=1).acount() == 2


async def test_an_address_ends_no_line(remote: Remote, alice: Any) -> None:
    await put('"a\r\nRCPT TO:<x@far.example>"@far.example')
    await run_once()
    assert (await QueueRecipient.objects.aget()).status == "5.1.3"
    assert not any("x@far.example" in line for line in remote.said)


async def test_a_quoted_address_goes_as_it_is(remote: Remote, alice: Any) -> None:
    await put('"a b>c"@far.example')
    await run_once()
    assert 'RCPT TO:<"a b>c"@far.example>' in remote.said


async def test_a_large_message_is_read_while_it_is_sent(
    remote: Remote, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = b"Subject: large\r\n\r\n" + (b"." + b"x" * 76 + b"\r\n") * 50_000

    def never(_: int) -> bytes:
        raise AssertionError("read whole")

    monkeypatch.setattr(queue, "octets_of", never)
    envelope = Envelope("alice@example.test", (Recipient("a@far.example"),))
    await gate.write((), queue.enqueue, octets, envelope)
    await run_once()
    assert remote.messages == [octets.replace(b"\n.", b"\n..")]
    attempt = await Attempt.objects.aget()
    assert f"{len(octets)} octets" in attempt.dialogue


async def test_a_large_message_that_lacks_a_piece_is_not_sent(
    remote: Remote, alice: Any
) -> None:
    envelope = Envelope("alice@example.test", (Recipient("a@far.example"),))
    await gate.write((), queue.enqueue, b"x" * 3_000_000, envelope)
    await QueueChunk.objects.filter(number=1).adelete()
    await run_once()
    assert (remote.messages, (await row("a@far.example")).status) == ([], "4.3.0")


async def pieces_of(octets: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(octets), size):
        yield octets[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a\r", b"a\r\n.\r\n"),
        (b"a\n", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"a\r\n.\r\nMAIL", b"a\r\n..\r\nMAIL\r\n.\r\n"),
        (b"a\n.\nMAIL", b"a\r\n..\r\nMAIL\r\n.\r\n"),
        (b"a\r.\rMAIL", b"a\r\n..\r\nMAIL\r\n.\r\n"),
        (b"a\n.\r\nMAIL", b"a\r\n..\r\nMAIL\r\n.\r\n"),
        (b"a\r\n.\rMAIL", b"a\r\n..\r\nMAIL\r\n.\r\n"),
        (b"a\r\r\n.\r\r\nb", b"a\r\n\r\n..\r\n\r\nb\r\n.\r\n"),
        (b"a\r\n\r", b"a\r\n\r\n.\r\n"),
        (b"\n\r", b"\r\n\r\n.\r\n"),
        (b"a\r\n..b\r\n", b"a\r\n...b\r\n.\r\n"),
    ],
)
async def test_nothing_in_a_message_ends_it(
    ways: str, size: int, octets: bytes, wanted: bytes
) -> None:
    sent = b"".join([piece async for piece in stuffed(pieces_of(octets, size))])
    assert sent == wanted
