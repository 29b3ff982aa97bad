"""A person at the webmail: reading, live mail, writing, acting, on both widths."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, logged_in
from tests.browser.site import Site

HTML = (
    b"From: Shop <shop@far.test>\r\nTo: alice@example.test\r\nSubject: %b\r\n"
    b"Content-Type: text/html\r\n\r\n<h1>Hello frame</h1>"
    b"<img src='https://far.test/p.gif'><script>top.document.title='owned'</script>"
    b"<img src=x onerror=\"top.document.title='owned'\">\r\n"
)
TEXT = b"From: Carl <carl@far.test>\r\nSubject: %b\r\n\r\nBody of it\r\n"


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def alice(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    """alice, logged in, with whatever goes wrong in the page noted."""
    with logged_in(site, chromium, request.param) as page:
        yield page


def name_of(request: Any) -> str:
    return str(request.node.callspec.id)


def test_mail_comes_in_by_itself_and_is_read(
    site: Site, alice: Any, request: Any
) -> None:
    subject = f"Live {name_of(request)}"
    site.put("alice@example.test", HTML % subject.encode())
    row = alice.locator(".row.unread", has_text=subject)
    row.wait_for()
    row.locator(".subject").click()
    frame = alice.frame_locator("iframe.html")
    frame.locator("h1", has_text="Hello frame").wait_for()
    alice.locator(".remote").wait_for()
    assert "owned" not in alice.title()
    alice.locator(f".row:not(.unread):has-text('{subject}')").wait_for(state="attached")
    if alice.narrow:
        assert not alice.locator("#list").is_visible()
        alice.click(".conversation .back")
    assert alice.locator("#list").is_visible()


def test_a_change_right_after_another_is_seen(
    site: Site, alice: Any, request: Any
) -> None:
    mark = f"Burst {name_of(request)}"
    site.put("alice@example.test", *[TEXT % f"{mark} {n}".encode() for n in range(2)])
    alice.locator(".row", has_text=mark).nth(1).wait_for()


def test_what_is_under_a_finger_stays_there(
    site: Site, alice: Any, request: Any
) -> None:
    """A click counts when the list was refreshed between its press and its release."""
    first, then = (f"{word} finger {name_of(request)}" for word in ("First", "Then"))
    site.put("alice@example.test", TEXT % first.encode())
    alice.locator(".row", has_text=first).wait_for()
    places = ["#folders a[title=Sent]", f".row:has-text('{first}') a"]
    held = [alice.query_selector(place) for place in places]
    site.put("alice@example.test", TEXT % then.encode())
    alice.locator(".row", has_text=then).wait_for()
    assert [one.evaluate("one => one.isConnected") for one in held] == [True, True]


def test_a_message_goes_to_a_colleague(site: Site, alice: Any, request: Any) -> None:
    subject = f"From alice {name_of(request)}"
    alice.locator(".bottom a" if alice.narrow else ".side .compose").click()
    alice.fill("#id_to", "bob@example.test")
    alice.fill("#id_subject", subject)
    alice.locator(".write[data-ready] .editor").fill("Hello Bob")
    alice.click("[data-send]")
    alice.locator("#notices", has_text="Message sent.").wait_for()
    if alice.narrow:
        alice.click("[data-show=folders]")
    alice.click("#folders a[title=Sent]")
    alice.locator(".row", has_text=subject).wait_for()


def test_many_are_archived_at_once(site: Site, alice: Any, request: Any) -> None:
    mark = f"Bulk {name_of(request)}"
    for number in range(2):
        site.put("alice@example.test", TEXT % f"{mark} {number}".encode())
    rows = alice.locator(".row", has_text=mark)
    rows.nth(1).wait_for()
    for number in range(2):
        rows.nth(number).locator("input[name=m]").check(force=True)
    alice.click(".heading button[value=archive]")
    alice.locator("#notices", has_text="2 messages archived").wait_for()
    rows.first.wait_for(state="detached")


def test_a_draft_is_found_again(site: Site, alice: Any, request: Any) -> None:
    subject = f"Draft {name_of(request)}"
    alice.locator(".bottom a" if alice.narrow else ".side .compose").click()
    alice.fill("#id_subject", subject)
    alice.click("text=Save draft")
    alice.locator("#notices", has_text="Draft saved.").wait_for()
    alice.goto(site.url)
    if alice.narrow:
        alice.click("[data-show=folders]")
    alice.click("#folders a[title=Drafts]")
    alice.locator(".row .subject", has_text=subject).click()
    alice.wait_for_selector(".write")
    assert alice.input_value("#id_subject") == subject


def test_keys_do_what_they_say(site: Site, alice: Any, request: Any) -> None:
    subject = f"Keys {name_of(request)}"
    site.put("alice@example.test", TEXT % subject.encode())
    alice.locator(".row", has_text=subject).wait_for()
    alice.keyboard.press("j")
    alice.locator(".title h1", has_text=subject).wait_for()
    alice.keyboard.press("s")
    alice.locator(".conversation .star[aria-pressed=true]").wait_for()
    alice.keyboard.press("e")
    alice.locator(".row", has_text=subject).wait_for(state="detached")


def test_nothing_runs_over_the_edge(alice: Any) -> None:
    wide = alice.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
