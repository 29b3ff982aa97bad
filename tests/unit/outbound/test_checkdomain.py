"""What `manage.py checkdomain` finds, and what it says to do."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Domain
from mailhost import fetch
from mailhost.dnsauth.resolver import forget
from mailhost.outbound import dkimkeys, inspection
from mailhost.outbound.inspection import Finding, inspect
from mailhost.outbound.models import Attempt, DkimKey, QueueMessage, RelayDomain
from tests.unit.outbound.conftest import Remote
from tests.world.authority import Authority
from tests.world.dns import SERVFAIL, reverse
from tests.world.web import web_server

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "mail.example.test"
POLICY = b"version: STSv1\nmode: enforce\nmx: mail.example.test\nmax_age: 86400\n"


@pytest.fixture
async def world(
    remote: Remote,
    alice: Any,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A domain of which everything is right."""
    authority = Authority(tmp_path)
    settings.MAILHOST_OUTBOUND_CA_FILE = str(authority.file)
    settings.MAILHOST_FETCH_CA_FILE = str(authority.file)
    settings.MAILHOST_FETCH_ALLOW_PRIVATE = True
    settings.MAILHOST_CHECK_BLOCKLISTS = ["bl.example"]
    settings.MAILHOST_CLIENT_HOST, settings.MAILHOST_PORT_OFFSET = HOST, 0
    settings.MAILHOST_CLIENT_SERVICES = ["imaps", "submissions"]
    settings.MAILHOST_DNS_TRUSTED = remote.world.authentic = True
    issued = authority.issue(HOST)
    remote.ssl_context = issued.context()
    await sync_to_async(dkimkeys.make)("example.test")

    async def here(host: str, port: int) -> str:
        return "127.0.0.1"

    monkeypatch.setattr(fetch, "_address", here)
    keys = [key async for key in DkimKey.objects.all()]
    remote.world.zone |= {
        "example.test": {"MX": f"10 {HOST}.", "TXT": "v=spf1 mx -all"},
        HOST: {"A": "127.0.0.1", "TXT": "v=spf1 a -all"},
        reverse("127.0.0.1"): {"PTR": f"{HOST}."},
        "_dmarc.example.test": {"TXT": "v=DMARC1; p=reject; rua=mailto:r@example.test"},
        "_mta-sts.example.test": {"TXT": "v=STSv1; id=1"},
        "_smtp._tls.example.test": {"TXT": "v=TLSRPTv1; rua=mailto:r@example.test"},
        f"_{remote.port}._tcp.{HOST}": {"TLSA": issued.tlsa()},
        "bl.example": {"A": "127.0.0.1"},
        "_imaps._tcp.example.test": {"SRV": f"0 1 993 {HOST}."},
        "_submissions._tcp.example.test": {"SRV": f"0 1 465 {HOST}."},
        **{dkimkeys.record(key)[0]: {"TXT": dkimkeys.record(key)[1]} for key in keys},
    }
    mta_sts = authority.issue("mta-sts.example.test").context()
    async with web_server(mta_sts) as web:
        settings.MAILHOST_FETCH_PORT = web.port
        web.pages["/.well-known/mta-sts.txt"] = POLICY
        yield remote


async def found() -> dict[str, Finding]:
    """Return the worst finding of each topic."""
    forget()
    order = ["bad", "unknown", "weak", "good"]
    worst: dict[str, Finding] = {}
    for one in await inspect("example.test"):
        before = worst.get(one.topic, one)
        worst[one.topic] = min(before, one, key=lambda f: order.index(f.verdict))
    return worst


async def test_all_is_right(world: Remote) -> None:
    said = await found()
    assert {f.topic: f.text for f in said.values() if f.verdict != "good"} == {}
    assert set(said) == {
        *("MX", "SPF", "DKIM", "DMARC", "MTA-STS", "TLSRPT", "port 25"),
        *("certificate", "DANE", "PTR", "block lists", "SRV", "HELO", "name"),
    }


