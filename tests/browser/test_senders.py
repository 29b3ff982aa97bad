"""Senders, signatures, templates, answers below, reminders: on both widths."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in, open_folder
from tests.browser.site import Site
from tests.browser.test_writing import write

SENDERS = """
from accounts.models import Account, Address, Domain, User
from mailhost.webmail import identities
from mailhost.webmail.identities import Sender
bob = User.objects.get(email="bob@example.test")
row, _ = Address.objects.get_or_create(
    domain=Domain.objects.get(name="example.test"), local_part="desk")
row.accounts.add(Account.objects.get(owner=bob))
identities.keep(bob, Sender("bob@example.test", "Bob", "", "<b>Bob</b> of Example"))
identities.keep(bob, Sender("desk@example.test", "Desk", "", "The desk<br>Room 1"))
"""


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def bob(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    site.run(SENDERS)
    with logged_in(site, chromium, request.param, "bob") as page:
        yield page
    site.run(
        "from mailhost.webmail.models import Identity, Preferences\n"
        "Identity.objects.all().delete()\n"
        "Preferences.objects.filter(user__email='bob@example.test').delete()\n"
    )


@pytest.fixture
def mark(request: Any) -> str:
    return "".join(c for c in request.node.name if c.isalnum())


def test_the_signature_follows_the_sender(site: Site, bob: Any, mark: str) -> None:
    editor = write(bob, mark)
    editor.get_by_text("Bob of Example").wait_for()
    bob.select_option("#id_sender", "desk@example.test")
    editor.get_by_text("Room 1").wait_for()
    assert "of Example" not in editor.inner_text()
    bob.select_option("#id_sender", "bob@example.test")
    editor.get_by_text("Bob of Example").wait_for()
    assert "Room 1" not in editor.inner_text()
    bob.click("[data-plain]")
    bob.select_option("#id_sender", "desk@example.test")
    assert "-- \nThe desk\nRoom 1" in bob.input_value("#id_text")


def test_a_signature_is_written_in_the_settings(site: Site, bob: Any) -> None:
    bob.goto(f"{site.url}/settings/")
    sender = bob.locator(".sender", has_text="desk@example.test")
    sender.locator("summary").click()
    box = sender.locator(".editor")
    box.click()
    bob.keyboard.press("Control+End")
    bob.keyboard.type(" and more")
    sender.locator("button.primary").click()
    bob.locator("#notices", has_text="Saved.").wait_for()
    bob.locator(".sender", has_text="desk@example.test").locator("summary").click()
    bob.locator(".editor", has_text="Room 1 and more").wait_for()


def test_a_template_is_kept_and_put_in(site: Site, bob: Any, mark: str) -> None:
    editor = write(bob, mark)
    editor.fill(f"Dear {mark}")
    bob.locator(".options > summary").click()
    bob.fill("#template-name", mark)
    bob.press("#template-name", "Enter")
    bob.locator("#notices", has_text="Kept as the template").wait_for()
    bob.goto(site.url)
    editor = write(bob)
    editor.click()
    bob.locator(".options > summary").click()
    bob.locator("[data-template]", has_text=mark).click()
    editor.get_by_text(f"Dear {mark}").wait_for()
    assert bob.input_value("#id_subject") == mark


def test_an_answer_below_begins_below(site: Site, bob: Any, mark: str) -> None:
    site.run(
        "from accounts.models import User\n"
        "from mailhost.webmail.models import Preferences\n"
        "bob = User.objects.get(email='bob@example.test')\n"
        "Preferences.objects.update_or_create("
        "user=bob, defaults={'answers_below': True})\n"
    )
    site.put(
        "bob@example.test", letter(mark, "What do you think?", To="bob@example.test")
    )
    bob.locator(".row .subject", has_text=mark).click()
    bob.locator(".letter .answers a", has_text="Reply").first.click()
    bob.locator(".write[data-ready] .editor blockquote").wait_for()
    bob.keyboard.type("I agree")
    text = bob.locator(".editor").inner_text()
    assert text.index("What do you think?") < text.index("I agree")
    assert text.index("I agree") < text.index("of Example")


def test_a_receipt_is_asked_for_and_declined(site: Site, bob: Any, mark: str) -> None:
    asks = letter(mark, Disposition_Notification_To="carl@far.test")
    site.put("bob@example.test", asks)
    bob.locator(".row .subject", has_text=mark).click()
    bar = bob.locator(".aside", has_text="carl@far.test asks")
    bar.locator("button", has_text="Send none").click()
    bob.locator("#notices", has_text="No receipt is sent.").wait_for()
    bar.wait_for(state="detached")


def test_a_reminder_is_set_on_what_was_sent(site: Site, bob: Any, mark: str) -> None:
    site.run(
        "from accounts.models import User\n"
        "from mailhost.webmail.models import Preferences\n"
        "bob = User.objects.get(email='bob@example.test')\n"
        "Preferences.objects.update_or_create(user=bob, defaults={'undo_seconds': 0})\n"
    )
    editor = write(bob, mark, "alice@example.test")
    editor.fill("Well?")
    bob.locator(".options > summary").click()
    bob.select_option("#id_remind", "3")
    bob.locator(".options > summary").click()
    bob.click("[data-send]")
    bob.locator("#notices", has_text="Message sent.").wait_for()
    bob.goto(site.url)
    open_folder(bob, "Sent")
    bob.locator(".row .subject", has_text=mark).click()
    bar = bob.locator(".aside", has_text="if nobody answers")
    bar.locator("button", has_text="Call off").click()
    bob.locator(".aside button", has_text="after a week").click()
    bob.locator(".aside", has_text="It comes back on").wait_for()
