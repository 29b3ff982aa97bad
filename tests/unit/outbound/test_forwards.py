"""Forwards in a name of ours and back (SRS); relayed domains; addresses not tried."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mailhost.delivery import deliver, look_up
from mailhost.outbound import srs
from mailhost.outbound.models import (
    QueueMessage,
    QueueRecipient,
    RelayDomain,
    SrsKey,
    Suppression,
)
from mailhost.outbound.runner import run_once
from mailhost.store.gate import gate
from tests.unit.outbound.conftest import Remote
from tests.unit.outbound.test_runner import ALICE, MESSAGE, forward, make_due, put
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)

OURS = "mail.example.test"


@pytest.fixture
def name(settings: Any) -> str:
    settings.MAILHOST_SRS_DOMAIN = OURS
    return OURS


def test_there_and_back(name: str) -> None:
    made = srs.rewritten("Someone@far.example")
    assert made.startswith("SRS0=")
    assert made.endswith("=far.example=Someone@" + OURS)
    assert srs.original(made) == "Someone@far.example"
    assert srs.original(made.lower()) == "someone@far.example"
    assert srs.original(made.upper()) == "SOMEONE@FAR.EXAMPLE"


@pytest.mark.parametrize(
    "change",
    [
        ("far.example", "near.example"),
        ("=someone", "=mallory"),
        ("SRS0=", "SRS0=a"),
        ("@" + OURS, "@elsewhere.test"),
        ("SRS0=", "SRS1="),
    ],
)
def test_no_other_is_believed(name: str, change: tuple[str, str]) -> None:
    made = srs.rewritten("someone@far.example").replace(*change)
    assert srs.original(made) is None


def test_an_old_one_is_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = srs.rewritten("someone@far.example")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 21 * 86_400)
    assert srs.original(made) == "someone@far.example"
    monkeypatch.setattr(time, "time", lambda: now + 22 * 86_400)
    assert srs.original(made) is None


def test_what_another_host_rewrote(name: str) -> None:
    theirs = "SRS0=abcd=ef=far.example=someone@relay.example"
    made = srs.rewritten(theirs)
    assert made.startswith("SRS1=")
    assert srs.original(made) == theirs
    # A third host in between does not make it longer.
    between = made.replace(OURS, "third.example")
    again = srs.rewritten(between)
    assert again.count("=") == made.count("=")
    assert srs.original(again) == theirs


def test_what_stays(name: str, alice: Any, settings: Any) -> None:
    for sender in ("", ALICE, f"x@{OURS}", "x" * 60 + "@far.example"):
        assert srs.rewritten(sender) == sender
    settings.MAILHOST_SRS_DOMAIN = "none"
    assert srs.rewritten("a@far.example") == "a@far.example"


@pytest.mark.engines
def test_keys_are_changed_and_old_ones_believed(name: str) -> None:
    first = srs.rewritten("someone@far.example")
    SrsKey.objects.update(created_at=timezone.now() - timedelta(days=91))
    second = srs.rewritten("someone@far.example")
    assert first != second
    assert SrsKey.objects.count() == 2
    assert srs.original(first) == srs.original(second) == "someone@far.example"
    SrsKey.objects.filter(pk=SrsKey.objects.earliest("pk").pk).update(
        created_at=timezone.now() - timedelta(days=113)
    )
    assert srs.original(first) is None


async def test_a_forward_leaves_in_our_name_and_its_bounce_returns(
    remote: Remote, alice: Any, name: str
) -> None:
    await forward(alice, "out@far.example")
    await deliver(MESSAGE, mail_from="x@other.example", recipients=[ALICE])
    await run_once()
    [said] = [line for line in remote.said if line.startswith("MAIL")]
    sender = said.removeprefix("MAIL FROM:<").split(">")[0]
    assert sender.startswith("SRS0=")
    assert (await look_up(sender)).is_known
    # Only what has no sender comes back through us.
    refused = await deliver(MESSAGE, mail_from="m@x.example", recipients=[sender])
    assert refused[sender].reply[:9] == "550 5.1.1"
    took = await deliver(MESSAGE, mail_from="", recipients=[sender])
    assert took[sender].is_accepted
    await run_once()
    assert "RCPT TO:<x@other.example>" in remote.said
    assert "MAIL FROM:<>" in {line.split(" SIZE")[0] for line in remote.said}


async def test_mail_of_our_own_is_forwarded_as_it_is(
    remote: Remote, alice: Any, name: str
) -> None:
    await forward(alice, "out@far.example")
    await deliver(MESSAGE, mail_from="bob@example.test", recipients=[ALICE])
    assert (await QueueMessage.objects.aget()).mail_from == "bob@example.test"


@pytest.mark.engines
async def test_a_relayed_domain(remote: Remote, alice: Any, name: str) -> None:
    await RelayDomain.objects.acreate(name="far.example", recipients=["a", "b"])
    names = ["a@far.example", "B@far.example", "c@far.example", "a@else.example"]
    ways = [await look_up(address) for address in names]
    assert [way.is_local for way in ways] == [True, True, True, False]
    assert [way.is_known for way in ways] == [True, True, False, False]
    said = await deliver(MESSAGE, mail_from="x@other.example", recipients=names[:2])
    assert all(outcome.is_accepted for outcome in said.values())
    await run_once()
    [sent] = remote.messages
    assert sent == MESSAGE.replace(b"\n.", b"\n..")
    # For whoever gets it the sender is who it was.
    assert any(line.startswith("MAIL FROM:<x@other.example>") for line in remote.said)


async def test_a_domain_of_ours_is_not_relayed(alice: Any) -> None:
    await RelayDomain.objects.acreate(name="example.test")
    assert not (await look_up("nobody@example.test")).is_known
    await gate.close()


async def refuse(remote: Remote, times: int) -> None:
    remote.replies["RCPT"] = "550 5.1.1 nobody"
    for _ in range(times):
        await put("Gone@far.example")
        await run_once()


@pytest.mark.engines
async def test_an_address_that_refuses_is_not_tried_for_ever(
    remote: Remote, alice: Any
) -> None:
    await refuse(remote, 4)
    assert sum(line.startswith("RCPT") for line in remote.said) == 3
    row = await QueueRecipient.objects.alatest("pk")
    assert (row.state, row.status) == ("failed", "5.1.1")
    assert "refused mail before (550 5.1.1 nobody)" in row.last_reply
    assert len(await messages(ALICE)) == 4
    # The others of the message are.
    remote.replies.clear()
    await put("gone@far.example", "here@far.example")
    await run_once()
    assert len(remote.messages) == 1
    # Cleared, or when its time is over, it is tried; what arrives clears it.
    await Suppression.objects.aupdate(expires_at=timezone.now())
    await put("gone@far.example")
    await run_once()
    assert len(remote.messages) == 2
    assert not await Suppression.objects.aexists()


@pytest.mark.parametrize("reply", ["550 5.7.1 spam", "552 5.2.2 full", "450 4.1.1 no"])
async def test_what_does_not_count(remote: Remote, alice: Any, reply: str) -> None:
    remote.replies["RCPT"] = reply
    for _ in range(2):
        await put("a@far.example")
        await run_once()
        await make_due()
    assert not await Suppression.objects.aexists()
