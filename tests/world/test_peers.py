"""Servers that misbehave: what they do delays mail, and never loses it."""

import asyncio
from typing import Any

import pytest

from mailhost.outbound.models import Attempt, QueueRecipient
from mailhost.outbound.runner import run_once
from tests.unit.outbound.conftest import Remote, no_connection_left, remote
from tests.unit.outbound.test_runner import ALICE, make_due, put, row
from tests.unit.smtp.inbox import messages

__all__ = ["no_connection_left", "remote"]

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_storm_of_refusals_ends(remote: Remote, alice: Any) -> None:
    """Everything is refused for a while, at each stage in turn."""
    await put("a@far.example", "b@far.example")
    stages = (
        *("greeting", "EHLO", "MAIL", "RCPT", "DATA", "."),
        *("greeting", "MAIL", "RCPT TO:<a@"),
    )
    for stage in stages:
        remote.replies = {stage: "421 4.3.2 storm"}
        await run_once()
        await make_due()
    remote.replies = {}
    await run_once()
    for name in ("a@far.example", "b@far.example"):
        assert (await row(name)).state == "sent"
    assert len(remote.messages) <= 3  # those that "." and a@ cut off came too
    assert await messages(ALICE) == []


async def test_greylisting(remote: Remote, alice: Any) -> None:
    remote.replies["RCPT"] = "451 4.7.1 greylisted, come again"
    await put("a@far.example")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.status, found.attempts) == ("queued", "4.7.1", 1)
    remote.replies.clear()
    await make_due()
    await run_once()
    assert (await row("a@far.example")).state == "sent"
    outcomes = [a.outcome[:5] async for a in Attempt.objects.order_by("pk")]
    assert outcomes == ["later", "sent:"]


async def test_a_connection_dropped_after_the_message(
    remote: Remote, alice: Any
) -> None:
    """Nobody knows whether it arrived: it is sent again, once."""
    remote.replies["."] = "hang up"
    await put("a@far.example", "b@far.example")
    await run_once()
    for name in ("a@far.example", "b@far.example"):
        found = await row(name)
        assert (found.state, found.status) == ("queued", "4.4.2")
    remote.replies.clear()
    await make_due()
    await run_once()
    await make_due()
    await run_once()
    assert len(remote.messages) == 2
    sent = QueueRecipient.objects.filter(state="sent", attempts=2)
    assert await sent.acount() == 2


@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "DATA"])
async def test_one_that_falls_silent(
    remote: Remote, alice: Any, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("session", "transaction"):
        monkeypatch.setattr(f"mailhost.outbound.{module}.REPLY_SECONDS", 0.2)
    silence = asyncio.Event()
    remote.held = {stage: silence}
    await put("a@far.example")
    await run_once()
    found = await row("a@far.example")
    assert (found.state, found.status[:4]) == ("queued", "4.4.")
    silence.set()


async def test_one_that_talks_without_end(remote: Remote, alice: Any) -> None:
    remote.replies["MAIL"] = "\r\n".join(["250-more"] * 20_000)
    await put("a@far.example")
    await run_once()
    assert (await row("a@far.example")).state == "queued"
    attempt = await Attempt.objects.aget()
    assert len(attempt.dialogue) < 20_000


@pytest.mark.parametrize("reply", ["nonsense", "999 what", "2", "250\0ok", "-1 x"])
async def test_one_that_speaks_no_smtp(remote: Remote, alice: Any, reply: str) -> None:
    remote.replies["MAIL"] = reply
    await put("a@far.example")
    await run_once()
    found = await row("a@far.example")
    assert found.state in {"queued", "sent"}
    assert (found.state == "sent") == (len(remote.messages) == 1)


async def test_one_that_lists_a_thousand_recipients(remote: Remote, alice: Any) -> None:
    names = [f"{number}@far.example" for number in range(120)]
    remote.replies["RCPT TO:<7@"] = "550 5.1.1 nobody"
    await put(*names)
    while await run_once():
        pass
    assert len(remote.messages) == 3  # at most fifty in one
    assert await QueueRecipient.objects.filter(state="sent").acount() == 119
    [report] = await messages(ALICE)
    assert report.count(b"Final-Recipient:") == 1
