"""The checks together: the sum, what follows, and checks that fail."""

import asyncio
from typing import Any

import pytest
from pytest_django import Settings
from typing_extensions import override

from mailhost.dnsauth.authentication import Authentication, Handover
from mailhost.screening import pipeline
from mailhost.screening.checks import Check
from mailhost.screening.signals import screened
from mailhost.screening.values import Action, Finding, Incoming, Verdict, decide
from mailhost.store.verdict import read
from tests.unit.screening.making import GOOD, PEER

ANN = Handover(PEER, "mx.example.org", "ann@example.org")
ORIGIN = Authentication(ANN)


def findings(*scores: float, action: Action = Action.ACCEPT) -> list[Finding]:
    return [Finding(f"c{n}", score, f"r{n}", action) for n, score in enumerate(scores)]


@pytest.mark.parametrize(
    ("scores", "action"),
    [
        ((), Action.ACCEPT),
        ((2, 2.9), Action.ACCEPT),
        ((2, 3), Action.JUNK),
        ((9, -5), Action.ACCEPT),
        ((15,), Action.REFUSE),
    ],
)
def test_the_sum_decides(scores: tuple[float, ...], action: Action) -> None:
    assert decide(findings(*scores), ORIGIN, 5, 15).action is action


def test_a_check_may_decide_alone_and_thresholds_may_be_off() -> None:
    asked = findings(0, action=Action.JUNK)
    assert decide(asked, ORIGIN, 5, 15).action is Action.JUNK
    assert decide(findings(99), ORIGIN, 0, 0).action is Action.ACCEPT


def test_for_those_who_must_hear_only_harm_is_refused() -> None:
    asked = findings(99, action=Action.REFUSE)
    assert decide(asked, ORIGIN, 5, 15, lenient=True).action is Action.JUNK
    virus = [Finding("v", 100, "a virus", Action.REFUSE, is_harm=True)]
    assert decide(virus, ORIGIN, 5, 15, lenient=True).action is Action.REFUSE


def test_the_reply_names_the_worst_reason_in_one_line() -> None:
    found = [
        Finding("a", 9, "points"),
        Finding("b", 0, "Z\r\n250 ü" * 99, Action.REFUSE),
    ]
    reply = decide(found, ORIGIN, 5, 15).reply
    assert reply.startswith("550 5.7.1 Z??250 ?Z")
    assert len(reply) < 250


def test_what_is_kept_can_be_read() -> None:
    verdict = decide(findings(1.5, 4), ORIGIN, 5, 15)
    kept = read(verdict.to_json())
    assert (kept.action, kept.score, kept.dmarc) == ("junk", 5.5, "temperror")
    assert kept.findings == (("c0", 1.5, "r0"), ("c1", 4.0, "r1"))
    assert ("spf", "temperror", "") in kept.results


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "nonsense", '{"findings": 3}', "null"]
)
def test_what_was_never_kept_is_nothing(text: str) -> None:
    assert read(text).action == ""


class Good(Check):
    name = "good"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        return self.found(1.0, incoming.helo)


class Broken(Check):
    name = "broken"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        raise ValueError("on purpose")


class Endless(Check):
    name = "endless"

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        await asyncio.Event().wait()
        return None


class Off(Broken):
    name = "off"

    @override
    def is_on(self) -> bool:
        return False


async def test_what_fails_is_logged_and_skipped(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    checks = (Broken(), Endless(), Off(), Good())
    monkeypatch.setattr(pipeline, "active", lambda: checks)
    settings.MAILHOST_CHECK_SECONDS = 0.2
    heard: list[Any] = []

    def hear(verdict: Verdict, **_: Any) -> None:
        heard.append(verdict)
        raise ValueError("a receiver's fault")

    screened.connect(hear)
    try:
        verdict = await pipeline.screen(GOOD, ANN, ["bob@example.test"])
    finally:
        screened.disconnect(hear)
    assert [finding.check for finding in verdict.findings] == ["good"]
    assert heard == [verdict]
    assert "check broken was skipped: on purpose" in caplog.text
    assert "check endless was skipped: TimeoutError" in caplog.text
    assert "check off" not in caplog.text


async def test_without_dns_a_message_is_taken(settings: Settings) -> None:
    settings.MAILHOST_DNS_SERVERS = ["none"]
    verdict = await pipeline.screen(GOOD, ANN, ["bob@example.test"])
    assert verdict.action is Action.ACCEPT
    assert {r.result for r in verdict.origin.results()} <= {"temperror", "none"}


async def test_a_fault_in_the_origin_is_no_fault_of_the_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("on purpose")

    monkeypatch.setattr(pipeline, "authenticate", broken)
    verdict = await pipeline.screen(GOOD, ANN, ["bob@example.test"])
    assert verdict.action is Action.ACCEPT
    assert "is unknown" in caplog.text
