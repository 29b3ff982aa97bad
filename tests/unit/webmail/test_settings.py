"""The settings page: what is kept, for whom, and what is shown once."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import auth
from accounts.models import AppPassword
from mailhost.store import blocking
from mailhost.webmail.models import Contact, Label, Preferences
from tests.unit.webmail.conftest import Box

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
    shown = page.post("/settings/devices/", {"name": "Phone"}).content.decode()
    text = shown.partition("<code>")[2].partition("</code>")[0]
    login = {"protocol": "imap", "address": "127.0.0.1"}
    assert auth.authenticate("alice@example.test", text, **login).user_id == box.user.pk
    assert text not in page.get("/settings/").content.decode()
    row = AppPassword.objects.get()
    assert "web" not in row.scopes
    page.post(f"/settings/devices/{row.pk}/revoke/")
    with pytest.raises(auth.WrongCredentials):
        auth.authenticate("alice@example.test", text, **login)


def test_blocked_senders_are_listed_and_let_go(box: Box, page: Client) -> None:
    blocking.block(box.account_id, "Spam@far.test")
    assert "spam@far.test" in page.get("/settings/").content.decode()
    path = f"/settings/blocked/{box.account_id}/"
    page.post(path, {"address": "spam@far.test"})
    assert blocking.blocked(box.account_id) == []


def test_contacts_come_and_go_as_cards(box: Box, page: Client) -> None:
    card = b"BEGIN:VCARD\r\nFN:Dora\r\nEMAIL:dora@far.test\r\nEND:VCARD\r\n"
    file = SimpleUploadedFile("c.vcf", card, "text/vcard")
    page.post("/settings/contacts/import/", {"cards": file})
    page.post("/settings/contacts/", {"name": "Ed", "address": "ed@far.test"})
    answer = page.get("/settings/contacts/export/")
    assert answer.content.count(b"BEGIN:VCARD") == 2
    assert answer["Content-Disposition"].startswith("attachment")
    page.post("/settings/contacts/", {"address": "ed@far.test", "delete": "1"})
    assert Contact.objects.get().address == "dora@far.test"
    assert page.post("/settings/contacts/", {"address": "x"}).status_code == 409
    assert page.post("/settings/contacts/import/").status_code == 409


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
