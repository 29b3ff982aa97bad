"""What is sent later, and what is called off before."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from mailhost.delivery import (
    NotPermitted,
    cancel_sync,
    schedule_sync,
    scheduled,
    submit,
)
from mailhost.jobs.models import Job
from mailhost.jobs.runner import run_due
from mailhost.outbound.models import QueueMessage, QueueRecipient
from mailhost.outbound.values import Deadline, Envelope, Recipient
from mailhost.sending import limits
from mailhost.sending.models import Scheduled, SendingDay
from mailhost.store.gate import gate
from tests.unit.smtp.inbox import _messages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

ALICE, BOB = "alice@example.test", "bob@example.test"
FAR = "far@far.example"
MESSAGE = b"From: alice@example.test\r\nBcc: x@y.example\r\nSubject: out\r\n\r\nx\r\n"


@pytest.fixture(autouse=True)
def stop() -> Any:
    yield
    gate.stop()


def put(user: User, *recipients: str | Recipient, **more: Any) -> int:
    made = tuple(r if isinstance(r, Recipient) else Recipient(r) for r in recipients)
    members = more.pop("envelope", {})
    envelope = Envelope(ALICE, made, **members)
    due = more.pop("due", timezone.now() + timedelta(hours=1))
    return schedule_sync(user.pk, MESSAGE, envelope, due, **more)


def make_due() -> None:
    Job.objects.filter(name="send").update(due=timezone.now())


def test_nobody_has_it_before_its_time(alice: User, bob: User) -> None:
    put(alice, BOB, FAR, peer="here")
    run_due()
    assert _messages(BOB) == []
    assert not QueueMessage.objects.exists()
    make_due()
    run_due()
    [octets] = _messages(BOB)
    assert b"Bcc" not in octets
    assert QueueRecipient.objects.get().address == FAR
    assert not Scheduled.objects.exists()
    assert not Job.objects.filter(name="send").exists()
    assert run_due() == 0
    assert len(_messages(BOB)) == 1


def test_it_can_be_called_off(alice: User, bob: User) -> None:
    made = put(alice, BOB, Recipient(FAR, "NEVER"), envelope={"ret": "HDRS"})
    assert cancel_sync(bob.pk, made) is None  # it is not his
    back = cancel_sync(alice.pk, made)
    assert back is not None
    assert back.octets == MESSAGE
    assert back.envelope.recipients == (Recipient(BOB), Recipient(FAR, "NEVER"))
    assert back.envelope.ret == "HDRS"
    assert cancel_sync(alice.pk, made) is None
    make_due()
    run_due()
    assert _messages(BOB) == []
    assert not Job.objects.filter(name="send").exists()


def test_what_was_sent_cannot_be_called_off(alice: User, bob: User) -> None:
    made = put(alice, BOB)
    make_due()
    run_due()
    assert cancel_sync(alice.pk, made) is None
    assert len(_messages(BOB)) == 1


def test_called_off_while_it_is_sent(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the commit somebody takes it back: it is not sent."""
    made = put(alice, BOB, FAR)
    real = submit

    async def late(*args: Any, **more: Any) -> Any:
        from asgiref.sync import sync_to_async

        assert await sync_to_async(cancel_sync)(alice.pk, made) is not None
        return await real(*args, **more)

    monkeypatch.setattr(scheduled, "submit", late)
    make_due()
    run_due()
    assert _messages(BOB) == []
    assert not QueueMessage.objects.exists()


def test_two_runners_send_it_once(alice: User, bob: User) -> None:
    """One that was cut off after the commit left its job: the next finds no row."""
    made = put(alice, BOB)
    scheduled.send(made)
    Job.objects.filter(name="send").update(
        due=timezone.now(), owner=uuid.uuid4(), lease_until=timezone.now()
    )
    run_due()
    scheduled.send(made)
    assert len(_messages(BOB)) == 1


def test_all_that_was_asked_is_kept(alice: User) -> None:
    by = Deadline(datetime(2030, 1, 1, tzinfo=timezone.now().tzinfo), True)
    asked = {"tls": "required", "priority": -3, "deliver_by": by, "envid": "e+2B"}
    put(alice, Recipient(FAR, "SUCCESS", "rfc822;a"), envelope=asked)
    make_due()
    run_due()
    row = QueueMessage.objects.get()
    assert (row.envid, row.sender_id) == ("e+2B", alice.pk)
    assert row.asked == {
        "tls": "required",
        "priority": -3,
        "by": ["2030-01-01T00:00:00+00:00", True, False],
    }
    recipient = row.recipients.get()
    assert (recipient.notify, recipient.orcpt) == ("SUCCESS", "rfc822;a")


