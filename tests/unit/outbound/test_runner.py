"""The queue, from a row to the server outside and back to the sender."""

import ssl
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from mailhost.outbound import queue
from mailhost.outbound.models import QueueMessage, QueueRecipient, State
from mailhost.outbound.runner import run_once
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store.gate import gate
from tests.unit.outbound.conftest import Remote
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = "alice@example.test"
MESSAGE = b"From: alice@example.test\r\nSubject: out\r\n\r\n.dot\r\nend\r\n"


async def put(
    *recipients: str | Recipient, mail_from: str = ALICE, **more: Any
) -> None:
    made = tuple(r if isinstance(r, Recipient) else Recipient(r) for r in recipients)
    envelope = Envelope(mail_from, made, **more)
    await gate.write((), queue.enqueue, MESSAGE, envelope)


async def row(address: str) -> QueueRecipient:
    return await QueueRecipient.objects.aget(address=address)


async def make_due() -> None:
    await QueueRecipient.objects.filter(state=State.QUEUED).aupdate(
        due=timezone.now(), lease_until=None
    )


async def test_it_sends(remote: Remote, alice: Any) -> None:
    await put("a@far.example", "b@far.example", "c@other.example")
    assert await run_once() == 3
    assert sorted(remote.messages) == [MESSAGE.replace(b"\n.", b"\n..")] * 2
    mail = f"MAIL FROM:<{ALICE}> SIZE={len(MESSAGE)} BODY=8BITMIME"
    assert remote.said.count(mail) == 2
    assert "EHLO mail.example.test" in remote.said
    for address in ("a@far.example", "b@far.example", "c@other.example"):
        found = await row(address)
        assert found.state == State.SENT
        assert found.last_reply == "250 2.0.0 thanks"
        assert found.last_host == "mx.far.example"
    assert await run_once() == 0
    assert await messages(ALICE) == []


@pytest.mark.engines
async def test_some_are_refused(remote: Remote, alice: Any) -> None:
    remote.replies["RCPT TO:<no@"] = "550 5.1.1 nobody"
    remote.replies["RCPT TO:<full@"] = "452 4.2.2 full"
    await put("no@far.example", "full@far.example", "yes@far.example")
    await run_once()
    assert len(remote.messages) == 1
    assert (await row("yes@far.example")).state == State.SENT
    later = await row("full@far.example")
    assert (later.state, later.attempts, later.status) == ("queued", 1, "4.2.2")
    assert timedelta(seconds=290) < later.due - timezone.now() <= timedelta(minutes=5)
    [report] = await messages(ALICE)
    assert report.startswith(b"Return-Path: <>\r\n")
    for line in (
        *(b"Content-Type: multipart/report; report-type=delivery-status;",),
        *(b"Final-Recipient: rfc822; no@far.example", b"Action: failed"),
        *(b"Status: 5.1.1", b"Remote-MTA: dns; mx.far.example"),
        *(b"Diagnostic-Code: smtp; 550 5.1.1 nobody", b"Subject: out"),
        *(b"Auto-Submitted: auto-replied",),
    ):
        assert b"\r\n" + line + b"\r\n" in report
    assert b"full@far.example" not in report
    # Told once.
    await make_due()
    await run_once()
    assert len(await messages(ALICE)) == 1


async def test_it_gives_up_in_time(remote: Remote, alice: Any, settings: Any) -> None:
    settings.MAILHOST_RETRY_SCHEDULE = [60, 120]
    remote.replies["MAIL"] = "451 4.7.1 greylisted"
    await put("a@far.example")
    for expected in (60, 120, 120):
        await run_once()
        found = await row("a@far.example")
        wait = (found.due - timezone.now()).total_seconds()
        assert expected - 10 < wait <= expected
        await make_due()
    await QueueMessage.objects.aupdate(expires_at=timezone.now())
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.attempts, found.told) == ("failed", 4, True)
    [report] = await messages(ALICE)
    assert b"Status: 5.4.7\r\n" in report
    assert b"451 4.7.1 greylisted" in report


