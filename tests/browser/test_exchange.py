"""Invitations answered, mail carried in and out, folders shared: on both widths."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, logged_in
from tests.browser.site import Site
from tests.unit.webmail import test_invitations as invitations


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def alice(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    with logged_in(site, chromium, request.param) as page:
        yield page


@pytest.fixture
def mark(request: Any) -> str:
    """A word that no other test's mail has."""
    return "".join(c for c in request.node.name if c.isalnum())


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
    width = alice.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0
