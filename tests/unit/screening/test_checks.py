"""Each check on messages it speaks of, and on those it leaves alone."""

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pytest_django import Settings

from mailhost.dnsauth.arc import Arc
from mailhost.dnsauth.dmarc import Dmarc as DmarcResult
from mailhost.dnsauth.iprev import Iprev as IprevResult
from mailhost.dnsauth.signatures import Signature
from mailhost.dnsauth.spf import Spf as SpfResult
from mailhost.screening.checks import CHECKS, Check, active
from mailhost.screening.checks.attachments import Attachments
from mailhost.screening.checks.dkim import Dkim
from mailhost.screening.checks.dmarc import Dmarc, action_for
from mailhost.screening.checks.dnsbl import Dnsbl, reversed_name
from mailhost.screening.checks.headers import Headers
from mailhost.screening.checks.helo import Helo
from mailhost.screening.checks.iprev import Iprev
from mailhost.screening.checks.skeleton import Skeleton
from mailhost.screening.checks.spf import Spf
from mailhost.screening.models import SenderPolicy
from mailhost.screening.values import Action
from mailhost.store.gate import gate
from tests.unit.dnsauth.zoned import Zoned
from tests.unit.screening.making import GOOD, incoming
from tests.world.dns import SERVFAIL, Zone

QUIET: tuple[type[Check], ...] = (
    *(Dmarc, Spf, Dkim, Iprev, Helo, Dnsbl, Headers, Attachments, Skeleton),
)


async def score(check: Check, *arguments: Any, **given: Any) -> float:
    found = await check.look(incoming(*arguments, **given))
    return 0.0 if found is None else found.score


@pytest.mark.parametrize("kind", QUIET)
async def test_nothing_is_said_of_a_good_message(kind: type[Check]) -> None:
    assert await kind().look(incoming()) is None


def test_names_are_unique_and_each_file_says_what_it_is() -> None:
    names = [kind.name for kind in CHECKS]
    assert len(set(names)) == len(names)
    assert all(inspect.getmodule(kind).__doc__ for kind in CHECKS)


def test_checks_are_added_and_left_out_by_settings(settings: Settings) -> None:
    settings.MAILHOST_EXTRA_CHECKS = ["mailhost.screening.checks.skeleton.Skeleton"]
    settings.MAILHOST_SKIPPED_CHECKS = ["spf"]
    names = [check.name for check in active()]
    assert "skeleton" in names
    assert "spf" not in names


async def test_the_skeleton_works() -> None:
    loud = GOOD.replace(b"Subject: Hi", b"Subject: BUY NOW OR NEVER AGAIN")
    assert await score(Skeleton(), loud) == 0.5


@pytest.mark.parametrize(
    ("result", "points"),
    [("fail", 2), ("softfail", 1), ("permerror", 0.5), ("none", 0), ("temperror", 0)],
)
async def test_spf(result: str, points: float) -> None:
    assert await score(Spf(), spf=SpfResult(result, "example.org")) == points


@pytest.mark.parametrize(("result", "points"), [("fail", 2), ("softfail", 0)])
async def test_spf_of_the_helo_name(result: str, points: float) -> None:
    named = SpfResult(result, "mx.example.org", "helo")
    assert await score(Spf(), name_spf=named) == points


async def test_dkim() -> None:
    broken, good, unknown = map(Signature, ("fail", "pass", "temperror"))
    assert await score(Dkim(), signatures=(broken, broken)) == 0.5
    assert await score(Dkim(), signatures=(broken, good)) == 0
    assert await score(Dkim(), signatures=(broken, unknown)) == 0


@pytest.mark.parametrize(
    ("policy", "answer", "action"),
    [
        ("reject", "obey", Action.REFUSE),
        ("quarantine", "obey", Action.JUNK),
        ("none", "obey", Action.ACCEPT),
        ("reject", "junk", Action.JUNK),
        ("none", "junk", Action.ACCEPT),
        ("reject", "ignore", Action.ACCEPT),
    ],
)
def test_what_dmarc_makes_of_a_policy(policy: str, answer: str, action: Action) -> None:
    assert action_for(policy, answer) is action


FAILED = DmarcResult("fail", "news.example.org", "reject")


@pytest.mark.engines
@pytest.mark.django_db(transaction=True)
async def test_dmarc_and_what_an_administrator_says(settings: Settings) -> None:
    async def action() -> Action:
        found = await Dmarc().look(incoming(dmarc=FAILED))
        assert found is not None
        return found.action

    try:
        assert await action() is Action.REFUSE
        settings.MAILHOST_DMARC = "junk"
        assert await action() is Action.JUNK
        await SenderPolicy.objects.acreate(domain="example.org", dmarc="obey")
        assert await action() is Action.REFUSE
        await SenderPolicy.objects.acreate(domain="news.example.org", dmarc="ignore")
        assert await action() is Action.ACCEPT
        assert await score(Dmarc(), dmarc=FAILED) == 0
    finally:
        await gate.close()


SAID = b" lists.example.net; dmarc=pass header.from=news.example.org"


