"""Invitations, renames, suspensions, and accounts that go for good."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts import addresses, aliases, invitations, renaming, standing
from accounts.auth import LoginRefused, authenticate
from accounts.models import Account, Address, Domain, User
from mailhost.mail.models import Blob, Content, Message
from mailhost.provision import remove_deleted
from mailhost.store import change, folders, maintenance
from mailhost.store.append import append
from mailhost.store.content import prepare
from tests.conftest import PASSWORD

NEW = "quite another phrase"


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.post("/login/", {"login": alice.email, "password": PASSWORD})
    return client


def test_a_link_sets_a_password_once(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    path = invitations.link(alice)
    client = Client()
    page = client.get(path, follow=True)
    form = {"new_password1": NEW, "new_password2": NEW}
    client.post(page.redirect_chain[-1][0], form)
    assert Client().login(username=alice.email, password=NEW)
    assert "This link is void" in Client().get(path, follow=True).text


def test_a_link_is_of_one_person(alice: User, bob: User) -> None:
    uid = invitations.link(bob).split("/")[2]
    token = invitations.link(alice).split("/")[3]
    assert "is void" in Client().get(f"/welcome/{uid}/{token}/", follow=True).text


def test_a_rename_keeps_the_old_address(alice: User, bob: User) -> None:
    renaming.rename(alice, "Anna@example.test")
    account = alice.account.pk
    for address in ("alice@example.test", "anna@example.test"):
        assert addresses.resolve(address).account_ids == (account,)
        assert addresses.sends_as(alice.pk, address)
    found = authenticate("anna@example.test", PASSWORD, protocol="imap", address="")
    assert found.account_id == account
    with pytest.raises(LoginRefused):
        authenticate("alice@example.test", PASSWORD, protocol="imap", address="")
    for taken in ("bob@example.test", "x@nowhere.test"):
        with pytest.raises(ValidationError):
            renaming.rename(alice, taken)
    # The name that is free again belongs to her still.
    with pytest.raises(ValidationError):
        renaming.rename(bob, "alice@example.test")


@pytest.mark.parametrize("takes_mail", [True, False])
def test_suspended_and_what_becomes_of_new_mail(
    alice: User, *, takes_mail: bool
) -> None:
    standing.suspend(alice, takes_mail=takes_mail)
    assert addresses.resolve(alice.email).known is takes_mail
    with pytest.raises(LoginRefused):
        authenticate(alice.email, PASSWORD, protocol="imap", address="")
    standing.resume(alice)
    assert addresses.resolve(alice.email).known
    found = authenticate(alice.email, PASSWORD, protocol="imap", address="")
    assert found.user_id == alice.pk


@pytest.mark.engines
def test_what_is_deleted_can_come_back_until_it_is_gone(alice: User, bob: User) -> None:
    account, inbox = alice.account.pk, folders.open_folder(alice.account.pk, "INBOX").id
    for subject in (b"one", b"two"):
        append(account, inbox, prepare(b"Subject: %s\r\n\r\n" % subject))
    change.expunge(account, inbox, [1], force=True)
    standing.delete(alice.account)
    assert not addresses.resolve(alice.email).known
    assert remove_deleted() == 0
    alice.refresh_from_db()
    standing.resume(alice)
    assert Message.objects.count() == 1

    standing.delete(Account.objects.get(pk=account))
    days = settings.MAILHOST_DELETE_GRACE_DAYS + 1
    assert remove_deleted(timezone.now() + timedelta(days=days)) == 1
    assert not User.objects.filter(email=alice.email).exists()
    assert not Account.objects.filter(pk=account).exists()
    assert User.objects.filter(email=bob.email).exists()
    maintenance.collect(timezone.now() + timedelta(days=2))
    assert (Content.objects.count(), Blob.objects.count()) == (0, 0)


def test_people_make_aliases_as_far_as_their_domain_allows(
    alice: User, browser: Client, bob: User
) -> None:
    for local_part in ("a1", "a2", "bob"):
        browser.post("/account/aliases/", {"local_part": local_part})
    assert aliases.own_aliases(alice) == []
    Domain.objects.update(own_aliases=2)
    for local_part in ("bob", "a b", "a1", "A2", "a3"):
        browser.post("/account/aliases/", {"local_part": local_part})
    assert [row.local_part for row in aliases.own_aliases(alice)] == ["a1", "a2"]
    assert addresses.resolve("a1@example.test").account_ids == (alice.account.pk,)
    assert "a2@example.test" in browser.get("/account/").text


def test_people_drop_only_aliases_they_made(alice: User, browser: Client) -> None:
    Domain.objects.update(own_aliases=1)
    mine = aliases.make_own_alias(alice, "mine")
    given = Address.objects.get(local_part="alice")
    assert browser.post(f"/account/aliases/{given.pk}/drop/").status_code == 404
    assert browser.post(f"/account/aliases/{mine.pk}/drop/").status_code == 302
    assert not Address.objects.filter(pk=mine.pk).exists()


def test_a_password_is_changed_by_who_knows_the_old_one(
    alice: User, browser: Client
) -> None:
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    browser.post("/account/", form)
    assert not Client().login(username=alice.email, password=NEW)
    other = Client()
    assert other.login(username=alice.email, password=PASSWORD)
    browser.post("/account/", {**form, "old_password": PASSWORD})
    assert browser.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert Client().login(username=alice.email, password=NEW)


def test_guessing_the_old_password_is_slowed_as_anywhere(
    alice: User, browser: Client
) -> None:
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    away = "192.0.2.9"
    for _ in range(40):
        browser.post("/account/", form, REMOTE_ADDR=away)
    browser.post("/account/", {**form, "old_password": PASSWORD}, REMOTE_ADDR=away)
    assert not Client().login(username=alice.email, password=NEW)


def test_the_account_page_is_for_who_is_logged_in(alice: User) -> None:
    assert Client().get("/account/").status_code == 302
    assert Client().post("/account/aliases/", {"local_part": "x"}).status_code == 302
