"""How much a user may send a day, and what happens to who sends more."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from accounts.models import Membership, User
from mailhost.delivery import NotPermitted, submit_sync
from mailhost.outbound.models import QueueRecipient, State
from mailhost.outbound.values import Envelope, Recipient
from mailhost.sending import limits
from mailhost.sending.models import Correspondent, Sender, SendingDay
from mailhost.store.gate import gate
from tests.unit.smtp.inbox import _messages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

ALICE, BOB = "alice@example.test", "bob@example.test"
MESSAGE = b"From: alice@example.test\r\nSubject: out\r\n\r\nx\r\n"


@pytest.fixture(autouse=True)
def stop() -> Any:
    yield
    gate.stop()


@pytest.fixture
def boss(db: None) -> User:
    """An administrator, who hears of who is held."""
    from tests.conftest import person

    made = person("boss", "example.test")
    made.is_staff = made.is_superuser = True
    made.save()
    return made


def send(user: User, *recipients: str) -> None:
    envelope = Envelope(ALICE, tuple(Recipient(r) for r in recipients))
    submit_sync(user.pk, MESSAGE, envelope)


def refused(user: User, *recipients: str) -> str:
    with pytest.raises(NotPermitted) as caught:
        send(user, *recipients)
    return str(caught.value)


def states() -> list[str]:
    rows = QueueRecipient.objects.order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_too_many_messages(alice: User, bob: User, boss: User, settings: Any) -> None:
    settings.MAILHOST_SEND_MESSAGES_A_DAY = 2
    send(alice, "a@far.example")
    send(alice, BOB)
    assert refused(alice, "b@far.example", BOB)[:9] == "450 4.7.1"
    # Of that message nobody got anything, and what waited is held.
    assert len(_messages(BOB)) == 1
    assert states() == [State.HELD]
    row = Sender.objects.get(pk=alice.pk)
    assert row.held_at is not None
    assert row.held_why == "more than 2 messages a day"
    [letter] = _messages("boss@example.test")
    assert b"alice@example.test went over a limit (more than 2 messages" in letter
    assert letter.startswith(b"Return-Path: <>\r\n")
    # Told once; others are free.
    assert refused(alice, BOB)[:3] == "450"
    assert len(_messages("boss@example.test")) == 1
    limits.release(alice.pk)
    assert states() == [State.QUEUED]
    send(alice, "b@far.example")
    assert states() == [State.QUEUED] * 2


def test_too_many_new_recipients(alice: User, boss: User, settings: Any) -> None:
    settings.MAILHOST_SEND_NEW_RECIPIENTS_A_DAY = 3
    send(alice, "a@far.example", "b@far.example", BOB)
    for _ in range(3):  # known ones, however they are written, do not count
        send(alice, "A@far.example", "b@FAR.example")
    send(alice, "c@far.example", "a@far.example")
    assert Correspondent.objects.count() == 3
    assert refused(alice, "a@far.example", "d@far.example")[:3] == "450"
    assert Correspondent.objects.count() == 3
    limits.release(alice.pk)
    send(alice, "d@far.example")


def test_a_users_own_limit_counts(alice: User, bob: User, settings: Any) -> None:
    settings.MAILHOST_SEND_MESSAGES_A_DAY = 1
    Sender.objects.create(user=alice, messages_a_day=3, new_recipients_a_day=0)
    for _ in range(3):
        send(alice, BOB)
    refused(alice, BOB)
    limits.release(alice.pk)
    Sender.objects.update(messages_a_day=0)  # no limit
    for _ in range(5):
        send(alice, BOB)


def test_another_day_counts_anew(alice: User, bob: User, settings: Any) -> None:
    from datetime import timedelta

    from django.db.models import F

    settings.MAILHOST_SEND_MESSAGES_A_DAY = 1
    for _ in range(3):
        send(alice, BOB)
        SendingDay.objects.update(day=F("day") - timedelta(days=1))
    SendingDay.objects.update(day=F("day") - timedelta(days=40))
    limits.sweep()
    assert not SendingDay.objects.exists()


def test_a_release_leaves_what_others_hold(alice: User, settings: Any) -> None:
    settings.MAILHOST_SEND_MESSAGES_A_DAY = 1
    send(alice, "a@far.example")
    QueueRecipient.objects.update(state=State.HELD)  # an administrator did
    refused(alice, "b@far.example")
    limits.release(alice.pk)
    assert states() == [State.HELD]


@pytest.mark.parametrize("at_once", [8])
def test_the_limit_holds_when_many_send_at_once(
    alice: User, bob: User, settings: Any, at_once: int
) -> None:
    settings.MAILHOST_SEND_MESSAGES_A_DAY = 5

    def one(_: int) -> bool:
        try:
            send(alice, BOB)
        except NotPermitted:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(at_once) as pool:
        sent = list(pool.map(one, range(20)))
    assert sum(sent) == 5
    assert len(_messages(BOB)) == 5


def test_the_admin_shows_and_releases(
    alice: User, boss: User, settings: Any, client: Client
) -> None:
    settings.MAILHOST_SEND_MESSAGES_A_DAY = 1
    settings.ALLOWED_HOSTS = ["*"]
    send(alice, "a@far.example")
    refused(alice, "b@far.example")
    client.force_login(boss)
    page = client.get("/admin/sending/sender/")
    assert b"more than 1 messages a day" in page.content
    assert client.get("/admin/sending/sendingday/").status_code == 200
    done = client.post(
        "/admin/sending/sender/",
        {"action": "release", "_selected_action": [str(alice.pk)]},
    )
    assert done.status_code == 302
    assert states() == [State.QUEUED]
    assert not site._registry[SendingDay].has_add_permission(page.wsgi_request)


def test_who_may_write_as_whom(alice: User, bob: User, stranger: User) -> None:
    """The matrix of own, shared and foreign names; RFC 6409 §6.1."""
    from accounts.models import Account, Address, Domain

    domain = Domain.objects.get(name="example.test")
    team = {}
    for name in ("sales", "read", "staff"):
        team[name] = Account.objects.create(kind=Account.Kind.SHARED, name=name)
        Address.objects.create(domain=domain, local_part=name).accounts.set(
            [team[name]]
        )
    alias = Address.objects.create(domain=domain, local_part="al")
    alias.accounts.set([alice.account])
    domain.catch_all = alias
    domain.save()
    Membership.objects.create(account=team["sales"], user=alice, send_as=True)
    Membership.objects.create(account=team["read"], user=alice, send_as=False)
    group = Group.objects.create(name="staff")
    alice.groups.add(group)
    Membership.objects.create(account=team["staff"], group=group, send_as=True)

    for header, may in (
        ("From: alice@example.test", True),
        ("From: ALICE@Example.TEST", True),
        ("From: alice+shop@example.test", True),
        ("From: al@example.test", True),
        ("From: sales@example.test", True),
        ("From: staff@example.test", True),
        ("From: read@example.test", False),
        ("From: anything@example.test", False),  # only the catch-all leads there
        ("From: bob@example.test", False),
        ("From: stranger@other.test", False),
        ("From: x@far.example", False),
        ("From: postmaster@example.test", False),
        # RFC 5322 §3.6.2: several authors, one of whom sent it
        ("From: alice@example.test, al@example.test\r\nSender: al@example.test", True),
        ("From: alice@example.test\r\nSender: sales@example.test", True),
        ("From: alice@example.test\r\nSender: bob@example.test", False),
        ("From: bob@example.test\r\nSender: alice@example.test", False),
        ("From: alice@example.test, bob@example.test", False),
        ("From: alice@example.test\r\nFrom: bob@example.test", False),
        # RFC 6854: a group
        ("From: Us: alice@example.test, al@example.test;", True),
        ("From: Us: alice@example.test, bob@example.test;", False),
        ("From: Nobody:;", False),
        # RFC 5322 §3.6.6: who sends again is no reason to believe From
        ("From: alice@example.test\r\nResent-From: al@example.test", True),
        ("From: alice@example.test\r\nResent-From: bob@example.test", False),
        ("From: bob@example.test\r\nResent-From: alice@example.test", False),
        ("From: alice@example.test\r\nResent-Sender: bob@example.test", False),
        # What one reader takes for the address and another for the name
        ('From: "bob@example.test" <alice@example.test>', True),
        ("From: bob@example.test <alice@example.test>", False),
        ("From: <bob@example.test> <alice@example.test>", False),
        ("From: alice@example.test <bob@example.test>", False),
        ("From: alice@example.test(bob@example.test)", True),
        ("From: =?utf-8?q?bob=40example=2Etest?= <alice@example.test>", True),
        ("From : alice@example.test\r\nFrom: bob@example.test", False),
        ("Subject: none", False),
    ):
        octets = header.encode() + b"\r\nSubject: x\r\n\r\nx\r\n"
        envelope = Envelope(ALICE, (Recipient(BOB),))
        try:
            submit_sync(alice.pk, octets, envelope)
        except NotPermitted:
            sent = False
        else:
            sent = True
        assert sent == may, header
    for mail_from, may in ((BOB, False), ("", True), ("al@example.test", True)):
        envelope = Envelope(mail_from, (Recipient(BOB),))
        try:
            submit_sync(alice.pk, MESSAGE, envelope)
        except NotPermitted:
            assert not may, mail_from
        else:
            assert may, mail_from
