"""What a connection must prove: MTA-STS, DANE, smarthosts; what is then reported."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from mailhost import fetch
from mailhost.dnsauth.resolver import forget
from mailhost.outbound import renewal, sts
from mailhost.outbound.models import (
    Attempt,
    QueueMessage,
    QueueRecipient,
    SmartRoute,
    StsPolicy,
    TlsOutcome,
)
from mailhost.outbound.runner import run_once
from mailhost.sealing import sealed
from tests.unit.outbound.conftest import Remote
from tests.unit.outbound.test_runner import make_due, put
from tests.world.authority import Authority, tlsa
from tests.world.web import Web, web_server

pytestmark = pytest.mark.django_db(transaction=True)

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = b"version: STSv1\r\nmode: %b\r\nmx: %b\r\nmax_age: 86400\r\n"


@dataclass
class World:
    """The far side: its mail server, its web server, its authority."""

    remote: Remote
    web: Web
    authority: Authority

    def publish(self, policy: bytes, identity: str = "1") -> None:
        self.web.pages["/.well-known/mta-sts.txt"] = policy
        zone = self.remote.world.zone
        zone["_mta-sts.far.example"] = {"TXT": f"v=STSv1; id={identity};"}
        forget()

    def show(self, *names: str, expired: bool = False) -> None:
        issued = self.authority.issue(*names, expired=expired)
        self.remote.ssl_context = issued.context()


@pytest.fixture
async def far(
    remote: Remote,
    alice: Any,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    authority = Authority(tmp_path)
    settings.MAILHOST_OUTBOUND_CA_FILE = str(authority.file)
    settings.MAILHOST_FETCH_CA_FILE = str(authority.file)
    settings.MAILHOST_FETCH_ALLOW_PRIVATE = True
    context = authority.issue("mta-sts.far.example").context()

    async def here(host: str, port: int) -> str:
        return "127.0.0.1"

    monkeypatch.setattr(fetch, "_address", here)
    async with web_server(context) as web:
        settings.MAILHOST_FETCH_PORT = web.port
        yield World(remote, web, authority)


async def outcome(domain: str = "far.example") -> tuple[str, str, str]:
    """Send one; return its state, its status, and what TLS was used."""
    await put(f"a@{domain}")
    await run_once()
    row = await QueueRecipient.objects.alatest("pk")
    attempt = await Attempt.objects.alatest("pk")
    return row.state, row.status, attempt.security


async def failures() -> set[tuple[str, str]]:
    rows = TlsOutcome.objects.values_list("policy_type", "failure")
    return {(kind, failure) async for kind, failure in rows}


@pytest.mark.engines
async def test_enforced_and_good(far: World) -> None:
    far.publish(POLICY % (b"enforce", b"*.far.example"))
    far.show("mx.far.example")
    assert await outcome() == ("sent", "2.0.0", "TLSv1.3, verified")
    assert await failures() == {("sts", "")}
    assert far.web.hosts == ["mta-sts.far.example"]
    # What is kept is not fetched again; another id says that it has changed.
    await outcome()
    assert len(far.web.asked) == 1
    far.publish(POLICY % (b"none", b"mx.far.example"), identity="2")
    await outcome()
    assert len(far.web.asked) == 2
    assert (await StsPolicy.objects.aget()).mode == "none"


@pytest.mark.parametrize(
    ("names", "expired", "failure"),
    [
        (["mx.elsewhere.example"], False, "certificate-host-mismatch"),
        (["mx.far.example"], True, "certificate-expired"),
    ],
)
async def test_enforced_and_bad(
    far: World, names: list[str], *, expired: bool, failure: str
) -> None:
    far.publish(POLICY % (b"enforce", b"mx.far.example"))
    far.show(*names, expired=expired)
    assert (await outcome())[:2] == ("queued", "4.7.5")
    assert far.remote.messages == []
    assert await failures() == {("sts", failure)}


async def test_enforced_and_nobody_we_know_vouches(
    far: World, ssl_context: Any
) -> None:
    far.publish(POLICY % (b"enforce", b"mx.far.example"))
    far.remote.ssl_context = ssl_context
    assert (await outcome())[:2] == ("queued", "4.7.5")
    assert await failures() == {("sts", "certificate-not-trusted")}


async def test_enforced_and_starttls_stripped(far: World) -> None:
    far.publish(POLICY % (b"enforce", b"mx.far.example"))
    assert (await outcome())[:2] == ("queued", "4.7.5")
    assert far.remote.messages == []
    assert await failures() == {("sts", "starttls-not-supported")}


async def test_enforced_and_another_host(far: World) -> None:
    far.publish(POLICY % (b"enforce", b"other.far.example"))
    far.show("mx.far.example")
    assert (await outcome())[:2] == ("queued", "4.7.5")
    assert far.remote.connections == 0


async def test_testing_sends_and_tells(far: World) -> None:
    far.publish(POLICY % (b"testing", b"other.far.example"))
    far.show("mx.far.example")
    assert (await outcome())[0] == "sent"
    assert await failures() == {("sts", "validation-failure")}


async def test_testing_looks_at_the_certificate(far: World) -> None:
    far.publish(POLICY % (b"testing", b"mx.far.example"))
    far.show("mx.elsewhere.example")
    assert (await outcome())[0] == "sent"
    assert await failures() == {("sts", "certificate-host-mismatch")}


@pytest.mark.parametrize(
    ("page", "failure"),
    [
        (b"", "sts-policy-fetch-error"),
        (
            b"version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1\n",
            "sts-policy-invalid",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
            "sts-policy-fetch-error",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 70_000,
            "sts-policy-fetch-error",
        ),
    ],
)
async def test_a_policy_that_cannot_be_had(
    far: World, page: bytes, failure: str
) -> None:
    far.publish(page)
    assert (await outcome())[0] == "sent"
    assert (await StsPolicy.objects.aget()).error == failure
    # Not fetched again for a while.
    await outcome()
    assert len(far.web.asked) == 1


@pytest.mark.engines
async def test_policies_in_use_are_renewed_before_they_expire(far: World) -> None:
    far.publish(POLICY % (b"enforce", b"mx.far.example"))
    far.show("mx.far.example")
    await outcome()
    await renewal.run()
    assert len(far.web.asked) == 1  # it is fresh
    hour = timedelta(hours=1)
    for older in ({"expires_at": timezone.now() + hour}, {"fetched_at": WHEN}):
        await StsPolicy.objects.aupdate(**older)
        await renewal.run()
        row = await StsPolicy.objects.aget()
        assert row.expires_at - timezone.now() > 23 * hour
        assert timezone.now() - row.fetched_at < hour
    assert len(far.web.asked) == 3
    # A new one counts at once, whatever its id.
    far.publish(POLICY % (b"testing", b"mx.far.example"))
    await StsPolicy.objects.aupdate(fetched_at=WHEN)
    await renewal.run()
    assert (await StsPolicy.objects.aget()).mode == "testing"
    # Nobody writes there any more.
    await QueueMessage.objects.all().adelete()
    await StsPolicy.objects.aupdate(fetched_at=WHEN)
    await renewal.run()
    assert len(far.web.asked) == 4


@pytest.mark.parametrize("gone", ["record", "page"])
async def test_what_cannot_be_renewed_counts_to_its_end(far: World, gone: str) -> None:
    far.publish(POLICY % (b"enforce", b"mx.far.example"))
    far.show("mx.far.example")
    await outcome()
    soon = timezone.now() + timedelta(hours=1)
    await StsPolicy.objects.aupdate(expires_at=soon)
    if gone == "record":
        del far.remote.world.zone["_mta-sts.far.example"]
        forget()
    else:
        far.publish(b"")
    await renewal.run()
    row = await StsPolicy.objects.aget()
    assert (row.mode, row.expires_at) == ("enforce", soon)
    far.remote.ssl_context = None
    assert (await outcome())[:2] == ("queued", "4.7.5")
    await StsPolicy.objects.aupdate(expires_at=timezone.now())
    await make_due()
    assert (await outcome())[0] == "sent"


async def test_what_is_kept_counts_while_it_cannot_be_fetched(far: World) -> None:
    far.publish(POLICY % (b"enforce", b"mx.far.example"))
    far.show("mx.far.example")
    await outcome()
    far.publish(b"", identity="2")
    far.remote.ssl_context = None
    assert (await outcome())[:2] == ("queued", "4.7.5")
    # Nor does it help to take the record away. RFC 8461 §3.3
    del far.remote.world.zone["_mta-sts.far.example"]
    forget()
    await make_due()
    assert (await outcome())[:2] == ("queued", "4.7.5")


def test_policies() -> None:
    found = sts.parse(b"version: STSv1\nmode: enforce\nmx: a.b\nmx: *.c.d\nmax_age: 9")
    assert (found.hosts, found.max_age_seconds) == (("a.b", "*.c.d"), 9)
    for host, named in (
        ("A.b", True),
        ("x.c.d", True),
        ("c.d", False),
        ("x.y.c.d", False),
        ("b", False),
    ):
        assert found.allows(host) is named
    for bad in (
        b"",
        b"version: STSv1\nmode: enforce\nmax_age: 9",
        b"version: STSv1\nmode: enforce\nmx: a b\nmax_age: 9",
        b"version: STSv1\nmode: some\nmx: a\nmax_age: 9",
        b"version: STSv1\nmode: none\nmax_age: -1",
        b"x" * 70_000,
    ):
        with pytest.raises(sts.Invalid):
            sts.parse(bad)
    assert sts.policy_id(["v=spf1", "v=STSv1; id=20261124T1;"]) == "20261124T1"
    assert sts.policy_id(["v=STSv1; id=1", "v=STSv1; id=2"]) == ""


def dane(far: World, settings: Any, *records: str) -> None:
    settings.MAILHOST_DNS_TRUSTED = far.remote.world.authentic = True
    name = f"_{far.remote.port}._tcp.mx.far.example"
    far.remote.world.zone[name] = {"TLSA": list(records)}


@pytest.mark.parametrize(("selector", "matching"), [(0, 0), (0, 1), (1, 1), (1, 2)])
async def test_dane_ee(far: World, settings: Any, selector: int, matching: int) -> None:
    # Neither name nor date counts. RFC 7672 §3.1.1
    issued = far.authority.issue("mx.elsewhere.example", expired=True)
    far.remote.ssl_context = issued.context()
    dane(far, settings, issued.tlsa(3, selector, matching))
    assert await outcome() == ("sent", "2.0.0", "TLSv1.3, DANE-EE")
    assert await failures() == {("tlsa", "")}


async def test_dane_ee_of_another_key(far: World, settings: Any) -> None:
    far.show("mx.far.example")
    dane(far, settings, far.authority.issue("other.example").tlsa())
    assert (await outcome())[:2] == ("queued", "4.7.5")
    assert far.remote.messages == []
    assert await failures() == {("tlsa", "validation-failure")}


@pytest.mark.parametrize(
    ("names", "expired", "state"),
    [
        (["mx.far.example"], False, "sent"),
        (["far.example"], False, "sent"),
        (["mx.elsewhere.example"], False, "queued"),
        (["mx.far.example"], True, "queued"),
    ],
)
@pytest.mark.parametrize("matching", [0, 1])
async def test_dane_ta(
    far: World,
    settings: Any,
    names: list[str],
    *,
    expired: bool,
    state: str,
    matching: int,
) -> None:
    far.show(*names, expired=expired)
    dane(far, settings, tlsa(far.authority.certificate, 2, 0, matching))
    assert (await outcome())[0] == state


async def test_dane_ta_of_another_authority(
    far: World, settings: Any, tmp_path: Path
) -> None:
    far.show("mx.far.example")
    other = Authority(tmp_path, "other")
    dane(far, settings, tlsa(other.certificate, 2, 0, 1))
    assert (await outcome())[:2] == ("queued", "4.7.5")


async def test_dane_and_starttls_stripped(far: World, settings: Any) -> None:
    dane(far, settings, far.authority.issue("mx.far.example").tlsa())
    assert (await outcome())[:2] == ("queued", "4.7.5")
    assert far.remote.messages == []


async def test_dane_goes_before_sts(far: World, settings: Any) -> None:
    far.publish(POLICY % (b"enforce", b"other.far.example"))
    issued = far.authority.issue("mx.far.example")
    far.remote.ssl_context = issued.context()
    dane(far, settings, issued.tlsa())
    assert (await outcome())[0] == "sent"


async def test_unsigned_records_are_nothing(far: World, settings: Any) -> None:
    dane(far, settings, far.authority.issue("x.example").tlsa())
    far.remote.world.authentic = False
    assert (await outcome())[0] == "sent"


async def test_a_route_with_a_password_wants_a_good_certificate(
    far: World, ssl_context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    far.remote.extensions = ("AUTH PLAIN",)
    far.remote.replies["AUTH"] = "235 2.7.0 OK"
    await SmartRoute.objects.acreate(
        domain="far.example",
        host="relay.far.example",
        port=far.remote.port,
        login="me",
        secret=sealed("route", "secret"),
    )
    # As if it were not on this machine, where nothing is asked.
    monkeypatch.setattr("mailhost.outbound.routing.is_near", lambda _: False)
    monkeypatch.setattr("mailhost.outbound.session.is_near", lambda _: False)
    far.remote.ssl_context = ssl_context
    assert (await outcome())[0] == "queued"
    far.remote.ssl_context = None
    await outcome()
    assert not any(line.startswith("AUTH") for line in far.remote.said)
    far.show("relay.far.example")
    far.remote.said.clear()
    assert await outcome() == ("sent", "2.0.0", "TLSv1.3, verified")
