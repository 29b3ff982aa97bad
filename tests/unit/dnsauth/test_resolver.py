"""The resolver, against the DNS server of the tests."""

import pytest
from pytest_django import Settings

from mailhost.dnsauth.resolver import Budget, NoAnswer, OverBudget, Resolver, resolver
from tests.world.dns import (
    DROP,
    REFUSED,
    SERVFAIL,
    Zone,
    dns_server,
    free_udp_port,
    reverse,
)

ZONE: Zone = {
    "Example.org": {"MX": ["20 b.example.org.", "10 a.example.org."], "TXT": "plain"},
    "a.example.org": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": "2001:db8::1"},
    "alias.example.org": {"CNAME": "a.example.org."},
    "long.example.org": {"TXT": "x" * 3000},
    "odd.example.org": {"TXT": b'a"b\\c\xff;'},
    "none.example.org": {"MX": "0 ."},
    "x.y.example.org": {"A": "192.0.2.9"},
    "ill.example": SERVFAIL,
    "shy.example": REFUSED,
    "half.example": {"A": "192.0.2.3", "TXT": DROP},
    reverse("192.0.2.1"): {"PTR": "A.example.org."},
}


async def test_it_reads_each_type() -> None:
    with dns_server(dict(ZONE)) as world:
        ask = Resolver([world.server]).ask
        assert (await ask("example.org", "MX")).exchanges == [
            (10, "a.example.org"),
            (20, "b.example.org"),
        ]
        assert (await ask("none.example.org", "MX")).exchanges == [(0, "")]
        found = await ask("EXAMPLE.org.", "TXT")
        assert found.texts == [b"plain"]
        assert not found.authentic
        found = await ask("alias.example.org", "A")
        assert sorted(found.addresses) == ["192.0.2.1", "192.0.2.2"]
        assert (await ask("a.example.org", "AAAA")).addresses == ["2001:db8::1"]
        assert (await ask(reverse("192.0.2.1"), "PTR")).names == ["a.example.org"]
        assert (await ask("odd.example.org", "TXT")).texts == [b'a"b\\c\xff;']
        # Truncated by UDP, whole by TCP.
        assert (await ask("long.example.org", "TXT")).texts == [b"x" * 3000]


async def test_nothing_and_no_such_name_are_answers() -> None:
    with dns_server(dict(ZONE)) as world:
        ask = Resolver([world.server]).ask
        there = await ask("y.example.org", "A")
        gone = await ask("z.example.org", "A")
        assert (there.records, there.exists) == ((), True)
        assert (gone.records, gone.exists) == ((), False)


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..example", "\\", "é" * 300])
async def test_a_name_that_cannot_be_does_not_exist(name: str) -> None:
    with dns_server(dict(ZONE)) as world:
        assert not (await Resolver([world.server]).ask(name, "A")).exists


@pytest.mark.parametrize("name", ["ill.example", "shy.example"])
async def test_a_broken_server_is_no_answer(name: str) -> None:
    with dns_server(dict(ZONE)) as world, pytest.raises(NoAnswer):
        await Resolver([world.server]).ask(name, "A")


async def test_silence_is_no_answer_within_the_budget() -> None:
    with dns_server(dict(ZONE)) as world:
        budget = Budget(queries=9, seconds=0.2)
        with pytest.raises(NoAnswer):
            await Resolver([world.server]).ask("half.example", "TXT", budget)
    with pytest.raises(NoAnswer):
        await Resolver([f"127.0.0.1:{free_udp_port()}"]).ask("x", "A", Budget(1, 0.2))


async def test_the_budget_ends() -> None:
    with dns_server(dict(ZONE)) as world:
        budget = Budget(queries=2, seconds=10)
        ask = Resolver([world.server]).within(budget)
        await ask("a.example.org", "A")
        await ask("b.example.org", "A")
        with pytest.raises(OverBudget):
            await ask("c.example.org", "A")


async def test_answers_are_remembered_until_forgotten() -> None:
    with dns_server(dict(ZONE)) as world:
        found = Resolver([world.server])
        for name in ("example.org", "example.org", "no.such", "no.such"):
            await found.ask(name, "TXT")
        assert world.asked == [("example.org", "TXT"), ("no.such", "TXT")]
        found.forget()
        world.zone["example.org"] = {"TXT": "changed"}
        assert (await found.ask("example.org", "TXT")).texts == [b"changed"]


async def test_it_tells_what_was_validated() -> None:
    with dns_server(dict(ZONE)) as world:
        world.authentic = True
        assert (await Resolver([world.server]).ask("example.org", "MX")).authentic


async def test_the_resolver_of_the_process_follows_the_setting(
    settings: Settings,
) -> None:
    settings.MAILHOST_DNS_SERVERS = ["none"]
    with pytest.raises(NoAnswer):
        await resolver().ask("example.org", "A")
    with dns_server(dict(ZONE)) as world:
        settings.MAILHOST_DNS_SERVERS = [world.server]
        assert (await resolver().ask("a.example.org", "A")).addresses
        assert resolver() is resolver()
