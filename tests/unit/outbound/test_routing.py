"""Where mail for a domain goes, as a DNS server of the tests' own says."""

from collections.abc import Iterator
from typing import Any

import pytest

from mailhost.outbound import routing
from mailhost.outbound.models import SmartRoute
from mailhost.outbound.routing import Unroutable, exchanges, hops, may_be_sent_to
from mailhost.outbound.security import Kind
from mailhost.sealing import sealed
from tests.unit.smtp.inbox import close
from tests.world.dns import DROP, SERVFAIL, World, dns_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(settings: Any) -> Iterator[World]:
    with dns_server() as found:
        settings.MAILHOST_DNS_SERVERS = [found.server]
        settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = True
        settings.MAILHOST_HOSTNAME = "mail.ours.example"
        yield found


@pytest.fixture(autouse=True)
async def nothing_left() -> Any:
    yield
    await close()


async def refused(domain: str) -> str:
    with pytest.raises(Unroutable) as caught:
        await hops(domain)
    return caught.value.status


async def test_by_preference(world: World) -> None:
    world.zone["far.example"] = {"MX": ["20 b.", "10 a.", "30 c."]}
    assert (await exchanges("far.example")).names == ("a", "b", "c")


async def test_null_mx(world: World) -> None:
    world.zone["far.example"] = {"MX": "0 ."}  # RFC 7505 §3
    assert await refused("far.example") == "5.1.10"


async def test_no_answer(world: World) -> None:
    world.zone["ill.example"] = SERVFAIL
    assert await refused("gone.example") == "5.1.2"
    assert await refused("ill.example") == "4.4.3"


async def test_hosts_of_which_dns_says_nothing_are_tried_later(world: World) -> None:
    world.zone |= {"far.example": {"MX": "10 mx.far.example."}}
    world.zone["mx.far.example"] = SERVFAIL
    assert await refused("far.example") == "4.4.3"


async def test_without_mx_the_domain_itself(world: World) -> None:
    world.zone["far.example"] = {"A": "127.0.0.9"}
    [hop] = await hops("far.example")
    assert (hop.host, hop.addresses) == ("far.example", ("127.0.0.9",))


async def test_both_families_in_turn(world: World) -> None:
    world.zone["far.example"] = {"MX": "10 mx.far.example."}
    rows = {"A": ["127.0.0.8", "127.0.0.9"], "AAAA": ["::8", "::9"]}
    world.zone["mx.far.example"] = rows
    [hop] = await hops("far.example")
    assert [":" in address for address in hop.addresses] == [True, False, True, False]
    assert set(hop.addresses) == {"127.0.0.8", "127.0.0.9", "::8", "::9"}


async def test_an_alias_as_mx_is_followed(world: World) -> None:
    # RFC 5321 §5.1 forbids it to them, not to us.
    world.zone["far.example"] = {"MX": "10 mx.far.example."}
    world.zone["mx.far.example"] = {"CNAME": "real.far.example."}
    world.zone["real.far.example"] = {"A": "127.0.0.9"}
    [hop] = await hops("far.example")
    assert (hop.host, hop.addresses) == ("mx.far.example", ("127.0.0.9",))


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (["10 mail.ours.example."], []),
        (["5 better.", "10 mail.ours.example.", "20 worse."], ["better"]),
        (["5 better.", "5 mail.ours.example."], []),
    ],
)
async def test_we_are_one_of_them(
    world: World, rows: list[str], names: list[str]
) -> None:
    world.zone |= {"far.example": {"MX": rows}, "better": {"A": "127.0.0.9"}}
    if not names:
        assert await refused("far.example") == "5.4.6"
    else:
        assert [hop.host for hop in await hops("far.example")] == names


async def test_an_address_of_ours_is_a_loop(world: World, settings: Any) -> None:
    settings.MAILHOST_OUTBOUND_PORT = 25 + settings.MAILHOST_PORT_OFFSET
    world.zone["far.example"] = {"A": "127.0.0.1"}
    assert await refused("far.example") == "5.4.6"


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


async def test_only_inside_is_nowhere(world: World, settings: Any) -> None:
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = False
    world.zone["far.example"] = {"MX": "10 localhost."}
    world.zone["localhost"] = {"A": "127.0.0.1"}
    assert await refused("far.example") == "5.4.4"


async def test_an_address_literal(settings: Any) -> None:
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = True
    [hop] = await hops("[127.0.0.1]")
    assert hop.addresses == ("127.0.0.1",)


async def test_routes_of_the_admin(world: World) -> None:
    made = {
        "far.example": ("127.0.0.1", "starttls", "me"),
        ".example": ("127.0.0.2", "maybe", ""),
        "*": ("127.0.0.3", "tls", ""),
    }
    for domain, (host, tls, login) in made.items():
        await SmartRoute.objects.acreate(
            domain=domain, host=host, tls=tls, login=login, secret=sealed("route", "pw")
        )
    found = {name: (await hops(name))[0] for name in ("far.example", "b.example", "x")}
    assert [hop.addresses[0][-1] for hop in found.values()] == ["1", "2", "3"]
    assert (found["far.example"].login, found["far.example"].password) == ("me", "pw")
    assert found["x"].implicit_tls
    assert "pw" not in (await SmartRoute.objects.afirst()).secret  # type: ignore[union-attr]


async def test_signed_tlsa_records_are_demanded(world: World, settings: Any) -> None:
    settings.MAILHOST_DNS_TRUSTED = world.authentic = True
    settings.MAILHOST_OUTBOUND_PORT = 2525
    world.zone |= {
        "far.example": {"MX": "10 mx.far.example."},
        "mx.far.example": {"A": "127.0.0.9"},
        "_2525._tcp.mx.far.example": {"TLSA": "3 1 1 " + "ab" * 32},
    }
    [hop] = await hops("far.example")
    assert hop.security.kind is Kind.DANE
    # Nobody vouches for the answer: the record counts for nothing.
    settings.MAILHOST_DNS_TRUSTED = False
    [hop] = await hops("far.example")
    assert hop.security.kind is Kind.OPPORTUNISTIC


@pytest.mark.parametrize("ill", [SERVFAIL, DROP])
async def test_tlsa_records_that_cannot_be_had(
    world: World, settings: Any, ill: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailhost.dnsauth.resolver.QUERY_SECONDS", 0.3)
    settings.MAILHOST_DNS_TRUSTED = world.authentic = True
    settings.MAILHOST_OUTBOUND_PORT = 2525
    world.zone |= {
        "far.example": {"MX": "10 mx.far.example."},
        "mx.far.example": {"A": "127.0.0.9"},
        "_2525._tcp.mx.far.example": ill,
    }
    assert await refused("far.example") == "4.7.5"


async def test_records_nobody_can_use_still_demand_tls(
    world: World, settings: Any
) -> None:
    settings.MAILHOST_DNS_TRUSTED = world.authentic = True
    settings.MAILHOST_OUTBOUND_PORT = 2525
    world.zone |= {
        "far.example": {"A": "127.0.0.9"},
        "_2525._tcp.far.example": {"TLSA": "1 1 1 " + "ab" * 32},
    }
    [hop] = await hops("far.example")
    assert hop.security.kind is Kind.DANE_UNUSABLE


def test_our_own_name() -> None:
    assert routing.our_name()
