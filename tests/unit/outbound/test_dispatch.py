"""Lanes, connections that are used again, leases, large messages, waking."""

import asyncio
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from mailhost.outbound import queue, runner
from mailhost.outbound.dispatch import Dispatcher
from mailhost.outbound.models import (
    Attempt,
    QueueChunk,
    QueueMessage,
    QueueRecipient,
    State,
)
from mailhost.outbound.runner import run_once
from mailhost.outbound.values import Deadline, Envelope, Recipient
from mailhost.outbound.wake import Alarm
from mailhost.store.gate import gate
from tests.unit.outbound.conftest import Remote
from tests.unit.outbound.test_runner import ALICE, MESSAGE, put

pytestmark = pytest.mark.django_db(transaction=True)


async def many(count: int, domain: str = "far.example") -> None:
    for number in range(count):
        await put(f"{number}@{domain}")


async def sent() -> None:
    """Wait until something is sent: rows tell nobody."""
    for _ in range(2000):
        if await QueueRecipient.objects.filter(state="sent").aexists():
            return
        await asyncio.sleep(0.01)
    pytest.fail("nothing was sent")


@pytest.mark.engines
async def test_messages_share_connections(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    await many(7)
    assert await run_once() == 7
    assert (len(remote.messages), remote.connections) == (7, 1)
    assert "RSET" not in remote.said


async def test_a_connection_ends_after_so_many(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    settings.MAILHOST_OUTBOUND_MESSAGES_PER_CONNECTION = 3
    await many(7)
    await run_once()
    assert (len(remote.messages), remote.connections) == (7, 3)


async def test_domains_of_one_host_share_its_connections(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS = 1
    await put("a@far.example")
    await put("b@other.example")
    await run_once()
    assert (len(remote.messages), remote.connections) == (2, 1)


async def test_a_broken_connection_is_not_used_again(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    remote.replies["RCPT TO:<0@"] = "421 4.3.2 going down"
    await many(2)
    await run_once()
    assert remote.connections == 2
    assert len(remote.messages) == 1
    assert "RSET" not in remote.said


async def test_a_resting_connection_that_died_is_replaced(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    remote.most_on_one = 1
    await many(3)
    await run_once()
    assert (len(remote.messages), remote.connections) == (3, 3)
    rows = QueueRecipient.objects.filter(state=State.SENT, attempts=1)
    assert await rows.acount() == 3


async def test_a_domain_gets_so_many_connections(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 2
    hold = asyncio.Event()
    remote.held = {"MAIL": hold}
    await many(9)
    running = asyncio.create_task(run_once())
    for _ in range(2000):
        if remote.at_once == 2:
            break
        await asyncio.sleep(0.01)
    hold.set()
    assert await running == 9
    assert remote.most_at_once == 2
    assert len(remote.messages) == 9


async def test_a_slow_domain_stops_no_other(remote: Remote, alice: Any) -> None:
    remote.held = {"MAIL FROM:<slow@example.test>": asyncio.Event()}
    await put("a@far.example", mail_from="slow@example.test")
    await put("b@other.example")
    running = asyncio.create_task(run_once())
    async with asyncio.timeout(20):
        await sent()
        row = await QueueRecipient.objects.aget(address="a@far.example")
        assert row.state == State.QUEUED
        remote.held.popitem()[1].set()
        assert await running == 2


async def test_what_was_said_is_kept(remote: Remote, alice: Any) -> None:
    remote.replies["RCPT"] = "450 4.2.1 come\x07 again"
    await put("a@far.example")
    await run_once()
    found = await Attempt.objects.aget()
    assert found.host == "mx.far.example"
    assert found.address == "127.0.0.1"
    assert "later: 450 4.2.1" in found.outcome
    for line in (
        "S: 220 remote.example ESMTP",
        "C: EHLO mail.example.test",
        "C: RCPT TO:<a@far.example>",
        "S: 450 4.2.1 come? again",
    ):
        assert line in found.dialogue.split("\n")


async def test_passwords_are_not_kept(
    remote: Remote, alice: Any, settings: Any, ssl_context: Any
) -> None:
    remote.ssl_context, remote.extensions = ssl_context, ("AUTH LOGIN PLAIN",)
    remote.replies["AUTH"] = "535 5.7.8 no"
    settings.MAILHOST_SMARTHOST = f"smtp://me:secret@relay.example:{remote.port}"
    await put("a@far.example")
    await run_once()
    found = await Attempt.objects.aget()
    assert "C: AUTH ***" in found.dialogue
    assert "AG1lAHNlY3JldA==" not in found.dialogue
    assert any("AG1lAHNlY3JldA==" in line for line in remote.said)


@pytest.mark.engines
async def test_leases_are_renewed_and_the_held_left(remote: Remote, alice: Any) -> None:
    await many(2)
    owner = uuid.uuid4()
    works = await gate.write((), queue.claim, owner, 9)
    ids = [i for work in works for i in work.recipient_ids]
    long_ago = timezone.now() - timedelta(hours=1)
    await QueueRecipient.objects.aupdate(lease_until=long_ago)
    await QueueRecipient.objects.filter(pk=ids[0]).aupdate(state=State.HELD)
    await gate.write((), queue.renew, owner, ids)
    assert await gate.read(queue.still_mine, owner, ids) == [ids[1]]
    row = await QueueRecipient.objects.aget(pk=ids[1])
    assert row.lease_until is not None
    assert row.lease_until > timezone.now()


@pytest.mark.engines
async def test_what_is_held_is_not_begun_though_it_is_claimed(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS = 1
    settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN = 1
    hold = asyncio.Event()
    remote.held = {"MAIL": hold}
    await many(4)
    dispatcher = Dispatcher(uuid.uuid4())
    assert await dispatcher.fill() == 4
    rows = [pk async for pk in QueueRecipient.objects.values_list("pk", flat=True)]
    await QueueRecipient.objects.filter(pk=rows[1]).aupdate(state=State.HELD)
    await QueueRecipient.objects.filter(pk=rows[2]).aupdate(state=State.DROPPED)
    await dispatcher.heed()
    hold.set()
    await dispatcher.settled()
    await dispatcher.close()
    states = QueueRecipient.objects.order_by("pk").values_list("state", flat=True)
    assert [one async for one in states] == ["sent", "held", "dropped", "sent"]
    assert len(remote.messages) == 2
    given_up = await QueueRecipient.objects.aget(pk=rows[1])
    assert (given_up.owner, given_up.attempts) == (None, 0)


async def test_what_is_not_begun_is_given_back(
    remote: Remote, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_CONNECTIONS = 1
    hold = asyncio.Event()
    remote.held = {"MAIL": hold}
    await many(3)
    dispatcher = Dispatcher(uuid.uuid4())
    assert await dispatcher.fill() == 3
    await dispatcher.close()
    free = QueueRecipient.objects.filter(lease_until=None, state=State.QUEUED)
    assert await free.acount() == 3
    hold.set()


@sync_to_async
def stage_as_delivery_does(octets: bytes) -> int:
    row = queue.stage(octets)
    for number, piece in enumerate(queue.pieces_of(octets)):
        queue.stage_chunk(row, number, piece)
    return row


@pytest.mark.engines
async def test_a_large_message_is_in_pieces(remote: Remote, alice: Any) -> None:
    line = b"x" * 998 + b"\r\n"
    octets = MESSAGE + line * (7 * queue.CHUNK // 2 // len(line))
    envelope = Envelope(ALICE, (Recipient("a@far.example"), Recipient("b@far.example")))
    row = await stage_as_delivery_does(octets)
    assert await run_once() == 0  # nobody sends what is only staged
    assert await gate.write((), queue.enqueue, octets, envelope, row) == row
    again = await gate.write((), queue.enqueue, octets, envelope)
    for message in (row, again):
        assert await QueueChunk.objects.filter(message_id=message).acount() == 4
        assert await gate.read(queue.octets_of, message) == octets
    assert await run_once() == 4
    [first, second] = remote.messages
    assert first == second
    assert len(first) > 3 * queue.CHUNK - 1000


async def test_a_message_that_lost_a_piece_is_not_sent(
    remote: Remote, alice: Any
) -> None:
    octets = b"x" * (queue.CHUNK + 1)
    envelope = Envelope(ALICE, (Recipient("a@far.example"),))
    await gate.write((), queue.enqueue, octets, envelope)
    await QueueChunk.objects.filter(number=1).adelete()
    await run_once()
    row = await QueueRecipient.objects.aget()
    assert (row.state, row.status) == (State.QUEUED, "4.3.0")
    assert remote.messages == []


@pytest.mark.engines
def test_what_was_staged_and_left_is_swept(alice: Any) -> None:
    row = queue.stage(b"x" * 10)
    assert queue.sweep() == 0
    QueueMessage.objects.filter(pk=row).update(
        created_at=timezone.now() - timedelta(days=2)
    )
    assert queue.sweep() == 1


async def test_it_is_woken_by_what_is_queued(remote: Remote, alice: Any) -> None:
    with Alarm() as alarm:
        waiting = asyncio.create_task(alarm.wait(60))
        await asyncio.sleep(0)
        await put("a@far.example")
        async with asyncio.timeout(10):
            await waiting


@pytest.mark.engines
async def test_another_process_wakes_it(remote: Remote, alice: Any) -> None:
    from mailhost.outbound import wake

    with Alarm() as alarm:
        wake._listeners.discard(alarm)  # as in another process
        for _ in range(30):  # until the thread listens
            await put("a@far.example")
            await alarm.wait(1)
            if alarm.rings:
                break
        assert alarm.rings
    wake.quiet()


async def test_the_runner_goes_on_until_it_is_stopped(
    remote: Remote, alice: Any
) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    await put("a@far.example")
    async with asyncio.timeout(30):
        await sent()
        stop.set()
        await task


@pytest.mark.engines
async def test_what_is_urgent_goes_first(alice: Any) -> None:
    """RFC 6710: by priority, then as it came; the lowest waits seconds, no more."""
    far = (Recipient("a@far.example"),)
    steps = (0, 3, -9, 9, 3)
    wanted = {n: Envelope(ALICE, far, priority=p) for n, p in enumerate(steps)}

    def claimed() -> list[int]:
        ids = {queue.enqueue(MESSAGE, envelope): n for n, envelope in wanted.items()}
        rows = QueueRecipient.objects.order_by("due", "pk")
        order = [ids[pk] for pk in rows.values_list("message_id", flat=True)]
        assert len(queue.claim(uuid.uuid4(), 100)) == 4  # all but the lowest, now
        last = rows.last()
        assert last is not None
        assert last.due - timezone.now() < timedelta(seconds=10)
        return order

    assert await sync_to_async(claimed)() == [3, 1, 4, 0, 2]


async def test_what_was_asked_goes_on_to_who_knows_it(
    remote: Remote, alice: Any
) -> None:
    by = Deadline(timezone.now() + timedelta(hours=1), returns=True, traces=True)
    envelope = Envelope(ALICE, (Recipient("a@far.example"),), priority=4, deliver_by=by)
    await gate.write((), queue.enqueue, MESSAGE, envelope)
    remote.extensions = ("MT-PRIORITY", "DELIVERBY")
    await runner.run_once()
    [said] = [line for line in remote.said if line.startswith("MAIL")]
    assert "MT-PRIORITY=4" in said
    assert re.search(r" BY=3[0-9]{3};RT\b", said)
    remote.extensions = ()
    remote.said.clear()
    await gate.write((), queue.enqueue, MESSAGE, envelope)
    await runner.run_once()
    assert not any("BY=" in line or "MT-" in line for line in remote.said)
