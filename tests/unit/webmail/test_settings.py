"""The settings page: what is kept, for whom, and what is shown once."""

import contextlib
import plistlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import apppasswords, auth, loginlog
from accounts.claims import Password
from accounts.models import AppPassword
from mailhost.store import blocking
from mailhost.webmail.models import Contact, Label, Preferences
from tests.conftest import PASSWORD
from tests.unit.webmail.conftest import Box, asked

PHONE = {"name": "Phone", "scopes": ["imap", "smtp"], "days": ""}
DISPLAY = {
    "theme": "dark", "density": "compact", "pictures": "always", "undo_seconds": "5",
    "signature": "A", "threaded": "on",
}  # fmt: skip


def test_how_it_looks_is_kept(box: Box, page: Client) -> None:
    page.post("/settings/display/", DISPLAY)
    shown = page.get(box.url()).content.decode()
    assert 'data-theme="dark"' in shown
    assert 'data-density="compact"' in shown
    kept = Preferences.objects.get(user=box.user)
    assert (kept.undo_seconds, kept.pictures) == (5, "always")


@pytest.mark.parametrize(
    "wrong", [{"undo_seconds": "61"}, {"theme": "pink"}, {"signature": "x" * 4001}]
)
def test_what_cannot_be_is_told(box: Box, page: Client, wrong: dict[str, str]) -> None:
    shown = page.post("/settings/display/", DISPLAY | wrong).content.decode()
    assert 'role="alert"' in shown
    assert Preferences.objects.get(user=box.user).theme == "auto"


def test_labels_are_made_changed_and_forgotten(box: Box, page: Client) -> None:
    path = f"/settings/labels/{box.account_id}/"
    page.post(path, {"name": "Très Urgent", "hue": "3"})
    page.post(path, {"name": "会議"})
    urgent, meeting = Label.objects.order_by("pk")
    assert urgent.keyword == "tres-urgent"
    assert meeting.keyword.startswith("l-")
    page.post(path, {"keyword": "tres-urgent", "name": "Now", "hue": "99"})
    urgent.refresh_from_db()
    assert (urgent.name, urgent.hue) == ("Now", 99 % 12)
    page.post(path, {"keyword": "tres-urgent", "delete": "1"})
    assert Label.objects.get() == meeting


def test_a_device_has_a_password_that_is_shown_once(box: Box, page: Client) -> None:
    shown = page.post("/settings/devices/", PHONE).content.decode()
    text = shown.partition("<code>")[2].partition("</code>")[0]
    login = {"protocol": "imap", "address": "127.0.0.1"}
    assert auth.authenticate("alice@example.test", text, **login).user_id == box.user.pk
    assert text not in page.get("/settings/").content.decode()
    row = AppPassword.objects.get()
    assert "web" not in row.scopes
    page.post(f"/settings/devices/{row.pk}/revoke/")
    with pytest.raises(auth.WrongCredentials):
        auth.authenticate("alice@example.test", text, **login)


def test_a_device_may_be_for_less(box: Box, page: Client) -> None:
    page.post("/settings/devices/", {"name": "Printer", "scopes": "smtp", "days": "30"})
    row = AppPassword.objects.get()
    assert row.scopes == ["smtp"]
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    shown = page.get("/settings/").content.decode()
    assert "good until" in shown
    for wrong in ({"name": "x"}, {"name": "x", "scopes": "web"}, {"scopes": "imap"}):
        page.post("/settings/devices/", wrong)
    page.post("/settings/devices/", PHONE | {"days": "99999"})
    assert AppPassword.objects.count() == 1


def test_a_profile_has_a_password_of_its_own(box: Box, page: Client) -> None:
    answer = page.post("/settings/devices/profile/")
    assert answer["Content-Type"] == "application/x-apple-aspen-config"
    assert answer["Cache-Control"] == "no-store"
    (mail,) = plistlib.loads(answer.content)["PayloadContent"]
    login = {"protocol": "imap", "address": "127.0.0.1"}
    found = auth.authenticate(box.user.email, mail["IncomingPassword"], **login)
    assert found.app_password_id == AppPassword.objects.get().pk


