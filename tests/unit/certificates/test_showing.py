"""The command, the admin and checkdomain say how certificates stand."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from mailhost.certificates import files, policy, wanted
from mailhost.certificates.models import AcmeAccount, IssuedCertificate
from mailhost.certificates.places import file_for
from mailhost.jobs.models import Job
from mailhost.outbound import sts
from mailhost.outbound.findings import Subject
from mailhost.outbound.inspectionsts import issued, mta_sts
from tests.conftest import PASSWORD
from tests.unit.certificates.conftest import HOST, put, row, run
from tests.world.dns import dns_server
from tests.world.pebble import Pebble
from tests.world.strangeca import StrangeCa

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]


def certificates(*arguments: str, fails: bool = False) -> str:
    out = StringIO()
    if fails:
        with pytest.raises(SystemExit):
            call_command("certificates", *arguments, stdout=out, stderr=out)
    else:
        call_command("certificates", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_requests_and_shows(authority: Pebble, settings: Any) -> None:
    assert "missing" in certificates(fails=True)
    settings.MAILHOST_ACME_STAGING = authority.directory
    assert f"{HOST}: could be issued, until " in certificates("--dry-run")
    assert row().chain == ""
    assert not file_for(HOST).exists()
    assert f"{HOST}: issued, until " in certificates("--now")
    key = row().secret
    assert f"{HOST}: issued, until " in certificates(HOST, "--now", "--new-key")
    assert files.octets_of(HOST) == file_for(HOST).read_bytes()
    assert row().secret != key
    (line,) = [line for line in certificates().splitlines() if HOST in line]
    assert line.split()[1] == "good"
    assert int(line.split()[2]) > 80
    (shown,) = json.loads(certificates("--json"))
    assert (shown["name"], shown["state"], shown["error"]) == (HOST, "good", "")
    assert shown["tlsa"].startswith("3 1 1 ")
    assert "PRIVATE" not in json.dumps(shown)


def test_the_command_says_what_is_wrong(strange: StrangeCa, settings: Any) -> None:
    text = "Policy forbids issuing for name"
    strange.refuse("/newOrder", 400, "rejectedIdentifier", text)
    said = certificates("--now", fails=True)
    assert f"{HOST}: The authority says: {text} (rejectedIdentifier).\n" in said
    said = certificates(fails=True)
    assert text in said
    assert "missing" in said
    settings.MAILHOST_ACME_STAGING = "http://127.0.0.1:1/dir"
    assert "cannot be reached" in certificates("--dry-run", fails=True)
    Job.objects.filter(name=wanted.JOB).update(lease_until="2100-01-01T00:00Z")
    assert "is being requested just now" in certificates("--now", fails=True)
    for arguments, words in (
        (["other.test"], "not among the names"),
        (["--new-key"], "goes with --now"),
    ):
        with pytest.raises(CommandError, match=words):
            certificates(*arguments)
    settings.MAILHOST_HOSTNAME = "localhost"
    with pytest.raises(CommandError, match="No name gets"):
        certificates()
    settings.MAILHOST_ACME_DIRECTORY = ""
    with pytest.raises(CommandError, match="set MAILHOST_ACME_DIRECTORY"):
        certificates()


def test_the_admin(strange: StrangeCa, alice: Any, bob: Any) -> None:
    put(age=80)
    run()
    IssuedCertificate.objects.update(error="The authority says: <b>no</b>")
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client = Client()
    assert client.login(username=alice.email, password=PASSWORD)
    page = client.get("/admin/certificates/issuedcertificate/").text
    assert "renewal fails" in page
    assert "&lt;b&gt;no" in page
    page = client.get(f"/admin/certificates/issuedcertificate/{row().pk}/change/").text
    assert "3 1 1 " in page
    assert row().secret not in page
    AcmeAccount.objects.get_or_create(directory="x", defaults={"secret": "sealed!"})
    for account in AcmeAccount.objects.all():
        page = client.get(f"/admin/certificates/acmeaccount/{account.pk}/change/").text
        assert account.secret not in page
    Job.objects.filter(name=wanted.JOB).delete()
    asked = {"action": "ask_now", "_selected_action": [row().pk]}
    said = client.post("/admin/certificates/issuedcertificate/", asked, follow=True)
    assert "1 certificates are asked for" in said.text
    assert Job.objects.get(name=wanted.JOB).key == HOST
    # Who may look may not ask.
    bob.is_staff = True
    bob.save()
    looker = Client()
    assert looker.login(username=bob.email, password=PASSWORD)
    Job.objects.filter(name=wanted.JOB).delete()
    looker.post("/admin/certificates/issuedcertificate/", asked)
    assert not Job.objects.filter(name=wanted.JOB).exists()


async def test_checkdomain_on_certificates(
    here: Path, settings: Any, alice: Any
) -> None:
    from asgiref.sync import sync_to_async

    about = Subject("example.test", HOST, hosts=[HOST])
    settings.MAILHOST_MTA_STS_POLICY = "testing"
    missing = await issued(about)
    assert [(one.verdict, one.text) for one in missing] == [
        ("bad", f"{HOST} has no certificate yet."),
        ("bad", "mta-sts.example.test has no certificate yet."),
    ]
    await sync_to_async(put)()
    await sync_to_async(put)("mta-sts.example.test", age=80)
    good, ending = await issued(about)
    assert (good.verdict, ending.verdict) == ("good", "bad")
    assert "has 89 days left, and is renewed on" in good.text
    await IssuedCertificate.objects.all().aupdate(error="Nobody is there")
    for one in await issued(about):
        assert one.verdict == "weak"
        assert "days left; it was not renewed: Nobody is there." in one.text
        assert "manage.py certificates" in one.fix
    settings.MAILHOST_ACME_DIRECTORY = ""
    assert await issued(about) == []


async def test_checkdomain_on_our_policy(
    settings: Any, monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    settings.MAILHOST_MTA_STS_POLICY = "enforce"
    settings.MAILHOST_MTA_STS_HOSTS = [HOST]
    about = Subject("example.test", HOST, hosts=[HOST])

    async def fetched(domain: str) -> sts.Policy:
        return sts.parse(policy.text().encode())

    monkeypatch.setattr(sts, "fetched", fetched)
    with dns_server({}) as world:
        settings.MAILHOST_DNS_SERVERS = [world.server]
        (one,) = await mta_sts(about)
        assert one.verdict == "weak"
        assert f"mta-sts.example.test. IN CNAME {HOST}." in one.fix
        record = policy.records("example.test")[1].split('"')[1]
        assert record in one.fix
        world.zone["_mta-sts.example.test"] = {"TXT": record}
        from mailhost.dnsauth.resolver import forget

        forget()
        (one,) = await mta_sts(about)
        assert (one.verdict, one.text) == ("good", "The policy is in mode enforce.")
        settings.MAILHOST_MTA_STS_POLICY = "testing"
        _, stale = await mta_sts(about)
        assert "The policy has changed" in stale.text
        assert policy.identity() in stale.fix

        async def other(domain: str) -> sts.Policy:
            text = "version: STSv1\nmode: testing\nmx: elsewhere.test\nmax_age: 86400"
            return sts.parse(text.encode())

        monkeypatch.setattr(sts, "fetched", other)
        lacking, another = await mta_sts(about)
        assert "MAILHOST_MTA_STS_HOSTS" in lacking.fix
        assert "Another policy than ours" in another.text


def test_only_who_asks_an_authority_loads_the_library() -> None:
    code = (
        "import sys, django; django.setup()\n"
        "import protocols.management.commands.runmailservers, mailhost.asgi\n"
        "from protocols.common.services import SERVICES, load\n"
        "[load(service) for service in SERVICES]\n"
        "import mailhost.urls, mailhost.outbound.runner, mailhost.jobs.runner\n"
        "print({'acme', 'josepy', 'OpenSSL'} & set(sys.modules))"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "mailhost.settings", "PATH": "/usr/bin"}
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "set()\n"
