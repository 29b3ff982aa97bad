"""Where mail for a domain goes."""

from collections.abc import Callable
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver
import pytest

from mailhost.outbound import routing
from mailhost.outbound.routing import Unroutable, exchanges, hops, may_be_sent_to


class Row:
    def __init__(self, preference: int, exchange: str) -> None:
        self.preference, self.exchange = preference, exchange


def answers(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    async def resolve(*_: Any, **__: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(dns.asyncresolver, "resolve", resolve)


async def test_by_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, [Row(20, "b."), Row(10, "a."), Row(30, "c.")])
    assert await exchanges("far.example") == ["a", "b", "c"]


async def test_null_mx(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, [Row(0, ".")])  # RFC 7505 §3
    with pytest.raises(Unroutable) as caught:
        await exchanges("far.example")
    assert caught.value.status == "5.1.10"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (dns.resolver.NXDOMAIN, "5.1.2"),
        (dns.resolver.NoNameservers, "4.4.3"),
        (dns.exception.Timeout, "4.4.3"),
    ],
)
async def test_no_answer(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], status: str
) -> None:
    answers(monkeypatch, error())
    with pytest.raises(Unroutable) as caught:
        await exchanges("far.example")
    assert caught.value.status == status


async def test_without_mx_the_domain_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoAnswer(dns.resolver.NoAnswer):
        def __init__(self) -> None:
            Exception.__init__(self)

    answers(monkeypatch, NoAnswer())
    assert await exchanges("far.example") == ["far.example"]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
    ],
)
def test_a_made_up_name_does_not_lead_inside(
    settings: Any, address: str, *, allowed: bool
) -> None:
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = False
    assert may_be_sent_to(address) is allowed


async def test_only_inside_is_nowhere(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = False

    async def inside(name: str) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(routing, "addresses_of", inside)
    answers(monkeypatch, [Row(10, "localhost.")])
    with pytest.raises(Unroutable) as caught:
        await hops("far.example")
    assert caught.value.status == "5.4.4"


async def test_an_address_literal(settings: Any) -> None:
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = True
    [hop] = await hops("[127.0.0.1]")
    assert hop.addresses == ("127.0.0.1",)
