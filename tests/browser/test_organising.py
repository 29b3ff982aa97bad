"""Putting away, muting, the palette: on both widths."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in, open_folder
from tests.browser.site import Site


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def bob(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    with logged_in(site, chromium, request.param, "bob") as page:
        yield page


@pytest.fixture
def mark(request: Any) -> str:
    return "".join(c for c in request.node.name if c.isalnum())


def opened(site: Site, page: Any, mark: str) -> Any:
    site.put("bob@example.test", letter(mark))
    page.locator(".row .subject", has_text=mark).click()
    page.locator("#subject", has_text=mark).wait_for()
    return page.locator(".row", has_text=mark)


def test_a_letter_is_put_away_and_taken_back(site: Site, bob: Any, mark: str) -> None:
    row = opened(site, bob, mark)
    bob.keyboard.press("b")
    menu = bob.locator(".conversation .snooze .sheet")
    menu.locator("button", has_text="Tomorrow").wait_for()
    assert bob.evaluate("document.activeElement.closest('.snooze') !== null")
    menu.locator("button", has_text="Tomorrow").click()
    bob.locator("#notices", has_text="Put away until").wait_for()
    row.wait_for(state="detached")
    bob.click("#notices button")
    row.wait_for()


def test_a_time_of_ones_own(site: Site, bob: Any, mark: str) -> None:
    row = opened(site, bob, mark)
    bob.locator(".conversation .snooze > summary").click()
    bob.fill("#until-one", "2030-01-31T09:30")
    bob.press("#until-one", "Enter")
    row.wait_for(state="detached")
    bob.goto(site.url)
    open_folder(bob, "Snoozed")
    bob.locator(".row", has_text=mark).locator(".tag", has_text="09:30").wait_for()


def test_several_are_put_away(site: Site, bob: Any, mark: str) -> None:
    site.put("bob@example.test", letter(mark + "one"), letter(mark + "two"))
    rows = bob.locator(".row", has_text=mark)
    rows.nth(1).wait_for()
    for n in range(2):
        rows.nth(n).locator(".check").click()
    bob.keyboard.press("b")
    bob.locator("#bulk .snooze button", has_text="Next week").click()
    bob.locator("#notices", has_text="Put away until").wait_for()
    rows.first.wait_for(state="detached")


def test_a_conversation_is_muted(site: Site, bob: Any, mark: str) -> None:
    row = opened(site, bob, mark)
    bob.keyboard.press("m")
    bob.locator("#notices", has_text="Muted").wait_for()
    row.wait_for(state="detached")
    bob.goto(site.url)
    open_folder(bob, "Archive")
    bob.locator(".row", has_text=mark).locator(".mark", has_text="Muted").wait_for()


def test_a_command_is_found_by_its_name(site: Site, bob: Any, mark: str) -> None:
    row = opened(site, bob, mark)
    bob.keyboard.press("Control+k")
    bob.locator("#palette[open] #commands li").first.wait_for()
    bob.keyboard.type("arch")
    bob.locator("#commands li[aria-selected=true]", has_text="Archive").wait_for()
    bob.keyboard.press("Enter")
    row.wait_for(state="detached")
    bob.keyboard.press("Control+k")
    bob.keyboard.type("go sent")
    bob.keyboard.press("Enter")
    bob.locator("h1", has_text="Sent").wait_for()


def test_a_command_that_is_not_there(bob: Any) -> None:
    bob.keyboard.press("Control+k")
    bob.keyboard.type("xyzzy")
    bob.locator("#palette", has_text="No such command.").wait_for()
    bob.keyboard.press("Escape")
    bob.locator("#palette").wait_for(state="hidden")