@pytest.mark.parametrize(
    ("arc", "trusted"),
    [
        (Arc("pass", ("lists.example.net", "x.example"), SAID), True),
        (Arc("pass", ("sub.lists.example.net",), SAID), True),
        (Arc("pass", ("notlists.example.net",), SAID), False),
        (Arc("pass", ("x.example", "lists.example.net"), SAID), False),
        (Arc("fail", ("lists.example.net",), SAID), False),
        (Arc("pass", ("lists.example.net",), b" l; dmarc=fail"), False),
        (
            Arc("pass", ("lists.example.net",), b" l; dmarc=pass header.from=evil.org"),
            False,
        ),
        (Arc(), False),
    ],
)
@pytest.mark.django_db(transaction=True)
async def test_a_trusted_forwarder_is_believed(
    settings: Settings, arc: Arc, *, trusted: bool
) -> None:
    settings.MAILHOST_TRUSTED_FORWARDERS = ["Lists.example.net"]
    try:
        found = await Dmarc().look(incoming(dmarc=FAILED, arc=arc))
    finally:
        await gate.close()
    assert found is not None
    assert (found.action is Action.ACCEPT) is trusted


async def test_iprev() -> None:
    assert await score(Iprev(), iprev=IprevResult("permerror")) == 1.5
    assert await score(Iprev(), iprev=IprevResult("fail", "x.example")) == 1
    assert await score(Iprev(), iprev=IprevResult("temperror")) == 0


@pytest.mark.parametrize(
    ("helo", "points"),
    [
        ("mail.example.test", 5),
        ("MAIL.example.TEST.", 5),
        ("[192.0.2.1]", 0),
        ("[IPv6:2001:db8::1]", 2),
        ("[192.0.2.99]", 2),
        ("[nonsense]", 2),
        ("192.0.2.1", 1.5),
        ("localhost", 1.5),
        ("mx.example.org", 0),
        ("gone.example.org", 1),
    ],
)
async def test_helo(helo: str, points: float) -> None:
    assert await score(Helo(), helo=helo) == points


async def test_dnsbl(settings: Settings) -> None:
    settings.MAILHOST_DNSBL = {
        "one.example": 5.0,
        "two.example": 2.5,
        "ill.example": 9.0,
    }
    zone: Zone = {
        "1.2.0.192.one.example": {"A": "127.0.0.2"},
        "1.2.0.192.two.example": {"A": ["127.0.0.4", "127.0.0.10"]},
        "1.2.0.192.ill.example": SERVFAIL,
        "9.2.0.192.one.example": {"A": "127.255.255.254"},  # "you may not ask"
        "9.2.0.192.two.example": {"A": "203.0.113.1"},  # a domain that was sold
    }
    assert await score(Dnsbl(), zone=zone) == 7.5
    assert await score(Dnsbl(), zone=zone, peer="192.0.2.9") == 0
    assert reversed_name("2001:db8::1").startswith("1.0.0.0.")


def headed(*gone: bytes, more: bytes = b"") -> bytes:
    head, _, body = GOOD.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if line.split(b":")[0] not in gone]
    return b"\r\n".join(kept) + b"\r\n" + more + b"\r\n" + body


@pytest.mark.parametrize(
    ("octets", "points"),
    [
        (headed(b"From"), 3),
        (headed(b"From", more=b"From: nobody\r\n"), 3),
        (headed(b"From", more=b"From: <a@b.example> <c@d.example>\r\n"), 3),
        (headed(b"From", more=b"From: a@a, b@b, c@c, d@d, e@e, f@f\r\n"), 6),
        (headed(b"Date"), 1),
        (headed(b"Date", more=b"Date: Mon, 1 Jan 2125 00:00:00 +0000\r\n"), 1),
        (headed(b"Message-ID"), 0.5),
        (headed(more=b"From: eve@example.net\r\n"), 2),
        (headed(more=b"X: \0\r\n"), 1),
        (b"", 4.5),
    ],
)
async def test_headers(octets: bytes, points: float) -> None:
    assert await score(Headers(), octets) == points


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("run.exe", 6),
        ("invoice.pdf.JS ", 6),
        ("a.lnk.", 6),
        ("notes.txt", 0),
        ("exe", 0),
        ("archive.zip", 0),
    ],
)
async def test_attachments(name: str, points: float) -> None:
    octets = (
        b"From: a@example.org\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nText\r\n--x\r\n"
        b'Content-Disposition: attachment; filename="%b"\r\n\r\nMZ\r\n--x--\r\n'
    ) % name.encode()
    assert await score(Attachments(), octets) == points


@given(
    st.binary(max_size=300) | st.text('From:To \r\n;=<>@"()\\a.exe\0é').map(str.encode),
    st.text(max_size=60),
)
@profile(max_examples=150, deadline=None)
def test_no_check_fails_on_any_octets(octets: bytes, helo: str) -> None:
    import asyncio

    async def all_checks() -> None:
        seen = incoming(octets, helo=helo)
        for kind in (Spf, Dkim, Iprev, Helo, Headers, Attachments, Skeleton):
            await kind().look(seen)
        assert isinstance(seen.ask, Zoned)

    asyncio.run(all_checks())
