"""Invitations answered, mail carried in and out, folders shared: on both widths."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in, open_folder
from tests.browser.site import Site
from tests.browser.test_access import wrong
from tests.unit.webmail import test_invitations as invitations


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def alice(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    with logged_in(site, chromium, request.param) as page:
        yield page


@pytest.fixture
def mark(request: Any) -> str:
    """A word that no other test's mail has."""
    return "".join(c for c in request.node.name if c.isalnum())


def fits_and_is_for_all(page: Any) -> None:
    """Nothing runs over the edge, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    found = wrong(page)
    assert not found, "\n".join(found)


def test_an_invitation_is_answered(site: Site, alice: Any, mark: str) -> None:
    event = invitations.ics(uid=mark, summary=mark)
    whole = invitations.letter(octets=event)
    octets = whole.replace(b"t: Planning", b"t: " + mark.encode())
    site.put("alice@example.test", octets)
    alice.locator(".row", has_text=mark).locator(".subject").click()
    card = alice.locator(".invitation")
    card.locator("h2", has_text=mark).wait_for()
    card.locator(".comment summary").click()
    card.locator("input[name=comment]").fill("With cake")
    card.locator("button[value=tentative]").click()
    alice.locator("#notices", has_text="Your answer was sent").wait_for()
    card.locator(".given", has_text="You may come").wait_for()
    card.locator("q", has_text="With cake").wait_for()
    assert (
        card.locator("button[value=tentative]").get_attribute("aria-pressed") == "true"
    )
    box = card.locator("button[value=accepted]").bounding_box()
    assert box["height"] >= 44
    fits_and_is_for_all(alice)


def test_mail_is_carried_out_and_in(
    site: Site, alice: Any, mark: str, tmp_path: Path
) -> None:
    site.put("alice@example.test", letter(f"{mark} one"), letter(f"{mark} two"))
    rows = alice.locator(".row", has_text=mark)
    rows.nth(1).wait_for()
    for number in range(2):
        rows.nth(number).locator("input[name=m]").check(force=True)
    alice.locator("#bulk .menu summary[title=More]").click()
    with alice.expect_download() as saved:
        alice.locator("#bulk [data-export]").click()
    archive = zipfile.ZipFile(saved.value.path())
    assert len(archive.namelist()) == 2
    file = tmp_path / "mine.zip"
    file.write_bytes(Path(saved.value.path()).read_bytes())

    alice.goto(f"{site.url}/carry/")
    alice.wait_for_selector("body[data-connected]")
    alice.fill(".bring [name=folder]", mark)
    alice.set_input_files(".bring [name=file]", str(file))
    alice.click(".bring button.primary")
    alice.locator(".transfers li", has_text="mine.zip").first.wait_for()
    site.run("from mailhost.jobs.runner import run_due; run_due()")
    alice.locator(".transfers li.done", has_text="2 messages taken in").first.wait_for()
    pane = alice.locator(f"#folders a[title='{mark}']")
    pane.wait_for(state="attached")
    alice.reload()
    with alice.expect_download() as mbox:
        alice.locator(".take li", has_text=mark).locator("a").first.click()
    assert b"Subject: " + mark.encode() in Path(mbox.value.path()).read_bytes()
    fits_and_is_for_all(alice)


def test_a_folder_is_shared(site: Site, alice: Any, chromium: Any, mark: str) -> None:
    alice.goto(f"{site.url}/folders/manage/")
    alice.wait_for_selector("body[data-connected]")
    name = f"{mark}{'n' if alice.narrow else 'w'}"
    alice.locator("[id^=new-]").first.fill(name)
    alice.locator(".manage button.primary").first.click()
    line = alice.locator(".manage li", has=alice.locator(f"input[value='{name}']"))
    line.first.locator(".menu summary").click()
    line.first.locator(".sheet a", has_text="Share").click()
    alice.fill(".sharing [name=who]", "bob@example.test")
    alice.select_option(".sharing select", "read")
    alice.click(".sharing button.primary")
    alice.locator(".share li", has_text="bob@example.test").wait_for()
    fits_and_is_for_all(alice)
    with logged_in(site, chromium, WIDE, "bob") as bob:
        bob.locator(f"#folders a[title='{name}']").click()
        bob.locator(".nothing").wait_for()
    # Deleted, and back by undo.
    alice.goto(f"{site.url}/folders/manage/")
    alice.wait_for_selector("body[data-connected]")
    alice.on("dialog", lambda dialog: dialog.accept())
    line.first.locator(".menu summary").click()
    line.first.locator(".sheet button.danger").click()
    alice.locator("#notices button").click()
    alice.locator(f"#folders a[title='{name}']").wait_for(state="attached")


TEAM = """
from accounts.models import Account, Membership, User
from mailhost.store.folders import make_default_folders
from django.db import transaction
account, made = Account.objects.get_or_create(kind="shared", name="support")
if made:
    with transaction.atomic():
        from mailhost.mail.models import Folder
        if not Folder.objects.filter(account=account).exists():
            make_default_folders(account.pk)
    names = ["alice@example.test", "bob@example.test"]
    for user in User.objects.filter(email__in=names):
        Membership.objects.create(account=account, user=user, write=True)
