"""SPF: the published suite of RFC 7208, and what a hostile record may do."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from mailhost.dnsauth import spf
from mailhost.dnsauth.resolver import Resolver
from tests.unit.dnsauth.zoned import Zoned
from tests.world.dns import DROP, Zone

SUITE = Path(__file__).parents[2] / "vectors/spf/rfc7208-tests.yml"


def zone_of(data: dict[str, list[Any]]) -> Zone:
    """Read the suite's zone: SPF records count as TXT where no TXT is given."""
    return {name: rows_of(rows) for name, rows in data.items()}


def rows_of(rows: list[Any]) -> dict[str, Any]:
    given_txt = any(isinstance(row, dict) and "TXT" in row for row in rows)
    found: dict[str, Any] = {}
    if "TIMEOUT" in rows:
        # What is listed beside it answers; all else does not.
        found = dict.fromkeys(("A", "AAAA", "MX", "TXT", "PTR"), DROP)
    for row in rows:
        if row == "TIMEOUT":
            continue
        ((kind, value),) = row.items()
        kind = "TXT" if kind == "SPF" and not given_txt else kind
        if value == "NONE" or kind == "SPF":
            continue
        if found.get(kind) in (None, DROP):
            found[kind] = []
        found[kind].append(value_of(kind, value))
    if "CNAME" in found:
        found["CNAME"] = found["CNAME"][0]
    return found


def value_of(kind: str, value: Any) -> str | bytes:
    if kind == "MX":
        return f"{value[0]} {value[1].rstrip('.')}."
    if kind in {"PTR", "CNAME"}:
        return str(value).rstrip(".") + "."
    if kind == "TXT":
        text = "".join(value) if isinstance(value, list) else value
        return bytes(text.encode("latin-1", "replace"))
    return str(value)


def cases() -> list[Any]:
    found = []
    for section in yaml.safe_load_all(SUITE.read_text("utf-8")):
        for name, test in section["tests"].items():
            found.append(pytest.param(section["zonedata"], test, id=name))
    return found


@pytest.mark.parametrize(("zone", "test"), cases())
async def test_the_suite(zone: Any, test: Any) -> None:
    ask = Zoned(zone_of(zone))
    found = await spf.check(
        test["host"], test["mailfrom"] or "", test["helo"], "mx.example.test", ask
    )
    wanted = test["result"]
    wanted = wanted if isinstance(wanted, list) else [wanted]
    assert found.result in wanted, found
    explained = test.get("explanation")
    if explained and explained != "DEFAULT":
        assert found.reason == explained


HOSTILE = [
    "v=spf1 " + "a " * 3000,
    "v=spf1 " + "a:%{d}. " * 500,
    "v=spf1 include:example.org include:a.example.org",
    "v=spf1 redirect=example.org",
    "v=spf1 exists:" + "%{l1r-+/=_}" * 300 + ".example.org -all",
    "v=spf1 a:" + "." * 4000,
    "v=spf1 ip4:" + "9" * 4000,
    "v=spf1 ptr:" + "a" * 4000,
    "v=spf1 exp=%{p}%{h}%{s}%{o}.example.org -all",
    "v=spf1 -all " + "x=%{i} " * 500,
    "v=spf1 \x00\x7f -all",
    "v=spf1 " + "x" * 60_000,
]


@pytest.mark.parametrize("record", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_record_is_an_answer(record: str) -> None:
    zone: Zone = {"example.org": {"TXT": record}, "a.example.org": {"TXT": record}}
    ask = Zoned(zone)
    found = await spf.check("192.0.2.1", "a-b+c@example.org", "h", "mx.test", ask)
    assert found.result in {"permerror", "fail", "neutral", "none"}
    assert ask.asked < 60


@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=40))
@profile(max_examples=150, deadline=None)
def test_any_record_and_any_name_is_an_answer(
    record: str, mail_from: str, helo: str
) -> None:
    zone: Zone = {"example.org": {"TXT": ("v=spf1 " + record).encode()}}
    names = [mail_from, f"{mail_from}@example.org", ""]
    for name in names:
        asyncio.run(spf.check("192.0.2.1", name, helo, "mx.test", Zoned(zone)))


async def test_without_dns_it_is_not_known() -> None:
    found = await spf.check("192.0.2.1", "a@example.org", "h", "m", Resolver([]).ask)
    assert (found.result, found.domain) == ("temperror", "example.org")
