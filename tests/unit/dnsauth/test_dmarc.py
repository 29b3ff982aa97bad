"""DMARC: the record that applies, the organization, alignment and policy."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from mailhost.dnsauth import dmarc
from mailhost.dnsauth.dmarc import Dmarc
from tests.unit.dnsauth.zoned import Zoned
from tests.world.dns import DROP, SERVFAIL, Zone


def zone(**records: str) -> Zone:
    """_dmarc records by domain, underscores for dots."""
    return {f"_dmarc.{n.replace('_', '.')}": {"TXT": r} for n, r in records.items()}


async def check(
    author: str | Sequence[str],
    rows: Zone,
    spf: str = "",
    dkim: Sequence[str] = (),
) -> Dmarc:
    authors = [author] if isinstance(author, str) else author
    evidence = dmarc.Evidence([spf] if spf else [], dkim)
    return await dmarc.check(authors, evidence, dmarc.Walks(Zoned(rows)))


ORG = zone(example_org="v=DMARC1; p=reject; sp=quarantine; rua=mailto:D@example.org")


@pytest.mark.parametrize(
    ("author", "spf", "dkim", "result", "policy"),
    [
        ("example.org", "example.org", (), "pass", "reject"),
        ("example.org", "", ("example.org",), "pass", "reject"),
        ("Example.ORG.", "", ("EXAMPLE.org",), "pass", "reject"),
        ("example.org", "bounce.example.org", (), "pass", "reject"),
        ("a.b.example.org", "", ("c.example.org",), "pass", "quarantine"),
        ("example.org", "example.net", ("example.com",), "fail", "reject"),
        ("example.org", "notexample.org", (), "fail", "reject"),
        ("example.org", "org", (), "fail", "reject"),
        ("sub.example.org", "", (), "fail", "quarantine"),
        ("example.net", "", (), "none", "none"),
    ],
)
async def test_alignment(
    author: str, spf: str, dkim: tuple[str, ...], result: str, policy: str
) -> None:
    found = await check(author, ORG, spf, dkim)
    assert (found.result, found.policy) == (result, policy)


async def test_strict_alignment() -> None:
    rows = zone(example_org="v=DMARC1; p=reject; adkim=s; aspf=r")
    assert (await check("example.org", rows, dkim=["a.example.org"])).result == "fail"
    assert (await check("example.org", rows, dkim=["example.org"])).result == "pass"
    assert (await check("example.org", rows, spf="a.example.org")).result == "pass"


async def test_the_nearest_of_author_and_organization_applies() -> None:
    rows = ORG | zone(
        sub_example_org="v=DMARC1; p=none", b_example_org="v=DMARC1; p=quarantine"
    )
    assert (await check("sub.example.org", rows)).policy == "none"
    # What lies between the author and the organization does not.
    assert (await check("a.b.example.org", rows)).record_at == "example.org"


async def test_psd_says_where_the_organization_ends() -> None:
    rows = zone(
        example="v=DMARC1; p=reject; psd=y",
        shop_example="v=DMARC1; p=none; psd=n",
        city_example="v=DMARC1; p=quarantine; psd=y",
    )
    one = await check("a.shop.example", rows, spf="b.shop.example")
    assert (one.result, one.organization) == ("pass", "shop.example")
    two = await check("a.b.city.example", rows, spf="c.city.example")
    assert (two.result, two.organization) == ("fail", "b.city.example")
    assert (two.record_at, two.policy) == ("city.example", "quarantine")


async def test_a_registrys_record_unites_nobody() -> None:
    rows = zone(co_uk="v=DMARC1; p=reject", org="v=DMARC1; p=reject")
    found = await check("one.co.uk", rows, spf="two.co.uk")
    assert (found.result, found.organization) == ("fail", "one.co.uk")
    assert found.record_at == "co.uk"


async def test_a_long_name_takes_eight_queries() -> None:
    assert dmarc.steps("a.b.c.d.e.f.g.h.i.j.example.org") == [
        "a.b.c.d.e.f.g.h.i.j.example.org",
        "f.g.h.i.j.example.org",
        "g.h.i.j.example.org",
        "h.i.j.example.org",
        "i.j.example.org",
        "j.example.org",
        "example.org",
        "org",
    ]
    ask = Zoned({})
    name = ".".join("abcdefghijklmnopqrstuvwxyz")
    await dmarc.check([name], dmarc.Evidence(), dmarc.Walks(ask))
    assert ask.asked == 8


@pytest.mark.parametrize(
    ("record", "policy"),
    [
        ("v=DMARC1; p=reject; t=y", "quarantine"),
        ("v=DMARC1; p=quarantine; pct=0", "none"),
        ("v=DMARC1; p=reject; pct=50", "reject"),
        ("v=DMARC1;p=Reject", "reject"),
        ("v = DMARC1 ; p = reject ;", "reject"),
        ("v=DMARC1; rua=mailto:x@example.org", "none"),
        ("v=DMARC1; p=nonsense; rua=mailto:x@example.org", "none"),
    ],
)
async def test_what_is_asked_for(record: str, policy: str) -> None:
    assert (await check("example.org", zone(example_org=record))).policy == policy


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=DMARC1", "permerror"),
        ("v=DMARC1; p=nonsense", "permerror"),
        ("v=DMARC10; p=reject", "none"),
        ("p=reject; v=DMARC1", "none"),
        ("v=dmarc1; p=reject", "none"),
        ("v=DMARC1; p=reject;" + "x" * 5000, "none"),
    ],
)
async def test_records_that_are_none(record: str, result: str) -> None:
    assert (await check("example.org", zone(example_org=record))).result == result


async def test_two_records_count_as_none() -> None:
    rows: Zone = {"_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"] * 2}}
    rows["_dmarc.example.org"] = {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}
    assert (await check("example.org", rows)).result == "none"
    rows["_dmarc.example.org"] = {"TXT": ["v=spf1 -all", "v=DMARC1; p=reject"]}
    assert (await check("example.org", rows)).policy == "reject"


async def test_a_name_that_does_not_exist_may_have_its_own_policy() -> None:
    rows = zone(example_org="v=DMARC1; p=none; sp=quarantine; np=reject")
    rows["real.example.org"] = {"A": "192.0.2.1"}
    assert (await check("made-up.example.org", rows)).policy == "reject"
    assert (await check("real.example.org", rows)).policy == "quarantine"


async def test_of_several_authors_the_worst_counts() -> None:
    rows = ORG | zone(example_net="v=DMARC1; p=none")
    found = await check(["example.net", "example.org"], rows, spf="example.net")
    assert (found.result, found.domain) == ("fail", "example.org")
    found = await check([f"d{n}.example" for n in range(9)], rows)
    assert found.result == "permerror"
    assert (await check([], rows)).result == "permerror"


@pytest.mark.parametrize("ill", [SERVFAIL, DROP])
async def test_without_dns_it_is_not_known(ill: str) -> None:
    assert (await check("example.org", {"_dmarc.example.org": ill})).result == (
        "temperror"
    )


async def test_names_beyond_ascii() -> None:
    rows: Zone = {"_dmarc.xn--bcher-kva.example": {"TXT": "v=DMARC1; p=reject"}}
    found = await check("bücher.example", rows, dkim=["xn--bcher-kva.example"])
    assert found.result == "pass"
    assert (await check("\udcff.example", rows)).result == "permerror"


@given(st.text(max_size=80), st.text('v=DMARC1; p=rejctspn@:,\\"é', max_size=80))
@profile(max_examples=200, deadline=None)
def test_any_name_and_any_record_is_an_answer(name: str, record: str) -> None:
    import asyncio

    rows: Zone = {"_dmarc.example.org": {"TXT": "v=DMARC1;" + record}}
    asyncio.run(check(["example.org", name], rows, spf=name, dkim=[name]))


@pytest.mark.parametrize(
    ("unknown", "result"),
    [
        ("example.org", "temperror"),
        ("a.example.org", "temperror"),
        ("evil.net", "fail"),
    ],
)
async def test_only_who_could_speak_for_it_makes_it_unknown(
    unknown: str, result: str
) -> None:
    evidence = dmarc.Evidence(unknown=[unknown])
    walks = dmarc.Walks(Zoned(ORG))
    assert (await dmarc.check(["example.org"], evidence, walks)).result == result