def grave(pk: int) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("/settings/devices/", PHONE),
        ("/settings/devices/profile/", {}),
        (f"/settings/devices/{pk}/revoke/", {}),
        ("/account/aliases/", {"local_part": "al"}),
        ("/account/aliases/1/drop/", {}),
        ("/account/programs/x/drop/", {}),
    ]


@pytest.mark.parametrize("number", range(6))
def test_what_is_grave_is_asked_again(box: Box, page: Client, number: int) -> None:
    row, _text = apppasswords.create(box.user.pk, "kept")
    asked(page, box.user, 3600)
    path, form = grave(row.pk)[number]
    answer = page.post(path, form)
    assert answer["Location"].startswith("/account/again/?next=")
    assert list(AppPassword.objects.all()) == [row]
    part = page.post(path, form, headers={"HX-Request": "true", "HX-Target": "reader"})
    assert part.status_code == 204
    assert part["HX-Redirect"].startswith("/account/again/?next=")
    assert list(AppPassword.objects.all()) == [row]


def test_who_shows_the_password_gets_what_was_wanted(box: Box, page: Client) -> None:
    asked(page, box.user, 3600)
    there = page.post("/settings/devices/", PHONE, headers={"HX-Request": "true"})
    path = there["HX-Redirect"]
    form = {"password": "wrong", "next": "/settings/devices/"}
    page.post(path, form)
    assert not AppPassword.objects.exists()
    shown = page.post(path, form | {"password": PASSWORD})
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "<html" in text
    assert "Phone" in text.partition('class="once"')[2]
    assert AppPassword.objects.count() == 1
    # And for some minutes nothing is asked.
    page.post("/settings/devices/", PHONE)
    assert AppPassword.objects.count() == 2


def test_who_logged_in_is_shown(box: Box, page: Client) -> None:
    for password in (PASSWORD, "wrong"):
        with contextlib.suppress(auth.LoginRefused):
            at = auth.Attempt("imap", "192.0.2.7", "Thunder <1>")
            auth.check(Password(box.user.email, password), at)
    loginlog.write()
    shown = page.get("/settings/").content.decode()
    assert shown.count("192.0.2.7") == 2
    assert "Thunder &lt;1&gt;" in shown
    assert "wrong password" in shown


def test_blocked_senders_are_listed_and_let_go(box: Box, page: Client) -> None:
    blocking.block(box.account_id, "Spam@far.test")
    assert "spam@far.test" in page.get("/settings/").content.decode()
    path = f"/settings/blocked/{box.account_id}/"
    page.post(path, {"address": "spam@far.test"})
    assert blocking.blocked(box.account_id) == []


def test_contacts_come_and_go_as_cards(box: Box, page: Client) -> None:
    card = b"BEGIN:VCARD\r\nFN:Dora\r\nEMAIL:dora@far.test\r\nEND:VCARD\r\n"
    file = SimpleUploadedFile("c.vcf", card, "text/vcard")
    page.post("/contacts/import/", {"cards": file})
    page.post("/contacts/keep/", {"name": "Ed", "address": "ed@far.test"})
    answer = page.get("/contacts/export/")
    assert answer.content.count(b"BEGIN:VCARD") == 2
    assert answer["Content-Disposition"].startswith("attachment")
    page.post("/contacts/keep/", {"address": "ed@far.test", "delete": "1"})
    assert Contact.objects.get().address == "dora@far.test"
    assert page.post("/contacts/keep/", {"address": "x"}).status_code == 409
    assert page.post("/contacts/import/").status_code == 409


def test_a_reader_changes_no_labels(box: Box, browser_of: Any, bob: Any) -> None:
    from accounts.models import Account, Membership

    shared = Account.objects.create(kind="shared", name="support")
    Membership.objects.create(account=shared, user=bob, read=True)
    client = browser_of(bob)
    for path in (f"/settings/labels/{shared.pk}/", f"/settings/blocked/{shared.pk}/"):
        assert client.post(path, {"name": "x", "address": "x"}).status_code == 403


def test_the_manifest_and_the_keys_are_there(box: Box, page: Client) -> None:
    told: Any = Client().get("/manifest.webmanifest").json()
    assert told["start_url"] == "/"
    assert "Ctrl" in page.get("/keyboard/").content.decode()