@pytest.mark.parametrize(
    ("address", "state", "status"),
    [("a@null.example", "failed", "5.1.10"), ("a@dns.example", "queued", "4.4.3")],
)
async def test_no_way(
    remote: Remote, alice: Any, address: str, state: str, status: str
) -> None:
    await put(address)
    await run_once()
    found = await row(address)
    assert (found.state, found.status) == (state, status)
    assert remote.connections == 0


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        ({"greeting": "554 go away"}, "4.4.1"),
        ({"EHLO": "hang up"}, "4.4.1"),
        ({"MAIL": "hang up"}, "4.4.2"),
        ({".": "451 later"}, "4.0.0"),
        ({"DATA": "421 4.3.2 stopping"}, "4.3.2"),
        ({"RCPT": "450 5.1.1 confused"}, "4.0.0"),
    ],
)
async def test_what_is_temporary(
    remote: Remote, alice: Any, replies: dict[str, str], status: str
) -> None:
    remote.replies = replies
    await put("a@far.example")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.status) == ("queued", status)


async def test_nobody_answers(remote: Remote, alice: Any, settings: Any) -> None:
    settings.MAILHOST_OUTBOUND_PORT = 1
    await put("a@far.example")
    await run_once()
    assert (await row("a@far.example")).status == "4.4.1"


async def test_tls_is_used_where_it_works(
    remote: Remote, alice: Any, ssl_context: Any
) -> None:
    remote.ssl_context = ssl_context
    await put("a@far.example")
    await run_once()
    assert remote.said.count("EHLO mail.example.test") == 2
    assert len(remote.messages) == 1


async def test_and_done_without_where_it_does_not(
    remote: Remote, alice: Any, ssl_context: Any
) -> None:
    remote.ssl_context, remote.tls_works = ssl_context, False
    await put("a@far.example")
    await run_once()
    assert remote.connections == 2
    assert len(remote.messages) == 1


async def test_a_fault_of_ours_bounces_nothing(
    remote: Remote, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("secret")

    monkeypatch.setattr("mailhost.outbound.attempt.deliver", broken)
    await put("a@far.example")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.status) == ("queued", "4.3.0")
    assert "secret" not in found.last_reply


async def test_a_report_that_fails_ends_there(remote: Remote, alice: Any) -> None:
    remote.replies["RCPT"] = "550 5.1.1 nobody"
    await put("a@far.example", mail_from="")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.told) == ("failed", True)
    assert await QueueMessage.objects.acount() == 1


async def test_a_report_to_the_outside_is_queued(remote: Remote, alice: Any) -> None:
    remote.replies["RCPT TO:<gone@"] = "550 5.1.1 nobody"
    await put("gone@far.example", mail_from="x@other.example")
    await run_once()
    await run_once()
    [report] = remote.messages
    assert b"To: <x@other.example>\r\n" in report
    assert any(line.startswith("MAIL FROM:<> ") for line in remote.said)


async def test_wishes_for_reports(remote: Remote, alice: Any) -> None:
    remote.replies["RCPT TO:<no@"] = "550 5.1.1 nobody"
    await put(
        Recipient("no@far.example", notify="NEVER"),
        Recipient("yes@far.example", notify="SUCCESS", orcpt="rfc822;y@x"),
        ret="FULL",
        envid="e1",
    )
    await run_once()
    [report] = await messages(ALICE)
    assert b"Action: relayed\r\n" in report
    assert b"Original-Recipient: rfc822;y@x\r\n" in report
    assert b"Original-Envelope-Id: e1\r\n" in report
    assert MESSAGE in report
    assert b"no@far.example" not in report.replace(MESSAGE, b"")