def test_rights_are_asked_again(alice: User, bob: User, stranger: User) -> None:
    """Its user is suspended meanwhile: nothing is sent, and nothing stays."""
    from accounts import standing

    with pytest.raises(NotPermitted):
        put(bob, ALICE)
    put(alice, BOB)
    standing.suspend(alice)
    make_due()
    run_due()
    assert _messages(BOB) == []
    assert not Scheduled.objects.exists()


def test_a_colleague_who_is_gone_or_full(alice: User, bob: User) -> None:
    put(alice, BOB, FAR, "nobody@example.test")
    bob.account.quota_bytes = 10
    bob.account.save()
    make_due()
    run_due()
    assert QueueRecipient.objects.get().address == FAR
    [report] = _messages(ALICE)
    assert b"Final-Recipient: rfc822; bob@example.test" in report
    assert b"Final-Recipient: rfc822; nobody@example.test" in report
    assert not Scheduled.objects.exists()


def test_one_commit_where_one_is_full(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off at any moment, it is sent to the others once, or waits as before."""
    from mailhost.delivery import incoming, submission

    bob.account.quota_bytes = 10
    bob.account.save()
    put(alice, BOB, ALICE, FAR)
    real = incoming.commit

    def cut_off(*args: Any) -> Any:
        if len(args[1]) == 1 and args[2]:  # the last step: who fits, and the queue
            raise SystemError("cut off")
        return real(*args)

    monkeypatch.setattr(submission, "commit", cut_off)
    make_due()
    run_due()
    assert _messages(ALICE) == []
    assert not QueueMessage.objects.exists()
    assert Scheduled.objects.exists()
    monkeypatch.undo()
    make_due()
    run_due()
    assert QueueRecipient.objects.count() == 1
    mine, report = sorted(_messages(ALICE), key=len)
    assert b"Final-Recipient: rfc822; bob@example.test" in report
    assert b"Subject: out" in mine


def test_who_is_held_sends_after_the_release(
    alice: User, bob: User, settings: Any
) -> None:
    made = put(alice, BOB)
    limits.hold(alice.pk, "test")
    make_due()
    run_due()
    assert _messages(BOB) == []
    job = Job.objects.get(name="send")
    assert "450 4.7.1" in job.error
    assert job.due is not None
    assert job.due > timezone.now()
    limits.release(alice.pk)
    make_due()
    run_due()
    assert len(_messages(BOB)) == 1
    assert cancel_sync(alice.pk, made) is None


def test_who_is_held_too_long_hears_of_it(alice: User, bob: User) -> None:
    put(alice, BOB)
    limits.hold(alice.pk, "test")
    Scheduled.objects.update(due=timezone.now() - timedelta(days=10))
    make_due()
    run_due()
    assert not Scheduled.objects.exists()
    [report] = _messages(ALICE)
    assert b"Status: 5.7.1" in report


def test_it_counts_when_it_is_sent(alice: User, bob: User) -> None:
    put(alice, BOB)
    assert not SendingDay.objects.exists()
    make_due()
    run_due()
    assert SendingDay.objects.get().messages == 1


def test_it_joins_a_transaction(alice: User, bob: User) -> None:
    with transaction.atomic():
        put(alice, BOB)
        transaction.set_rollback(True)
    assert not Scheduled.objects.exists()
    assert not Job.objects.filter(name="send").exists()


def test_there_is_an_end_to_what_waits(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotPermitted, match="held for so long"):
        put(alice, FAR, due=timezone.now() + timedelta(days=91))
    monkeypatch.setattr(scheduled, "MOST_MESSAGES", 2)
    made = [put(alice, FAR), put(alice, FAR)]
    with pytest.raises(NotPermitted, match=r"452 4\.3\.1"):
        put(alice, FAR)
    assert [one.id for one in scheduled.waiting(alice.pk)] == made
    monkeypatch.setattr(scheduled, "MOST_MESSAGES", 100)
    settings.MAILHOST_MAX_MESSAGE_BYTES = len(MESSAGE) // 4
    with pytest.raises(NotPermitted, match=r"452 4\.3\.1"):
        put(alice, FAR)


def test_a_copy_is_kept_where_it_is_asked(alice: User, bob: User) -> None:
    put(alice, BOB, copy=True)
    put(alice, BOB)
    make_due()
    run_due()
    from mailhost.mail.models import Message

    rows = Message.objects.filter(account=alice.account, folder__role="sent")
    [octets] = [bytes(row.content.header) for row in rows]
    assert b"Bcc: x@y.example\r\n" in octets