BROKEN: list[tuple[str, Any, str, str]] = [
    ("example.test", {"MX": "10 mx.else.test.", "TXT": "v=spf1 mx -all"}, "MX", "bad"),
    ("example.test", {"TXT": "v=spf1 -all"}, "SPF", "bad"),
    ("example.test", {"TXT": ["v=spf1 mx -all", "v=spf1 -all"]}, "SPF", "bad"),
    ("example.test", SERVFAIL, "mx", "unknown"),
    (HOST, {}, "MX", "bad"),
    (HOST, {"A": "127.0.0.1"}, "HELO", "weak"),
    (HOST, {"A": "127.0.0.1", "TXT": "v=spf1 -all"}, "HELO", "bad"),
    ("_dmarc.example.test", {}, "DMARC", "bad"),
    ("_dmarc.example.test", {"TXT": "v=DMARC1; p=none"}, "DMARC", "weak"),
    ("_mta-sts.example.test", {}, "MTA-STS", "weak"),
    ("_smtp._tls.example.test", {}, "TLSRPT", "weak"),
    (reverse("127.0.0.1"), {}, "PTR", "bad"),
    (reverse("127.0.0.1"), {"PTR": "far.example."}, "PTR", "bad"),
    ("1.0.0.127.bl.example", {"A": "127.0.0.2"}, "block lists", "bad"),
    ("1.0.0.127.bl.example", {"A": "127.255.255.254"}, "block lists", "unknown"),
    ("1.0.0.127.bl.example", SERVFAIL, "block lists", "unknown"),
    ("_imaps._tcp.example.test", {}, "SRV", "weak"),
    ("_imaps._tcp.example.test", {"SRV": "0 1 993 o.test."}, "SRV", "weak"),
]


@pytest.mark.parametrize(("name", "rows", "topic", "verdict"), BROKEN)
async def test_what_is_wrong(
    world: Remote, name: str, rows: Any, topic: str, verdict: str
) -> None:
    world.world.zone[name] = rows
    finding = (await found())[topic]
    assert finding.verdict == verdict
    assert finding.fix or verdict == "unknown"


async def test_keys_that_are_not_published(world: Remote) -> None:
    key = await DkimKey.objects.filter(phase="active", kind="rsa").aget()
    name, text = dkimkeys.record(key)
    world.world.zone[name] = {}
    finding = (await found())["DKIM"]
    assert finding.verdict == "bad"
    assert text in finding.fix
    await DkimKey.objects.all().adelete()
    assert "manage.py dkim example.test" in (await found())["DKIM"].fix


async def test_the_port(world: Remote, settings: Any, tmp_path: Path) -> None:
    world.ssl_context = Authority(tmp_path, "stranger").issue(HOST).context()
    said = await found()
    assert said["certificate"].verdict == "weak"
    assert said["DANE"].verdict == "bad"
    world.ssl_context = None
    assert "offers no TLS" in (await found())["port 25"].text
    settings.MAILHOST_OUTBOUND_PORT = 1
    assert "does not answer" in (await found())["port 25"].text


async def test_what_this_host_is(world: Remote, settings: Any) -> None:
    assert (await found())["name"].verdict == "good"
    settings.MAILHOST_HOSTNAME = "localhost"
    assert "MAILHOST_HOSTNAME" in (await found())["name"].fix
    settings.MAILHOST_HOSTNAME = HOST
    await Domain.objects.filter(name="example.test").aupdate(active=False)
    assert "no domain of this server" in (await found())["name"].text
    await RelayDomain.objects.acreate(name="example.test")
    assert (await found())["name"].verdict == "good"


async def test_whether_others_are_reached(world: Remote) -> None:
    assert "way out" not in await found()
    message = await QueueMessage.objects.acreate(size=0, expires_at=timezone.now())
    for n in range(6):
        assert ("way out" in await found()) is (n == 5)
        await Attempt.objects.acreate(message=message, domain="far.example")
    assert (await found())["way out"].verdict == "bad"
    await Attempt.objects.acreate(message=message, domain="far.example", host="mx")
    assert (await found())["way out"].text.startswith("1 of the last 7")


async def test_the_record_to_publish_is_the_one_that_matches(world: Remote) -> None:
    name = f"_{world.port}._tcp.{HOST}"
    rows: Any = world.world.zone.pop(name)
    wanted = str(rows["TLSA"])
    fix = (await found())["DANE"].fix
    assert fix.split(" TLSA ")[1].upper() == wanted.upper()


def test_the_command(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def inspected(domain: str) -> list[Finding]:
        return [
            Finding("MX", "good", f"Mail for {domain} leads here."),
            Finding("SPF", "bad", "There is none.", "Publish: one"),
        ]

    monkeypatch.setattr(inspection, "inspect", inspected)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("checkdomain", "example.test", stdout=out)
    assert "FIX  SPF: There is none.\n       Publish: one" in out.getvalue()
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("checkdomain", "example.test", "--json", stdout=out)
    assert [one["verdict"] for one in json.loads(out.getvalue())] == ["good", "bad"]