async def test_a_server_with_dsn_is_asked_to_report(remote: Remote, alice: Any) -> None:
    remote.extensions = ("DSN",)
    await put(
        Recipient("a@far.example", notify="SUCCESS,FAILURE", orcpt="rfc822;a@x"),
        ret="HDRS",
        envid="e1",
    )
    await run_once()
    assert f"MAIL FROM:<{ALICE}> RET=HDRS ENVID=e1" in remote.said
    rcpt = "RCPT TO:<a@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@x"
    assert rcpt in remote.said
    assert await messages(ALICE) == []


async def test_an_address_that_needs_smtputf8(remote: Remote, alice: Any) -> None:
    await put("ä@far.example")
    await run_once()
    assert (await row("ä@far.example")).status == "5.6.7"
    remote.extensions = ("SMTPUTF8", "8BITMIME")
    await put("ö@far.example")
    await run_once()
    assert (await row("ö@far.example")).state == State.SENT


async def test_a_smarthost_takes_all(
    remote: Remote, alice: Any, settings: Any, ssl_context: Any
) -> None:
    remote.ssl_context = ssl_context
    remote.extensions = ("AUTH PLAIN",)
    remote.replies["AUTH"] = "235 2.7.0 OK"
    settings.MAILHOST_SMARTHOST = f"smtp://me:p%40ss@relay.example:{remote.port}"
    await put("a@null.example", "b@far.example")
    await run_once()
    assert len(remote.messages) == 2
    assert "AUTH PLAIN AG1lAHBAc3M=" in remote.said


@pytest.mark.engines
def test_two_runners_share_no_row(alice: Any) -> None:
    for number in range(10):
        queue.enqueue(MESSAGE, Envelope(ALICE, (Recipient(f"{number}@far.example"),)))
    one, two = uuid.uuid4(), uuid.uuid4()
    first = queue.claim(one, 6)
    second = queue.claim(two, 6)
    ids = [i for work in (*first, *second) for i in work.recipient_ids]
    assert (len(first), len(second), len(set(ids))) == (6, 4, 10)
    queue.release(one, [i for work in first for i in work.recipient_ids])
    assert len(queue.claim(two, 99)) == 6


@pytest.mark.engines
def test_a_lease_runs_out(alice: Any) -> None:
    queue.enqueue(MESSAGE, Envelope(ALICE, (Recipient("a@far.example"),)))
    one = uuid.uuid4()
    [work] = queue.claim(one, 9)
    QueueRecipient.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    [again] = queue.claim(uuid.uuid4(), 9)
    assert again.recipient_ids == work.recipient_ids
    # The slow one's word does not count any more.
    from mailhost.outbound.values import Result, Tried, Verdict

    late = Result(Verdict.FAILED, "5.0.0", "late")
    queue.settle(one, [(work, Tried((late,)))])
    assert QueueRecipient.objects.get().state == State.QUEUED


def test_what_is_held_is_not_tried(alice: Any) -> None:
    queue.enqueue(MESSAGE, Envelope(ALICE, (Recipient("a@far.example"),)))
    QueueRecipient.objects.update(state=State.HELD)
    assert queue.claim(uuid.uuid4(), 9) == []


@sync_to_async
def forward(alice: Any, *addresses: str) -> None:
    from accounts.models import Address

    found = Address.objects.get(local_part="alice")
    found.forward_to = list(addresses)
    found.save()


async def test_an_alias_forwards(remote: Remote, alice: Any, bob: Any) -> None:
    from mailhost.delivery import deliver

    await forward(alice, "out@far.example", "bob@example.test", "alice@example.test")
    outcomes = await deliver(MESSAGE, mail_from="x@y.example", recipients=[ALICE])
    assert outcomes[ALICE].reply == "250 2.1.5 Delivered"
    assert len(await messages(ALICE)) == len(await messages(bob.email)) == 1
    await run_once()
    [sent] = remote.messages
    assert sent.startswith(b"Delivered-To: alice@example.test\r\nFrom:")
    assert "RCPT TO:<out@far.example>" in remote.said
    # It comes back: that is a loop.
    outcomes = await deliver(
        sent.replace(b"\n..", b"\n."), mail_from="x@y.example", recipients=[ALICE]
    )
    assert outcomes[ALICE].reply[:9] == "554 5.4.6"


