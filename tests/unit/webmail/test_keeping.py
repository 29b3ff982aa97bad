"""Trash and Junk: emptied, kept for some days; what is said of junk is remembered."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from mailhost.mail.models import JunkReport, Message
from mailhost.store import folders, junk, retention
from mailhost.store.gate import gate
from mailhost.webmail.models import Undo
from tests.unit.webmail.conftest import PLAIN, Box


def count(box: Box, name: str) -> int:
    return folders.open_folder(box.account_id, name).messages


def filed(box: Box, name: str, days: int) -> int:
    uid = box.put(PLAIN, name)
    rows = Message.objects.filter(folder_id=box.folder(name), uid=uid)
    rows.update(saved_at=timezone.now() - timedelta(days=days))
    return uid


@pytest.mark.engines
def test_what_lies_too_long_is_removed(box: Box, page: Client) -> None:
    for name in ("Trash", "Junk", "INBOX"):
        filed(box, name, 40)
        filed(box, name, 20)
    gate.write_sync(
        [box.account_id], folders.create_folder, box.account_id, "Trash/Old"
    )
    filed(box, "Trash/Old", 40)
    assert retention.sweep() == 0  # nobody asked for it
    page.post(f"/settings/keeping/{box.account_id}/", {"trash": "30", "junk": "0"})
    assert retention.sweep() == 2
    assert [count(box, n) for n in ("Trash", "Trash/Old", "Junk", "INBOX")] == [
        1,
        0,
        2,
        2,
    ]
    assert retention.sweep() == 0
    text = page.get(box.url(name="Trash")).content.decode()
    assert "removed after 30 days" in text
    assert (
        "stays until you remove it" in page.get(box.url(name="Junk")).content.decode()
    )


@pytest.mark.engines
def test_the_server_may_have_a_term_for_all(box: Box, page: Client) -> None:
    filed(box, "Trash", 10)
    filed(box, "Junk", 10)
    with override_settings(MAILHOST_TRASH_DAYS=7, MAILHOST_JUNK_DAYS=7):
        page.post(f"/settings/keeping/{box.account_id}/", {"junk": "0"})
        assert retention.sweep() == 1
    assert (count(box, "Trash"), count(box, "Junk")) == (0, 1)


@pytest.mark.engines
def test_trash_is_emptied_at_once(box: Box, page: Client) -> None:
    gate.write_sync(
        [box.account_id], folders.create_folder, box.account_id, "Trash/Old"
    )
    for name in ("Trash", "Trash/Old", "INBOX"):
        box.put(PLAIN, name)
    at = f"/folders/{box.account_id}/{box.folder('Trash')}/empty/"
    said = page.post(at, HTTP_HX_REQUEST="true")
    assert "2 messages removed" in said["HX-Trigger"]
    names = [one.name for one in folders.list_folders(box.account_id)]
    assert "Trash/Old" not in names
    assert (count(box, "Trash"), count(box, "INBOX")) == (0, 1)
    inbox = f"/folders/{box.account_id}/{box.folder()}/empty/"
    assert page.post(inbox).status_code == 409
    assert count(box, "INBOX") == 1


@pytest.mark.parametrize("who", ["bob", "stranger"])
def test_strangers_empty_nothing(
    box: Box, request: pytest.FixtureRequest, browser_of: Any, who: str
) -> None:
    box.put(PLAIN, "Trash")
    other = browser_of(request.getfixturevalue(who))
    at = f"/folders/{box.account_id}/{box.folder('Trash')}/empty/"
    assert other.post(at).status_code == 404
    keeping = f"/settings/keeping/{box.account_id}/"
    assert other.post(keeping, {"trash": "7"}).status_code == 404
    assert count(box, "Trash") == 1


def test_what_is_used_is_shown_where_there_is_a_limit(box: Box, page: Client) -> None:
    assert 'class="usage"' not in page.get(box.url()).content.decode()
    box.user.account.quota_bytes = 10_000
    box.user.account.save()
    box.put(b"Subject: x\r\n\r\n" + b"y" * 5_000)
    assert 'max="100" value="50"' in page.get(box.url()).content.decode()


@pytest.mark.engines
def test_junk_is_reported_and_taken_back(box: Box, page: Client) -> None:
    uid = box.put(PLAIN)
    fields = {"action": "junk", "m": box.where(uid)}
    page.post("/do/", fields, HTTP_HX_REQUEST="true")
    row = JunkReport.objects.get()
    assert (row.is_junk, row.user) == (True, box.user)
    message = Message.objects.get(folder_id=box.folder("Junk"))
    assert (message.keywords, message.email_id) == ("$Junk", row.email_id)
    assert list(junk.material()) == [(box.account_id, True, message.content_id)]
    # Not junk says the contrary, in the same row.
    fields = {"action": "notjunk", "m": box.where(message.uid, "Junk")}
    page.post("/do/", fields, HTTP_HX_REQUEST="true")
    row.refresh_from_db()
    assert not row.is_junk
    assert Message.objects.get(folder_id=box.folder()).keywords == "$NotJunk"
    page.post(f"/undo/{Undo.objects.latest('pk').pk}/", HTTP_HX_REQUEST="true")
    assert not JunkReport.objects.exists()
    assert Message.objects.get(folder_id=box.folder("Junk")).keywords == ""


def test_a_move_by_hand_reports_nothing(box: Box, page: Client) -> None:
    uid = box.put(PLAIN)
    fields = {"action": "delete", "m": box.where(uid)}
    page.post("/do/", fields, HTTP_HX_REQUEST="true")
    assert not JunkReport.objects.exists()
