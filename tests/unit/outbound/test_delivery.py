"""Where addresses lead, and what Django's own threads send."""

from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.db import transaction
from django.test import RequestFactory

from accounts.models import Address, Domain, User
from mailhost.delivery import NotPermitted, look_up, route, submit_sync
from mailhost.delivery.outcomes import _REPLIES, FAULT, reply_to
from mailhost.outbound.admin import QueueRecipientAdmin
from mailhost.outbound.models import QueueMessage, QueueRecipient, State
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store import errors
from mailhost.store.gate import gate
from tests.unit.smtp.inbox import _messages, close

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB = "alice@example.test", "bob@example.test"
MESSAGE = b"From: alice@example.test\r\nSubject: out\r\n\r\nx\r\n"


def alias(name: str, *forward_to: str, accounts: tuple[User, ...] = ()) -> None:
    made = Address.objects.create(
        domain=Domain.objects.get(name="example.test"),
        local_part=name,
        forward_to=list(forward_to),
    )
    made.accounts.set([user.account for user in accounts])


def test_aliases_are_followed(alice: Any, bob: Any) -> None:
    alias("both", accounts=(alice, bob))
    alias("chain", "both@example.test", "out@far.example", "chain@example.test")
    alias("gone", "nobody@example.test")
    both = {alice.account.pk, bob.account.pk}
    assert set(route("both@example.test").accounts) == both
    found = route("chain@example.test")
    assert (set(found.accounts), found.outside) == (both, ("out@far.example",))
    assert not route("gone@example.test").is_known
    assert route("Alice+tag@EXAMPLE.test").accounts == (alice.account.pk,)
    assert route("nobody@example.test").is_local
    assert not route("x@far.example").is_local


async def test_a_changed_address_is_seen_at_once(alice: Any, bob: Any) -> None:
    from asgiref.sync import sync_to_async

    assert not (await look_up("new@example.test")).is_known
    await sync_to_async(alias)("new", accounts=(alice,))
    assert (await look_up("new@example.test")).accounts == (alice.account.pk,)
    address = await Address.objects.aget(local_part="new")
    await sync_to_async(address.accounts.set)([bob.account])
    assert (await look_up("new@example.test")).accounts == (bob.account.pk,)
    await address.adelete()
    assert not (await look_up("new@example.test")).is_known
    await close()


def test_every_refusal_has_a_reply() -> None:
    kinds = errors.StoreError.__subclasses__()
    assert kinds
    for kind in kinds:
        reply = reply_to(kind("secret"))
        assert reply == _REPLIES.get(kind, FAULT)
        assert reply[0] in "45"
        assert "secret" not in reply


def send(user: User, *recipients: str, octets: bytes = MESSAGE) -> dict[str, str]:
    envelope = Envelope(ALICE, tuple(Recipient(r) for r in recipients))
    found = submit_sync(user.pk, octets, envelope)
    return {name: outcome.reply[:9] for name, outcome in found.items()}


def test_it_sends_from_a_thread(alice: Any, bob: Any) -> None:
    said = send(alice, BOB, "far@far.example", "nobody@example.test")
    assert said == {
        BOB: "250 2.1.5",
        "far@far.example": "250 2.1.5",
        "nobody@example.test": "550 5.1.1",
    }
    [octets] = _messages(BOB)
    row = QueueMessage.objects.get()
    assert octets.endswith(bytes(row.octets))
    assert row.sender_id == alice.pk
    gate.stop()


def test_it_joins_a_transaction(alice: Any, bob: Any) -> None:
    with transaction.atomic():
        send(alice, BOB, "far@far.example")
        transaction.set_rollback(True)
    assert _messages(BOB) == []
    assert not QueueMessage.objects.exists()
    with transaction.atomic():
        send(alice, BOB, "far@far.example")
    assert len(_messages(BOB)) == 1
    gate.stop()


def test_it_sends_in_no_other_name(alice: Any, bob: Any) -> None:
    with pytest.raises(NotPermitted, match=r"5\.7\.1"):
        send(bob, BOB)
    with pytest.raises(NotPermitted):
        send(alice, BOB, octets=b"From: bob@example.test\r\n\r\nx")
    assert _messages(BOB) == []
    gate.stop()


def test_actions_of_the_admin(
    alice: Any, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(alice, "far@far.example")
    model_admin = QueueRecipientAdmin(QueueRecipient, site)
    monkeypatch.setattr(model_admin, "message_user", lambda *_: None)
    request = RequestFactory().get("/")
    request.user = admin_user
    rows = QueueRecipient.objects.all()
    for act, state in (
        (model_admin.hold, State.HELD),
        (model_admin.retry_now, State.QUEUED),
        (model_admin.drop, State.DROPPED),
        (model_admin.retry_now, State.DROPPED),
    ):
        act(request, rows)
        assert rows.get().state == state
    assert not model_admin.has_add_permission(request)
    gate.stop()