@pytest.mark.engines
def test_old_rows_are_swept(alice: Any) -> None:
    for _ in range(2):
        queue.enqueue(MESSAGE, Envelope(ALICE, (Recipient("a@far.example"),)))
    QueueMessage.objects.update(created_at=timezone.now() - timedelta(days=8))
    first = QueueRecipient.objects.order_by("pk")[0]
    QueueRecipient.objects.filter(pk=first.pk).update(state=State.SENT, told=True)
    assert queue.sweep() == 1
    assert QueueMessage.objects.count() == 1


# ---- TLS that a message requires. RFC 8689 §4.2.1


@pytest.mark.parametrize(
    ("offered", "state", "status"),
    [
        ("REQUIRETLS SIZE STARTTLS", "sent", "2.0.0"),
        ("SIZE STARTTLS", "failed", "5.7.30"),
        ("REQUIRETLS", "failed", "5.7.10"),
    ],
)
async def test_tls_is_required(
    remote: Remote,
    alice: Any,
    trusted: ssl.SSLContext,
    offered: str,
    state: str,
    status: str,
) -> None:
    remote.extensions = tuple(set(offered.split()) - {"STARTTLS"})
    remote.ssl_context = trusted if "STARTTLS" in offered else None
    await put("a@far.example", tls="required", ret="FULL")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.status) == (state, status)
    sent = f"MAIL FROM:<{ALICE}> SIZE={len(MESSAGE)} REQUIRETLS"
    assert (sent in remote.said) == (state == "sent")
    assert len(remote.messages) == (state == "sent")
    for report in await messages(ALICE):
        assert b"Subject: out" not in report  # §5: it tells nothing of the message


async def test_required_tls_wants_a_good_certificate(
    remote: Remote, alice: Any, ssl_context: ssl.SSLContext
) -> None:
    remote.extensions = ("REQUIRETLS",)
    remote.ssl_context = ssl_context  # self-signed, for another name
    await put("a@far.example", tls="required")
    await run_once()
    found = await row("a@far.example")
    assert found.state == State.QUEUED
    assert "certificate verify failed" in found.last_reply
    assert remote.messages == []


async def test_a_report_goes_without(remote: Remote) -> None:
    """RFC 8689 §5: it must not be lost for want of TLS."""
    await put("a@far.example", mail_from="", tls="required")
    await run_once()
    assert (await row("a@far.example")).state == State.SENT


# ---- Nothing that is queued can pass for a second message

ENDS = [
    *(b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r"),
    *(b"\r.\n", b"\r\n.\r\r\n", b"\n\n.\r\r\n", b"\r\n.\r\n", b".\r\n", b".\n", b"\r"),
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("at", ["inside", "at the end", "at the start"])
async def test_nothing_is_smuggled_out(
    remote: Remote, alice: Any, end: bytes, at: str
) -> None:
    """Whatever line ends it holds, other servers read one message, and in one way."""
    more = b"MAIL FROM:<evil@x.example>\r\nDATA\r\n"
    octets = {
        "inside": MESSAGE + b"x" + end + more,
        "at the end": MESSAGE + more + end,
        "at the start": end + MESSAGE + more,
    }[at]
    envelope = Envelope(ALICE, (Recipient("a@far.example"),))
    await gate.write((), queue.enqueue, octets, envelope)
    await run_once()
    [sent] = remote.messages
    assert not any(line.startswith("MAIL FROM:<evil") for line in remote.said)
    assert b"\n" not in sent.replace(b"\r\n", b"")
    assert b"\r" not in sent.replace(b"\r\n", b"")
    assert b"\r\n.\r\n" not in b"\r\n" + sent