from mailhost.store import append, folders
from mailhost.store.content import prepare
from mailhost.store.gate import gate
inbox = folders.open_folder(account.pk, "INBOX").id
gate.write_sync([account.pk], append.append, account.pk, inbox, prepare({octets!r}))
gate.stop()
"""


def test_a_team_works_on_a_conversation(
    site: Site, alice: Any, chromium: Any, mark: str
) -> None:
    site.run(TEAM.format(octets=letter(mark)))
    alice.reload()

    def enter(page: Any) -> None:
        if page.narrow:
            page.click("[data-show=folders]")
        page.locator("#folders h2", has_text="support").wait_for()
        page.locator("#folders h2:has-text('support') + ul a[title=INBOX]").click()
        page.wait_for_selector("body[data-connected]")
        page.locator(".row", has_text=mark).locator(".subject").click()
        page.locator(".team").wait_for()

    with logged_in(site, chromium, WIDE, "bob") as bob:
        enter(alice)
        enter(bob)
        bob.fill("#note", "half a thought")
        alice.fill("#note", f"{mark} is angry")
        alice.click(".noting button")
        bob.locator(".notes", has_text=f"{mark} is angry").wait_for()
        assert bob.input_value("#note") == "half a thought"
        assert alice.input_value("#note") == ""
        alice.select_option("#assign", label="Bob")
        fits_and_is_for_all(alice)
        row = bob.locator(".row", has_text=mark)
        row.locator(".assignee", has_text="Bob").wait_for()
        row.locator(".tag", has_text="1 note").wait_for()
        bob.click(".views a:has-text('Mine')")
        row.wait_for()
    if alice.narrow:
        alice.click("#reader .back")
    alice.click(".views a:has-text('Mine')")
    alice.locator(".nothing").wait_for()
    fits_and_is_for_all(alice)


def test_people_have_groups(site: Site, alice: Any, mark: str) -> None:
    name = f"{mark}{'n' if alice.narrow else 'w'}"
    alice.goto(f"{site.url}/contacts/")
    alice.wait_for_selector("body[data-connected]")
    alice.fill("[aria-label='New group']", name)
    alice.locator("form", has=alice.locator("[aria-label='New group']")).locator(
        "button"
    ).click()
    group = alice.locator("details.group", has_text=name)
    for address in ("dora@far.test", "erik@far.test"):
        if group.get_attribute("open") is None:
            group.locator("summary").click()
        group.locator("input[name=address][type=email]").fill(address)
        group.locator("button", has_text="Add").click()
        group.locator(".quiet", has_text=address).wait_for(state="attached")
    fits_and_is_for_all(alice)
    alice.goto(f"{site.url}/compose/")
    alice.wait_for_selector("body[data-connected]")
    alice.locator("#id_to").press_sequentially(name[:-1])
    alice.locator(".persons button", has_text=name).click()
    assert "dora@far.test, erik@far.test" in alice.input_value("#id_to")


def test_trash_is_emptied(site: Site, alice: Any, mark: str) -> None:
    site.put("alice@example.test", letter(mark))
    row = alice.locator(".row", has_text=mark)
    row.locator("input[name=m]").check(force=True)
    alice.click(".heading button[value=delete]")
    row.wait_for(state="detached")
    open_folder(alice, "Trash")
    row.wait_for()
    alice.on("dialog", lambda dialog: dialog.accept())
    alice.click(".kept button")
    row.wait_for(state="detached")
    alice.locator(".nothing").wait_for()
