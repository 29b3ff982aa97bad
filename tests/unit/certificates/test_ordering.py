"""Certificates are issued, renewed and put in place; what fails says why and waits."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Domain
from mailhost.certificates import files, keys, ordering, wanted
from mailhost.certificates.models import AcmeAccount, AcmeChallenge, IssuedCertificate
from mailhost.certificates.places import file_for
from mailhost.dnsauth.resolver import forget
from mailhost.jobs import runner, schedule
from mailhost.jobs.models import Job
from tests.unit.certificates.conftest import HOST, put, row, run, use
from tests.world.pebble import Pebble, pebble
from tests.world.strangeca import StrangeCa

pytestmark = [pytest.mark.engines, pytest.mark.django_db(transaction=True)]


def pause(name: str = HOST) -> timedelta:
    job = Job.objects.get(name=wanted.JOB, key=name)
    assert job.due is not None
    return job.due - timezone.now()


def test_a_certificate_is_issued_and_renewed(authority: Pebble, here: Path) -> None:
    wanted.note()
    assert run() == ""
    first = row()
    file = file_for(HOST)
    assert file.read_bytes() == files.octets_of(HOST)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert first.chain.count("BEGIN CERTIFICATE") == 2
    assert "PRIVATE" not in first.secret
    assert first.begins_at
    assert first.ends_at
    assert first.renew_at
    third = (first.ends_at - first.begins_at) / 3
    assert abs(first.ends_at - first.renew_at - third) < timedelta(seconds=2)
    job = Job.objects.get(name=wanted.JOB, key=HOST)
    assert (job.due, job.owner, job.error) == (first.renew_at, None, "")
    assert not AcmeChallenge.objects.exists()
    # Before its time nothing is asked.
    assert run() == ""
    assert row().fetched_at == first.fetched_at
    assert wanted.ask_now(HOST)
    assert runner.run_due() >= 1
    second = row()
    assert second.fetched_at != first.fetched_at
    assert second.chain != first.chain
    assert keys.tlsa(second.chain) == keys.tlsa(first.chain)  # TLSA records stay true
    assert file.read_bytes() == files.octets_of(HOST)
    assert wanted.ask_now(HOST, new_key=True)
    assert run() == ""
    assert keys.tlsa(row().chain) != keys.tlsa(first.chain)
    assert AcmeAccount.objects.count() == 1


def test_each_name_has_its_own(authority: Pebble, alice: Any, settings: Any) -> None:
    settings.MAILHOST_MTA_STS_POLICY = "testing"
    settings.MAILHOST_ACME_LABELS = ["autoconfig"]
    authority.world.zone["autoconfig.example.test"] = {"CNAME": f"{HOST}."}
    Domain.objects.create(name="asleep.test", active=False)
    Domain.objects.create(name="../../etc")
    wanted.note()
    names = {HOST, "mta-sts.example.test", "autoconfig.example.test"}
    assert set(IssuedCertificate.objects.values_list("name", flat=True)) == names
    assert runner.run_due() >= 3
    for name in names:
        assert keys.facts(row(name).chain).names == (name,)


def test_the_authority_is_away_and_comes_back(authority: Pebble, settings: Any) -> None:
    wanted.note()
    assert run() == ""
    before = row()
    authority.stop()
    wanted.ask_now(HOST)
    minutes = []
    for failures in (1, 2, 3):
        assert "cannot be reached: Connection refused" in run()
        assert (row().failures, row().chain) == (failures, before.chain)
        minutes.append(round(pause().total_seconds() / 60))
    assert minutes == [10, 30, 90]
    assert "cannot be reached" in Job.objects.get(name=wanted.JOB).error
    # Started again it has forgotten who we are.
    authority.start()
    assert run() == ""
    assert (row().failures, row().error) == (0, "")
    assert row().chain != before.chain
    assert AcmeAccount.objects.count() == 1


def test_the_authority_does_not_find_the_answer(
    here: Path, settings: Any, tmp_path: Path
) -> None:
    # Nobody listens where it looks.
    with pebble(tmp_path / "pebble", names=[HOST], http_port=1) as found:
        settings.MAILHOST_DNS_SERVERS = [found.world.server]
        use(settings, found)
        wanted.note()
        failed = run()
        assert f"{HOST}: " in failed
        assert "Port 80 of the name must lead to this server" in failed
        assert row().error == failed
        assert pause() > timedelta(minutes=9)
        assert not AcmeChallenge.objects.exists()


def test_a_name_without_address_is_not_asked_for(
    authority: Pebble, settings: Any
) -> None:
    settings.MAILHOST_ACME_NAMES = ["nowhere.example.test"]
    wanted.note()
    failed = run("nowhere.example.test")
    assert failed.startswith("The name has no address in DNS. Publish a CNAME")
    assert not AcmeAccount.objects.exists()
    authority.world.zone["nowhere.example.test"] = {"CNAME": f"{HOST}."}
    forget()
    assert run("nowhere.example.test") == ""


def test_terms_are_agreed_to_by_people(authority: Pebble, settings: Any) -> None:
    settings.MAILHOST_ACME_AGREE_TERMS = False
    wanted.note()
    failed = run()
    assert "terms of service" in failed
    assert "https://" in failed or "data:" in failed
    assert "MAILHOST_ACME_AGREE_TERMS=yes" in failed
    assert pause() > timedelta(hours=11)
    settings.MAILHOST_ACME_AGREE_TERMS = True
    assert run() == ""


def test_an_account_at_the_authority(
    here: Path, settings: Any, tmp_path: Path, plain: int
) -> None:
    secret = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    more = {
        "externalAccountBindingRequired": True,
        "externalAccountMACKeys": {"kid-1": secret},
    }
    folder = tmp_path / "pebble"
    with pebble(folder, names=[HOST], http_port=plain, more=more) as found:
        settings.MAILHOST_DNS_SERVERS = [found.world.server]
        use(settings, found)
        wanted.note()
        assert "set MAILHOST_ACME_EAB_ID and MAILHOST_ACME_EAB_KEY" in run()
        settings.MAILHOST_ACME_EAB_ID = "kid-2"
        settings.MAILHOST_ACME_EAB_KEY = secret
        assert run().startswith("The authority says: ")
        assert secret not in row().error
        settings.MAILHOST_ACME_EAB_ID = "kid-1"
        assert run() == ""


def test_what_was_sealed_with_another_key_is_made_anew(
    authority: Pebble, settings: Any
) -> None:
    wanted.note()
    assert run() == ""
    before = row()
    settings.SECRET_KEY = "another one of thirty-two letters"
    wanted.ask_now(HOST)
    assert run() == ""
    assert keys.tlsa(row().chain) != keys.tlsa(before.chain)
    assert file_for(HOST).read_bytes() == files.octets_of(HOST)


def test_the_contact_follows_the_setting(authority: Pebble, settings: Any) -> None:
    wanted.note()
    assert run() == ""
    settings.MAILHOST_ACME_CONTACT = "postmaster@example.test"
    wanted.ask_now(HOST)
    assert run() == ""
    account = AcmeAccount.objects.get()
    assert account.contact == "postmaster@example.test"
    assert account.address
    settings.MAILHOST_ACME_CONTACT = "nobody@localhost, mallory"
    wanted.ask_now(HOST)
    assert "The authority says: " in run()
    assert AcmeAccount.objects.get().contact == "postmaster@example.test"


def test_one_host_at_a_time(here: Path, strange: StrangeCa) -> None:
    Job.objects.filter(name=wanted.JOB).update(
        lease_until=timezone.now() + timedelta(minutes=5)
    )
    assert not wanted.ask_now(HOST)
    with pytest.raises(runner.Busy):
        run()
    assert strange.asked == []


def test_rate_limited_waits_as_long_as_it_is_told(strange: StrangeCa) -> None:
    text = "too many certificates already issued for example.test"
    strange.refuse("/newOrder", 429, "rateLimited", text, Retry_After="100000")
    assert run() == f"The authority says: {text} (rateLimited)"
    assert timedelta(seconds=99_000) < pause() < timedelta(seconds=101_000)
    strange.refuse("/newOrder", 429, "rateLimited", text, Retry_After="1")
    assert run()
    assert pause() > timedelta(minutes=29)
    strange.refuse("/newOrder", 429, "rateLimited", text, Retry_After="99999999999")
    assert run()
    assert pause() < timedelta(days=8)


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>", {}),
        (500, b"oops", {}),
        (200, [], {}),
        (200, {"newNonce": 7}, {}),
        (301, {}, {"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_what_is_no_authority_is_told(
    strange: StrangeCa, answer: tuple[int, object, dict[str, str]]
) -> None:
    strange.answers["/dir"] = answer
    failed = run()
    assert failed.startswith("The authority at 127.0.0.1")
    assert pause() > timedelta(minutes=9)


def test_another_authority_is_asked_at_once(strange: StrangeCa, settings: Any) -> None:
    put()
    assert run() == ""
    assert pause() > timedelta(days=50)
    settings.MAILHOST_ACME_DIRECTORY = strange.directory + "2"
    wanted.note()
    assert pause() < timedelta(seconds=1)
    assert run()
    wanted.note()  # and not again and again
    assert pause() > timedelta(minutes=9)


def test_the_authority_says_when_to_renew(strange: StrangeCa) -> None:
    planned = put().renew_at
    run()
    assert planned is not None
    soon = timezone.now() + timedelta(days=3)
    window = {"start": soon.isoformat(), "end": (soon + timedelta(hours=1)).isoformat()}
    ordering.look_after()
    assert row().renew_at == planned  # it does not say
    assert row().ask_at > timezone.now() + timedelta(minutes=59)  # type: ignore[operator]
    path = next(path for path in strange.asked if path.startswith("/renewalInfo/"))
    strange.answers[path] = (200, {"suggestedWindow": window}, {"Retry-After": "7200"})
    ordering.look_after()  # not asked again so soon
    assert row().renew_at == planned
    IssuedCertificate.objects.update(ask_at=timezone.now())
    ordering.look_after()
    renew_at = row().renew_at
    assert renew_at is not None
    assert soon <= renew_at <= soon + timedelta(hours=1)
    assert abs(pause() - (renew_at - timezone.now())) < timedelta(seconds=5)


def test_what_nobody_wants_is_left_and_forgotten(
    strange: StrangeCa, here: Path
) -> None:
    old = put("old.example.test", age=80)
    files.sync()
    assert file_for("old.example.test").exists()
    IssuedCertificate.objects.filter(pk=old.pk).update(
        wanted_at=timezone.now() - timedelta(days=3)
    )
    schedule.later(wanted.JOB, {"name": old.name}, key=old.name)
    assert run(old.name) == ""
    assert not Job.objects.filter(name=wanted.JOB, key=old.name).exists()
    ordering.look_after()
    assert IssuedCertificate.objects.filter(pk=old.pk).exists()
    IssuedCertificate.objects.filter(pk=old.pk).update(
        wanted_at=timezone.now() - timedelta(days=41),
        ends_at=timezone.now() - timedelta(days=31),
    )
    ordering.look_after()
    files.sync()
    assert not IssuedCertificate.objects.filter(pk=old.pk).exists()
    assert not file_for("old.example.test").exists()


def test_a_plan_that_was_lost_is_made_again(strange: StrangeCa) -> None:
    put()
    Job.objects.all().delete()
    ordering.look_after()
    assert pause() > timedelta(days=50)


def test_who_has_certificates_in_files_asks_for_none(here: Path, settings: Any) -> None:
    settings.MAILHOST_CERTIFICATE = "/etc/ssl/mine.pem"
    assert wanted.names() == []
    settings.MAILHOST_CERTIFICATE = ""
    assert wanted.names() == [HOST]
    settings.MAILHOST_HOSTNAME = "localhost"
    assert wanted.names() == []
    settings.MAILHOST_HOSTNAME = HOST
    settings.MAILHOST_ACME_DIRECTORY = ""
    assert wanted.names() == []
    ordering.look_after()
    ordering.renew(HOST)


def test_what_is_issued_must_be_what_was_asked_for() -> None:
    from tests.unit.certificates.conftest import self_issued

    secret, chain = self_issued()
    now = timezone.now()
    assert keys.checked(HOST, chain, secret, now).names == (HOST,)
    for name, key, when, why in (
        ("other.test", secret, now, "it is for mail.example.test"),
        (HOST, keys.new_key(), now, "it is for another key"),
        (HOST, secret, now + timedelta(days=91), "it ended on"),
    ):
        with pytest.raises(keys.Unusable, match=why):
            keys.checked(name, chain, key, when)
    for broken in ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        with pytest.raises(keys.Unusable, match="cannot be read"):
            keys.facts(broken)
