"""Everything by keyboard: in order, seen, and never lost after something went."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import WIDE, letter, logged_in
from tests.browser.site import Site

# What has the focus, and whether it can be seen: by itself or what stands around it.
FOCUSED = """() => {
  const one = document.activeElement;
  const seen = (it) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(it);
    return outlineStyle !== "none" && parseFloat(outlineWidth) || boxShadow !== "none";
  };
  const { x, y, width, height } = one.getBoundingClientRect();
  const around = [one, one.parentElement, one.parentElement?.parentElement];
  const names = [one.innerText, one.ariaLabel, one.title, one.name, one.id];
  return {
    name: names.find((name) => name?.trim()) ?? "",
    tag: one.tagName, id: one.id,
    inside: x + width > 0 && y + height > 0 && x < innerWidth && y < innerHeight,
    seen: around.some((it) => it?.closest("body > *") && seen(it)),
    pane: one.closest(".side, .list, .reader, .skip")?.className.split(" ")[0],
  };
}"""

MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
  const { transitionDuration, animationDuration } = getComputedStyle(one);
  return `${transitionDuration}, ${animationDuration}`.split(", ")
    .some((time) => parseFloat(time) > 0);
}).map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture
def alice(site: Site, chromium: Any) -> Iterator[Any]:
    with logged_in(site, chromium, WIDE) as page:
        yield page


def focused(page: Any) -> Any:
    return page.evaluate(FOCUSED)


def on_row(page: Any, subject: str) -> None:
    """Wait until the focus is on a row's link."""
    page.wait_for_function(
        "(s) => document.activeElement.closest('.row')?.innerText.includes(s)",
        arg=subject,
    )


def test_tab_goes_through_all_panes_and_is_always_seen(site: Site, alice: Any) -> None:
    site.put("alice@example.test", letter("Walk one"), letter("Walk two"))
    alice.locator(".row", has_text="Walk two").wait_for()
    alice.reload()
    alice.wait_for_selector("body[data-connected]")
    alice.press("body", "Tab")
    assert focused(alice)["name"] == "Skip to messages"
    order = []
    for _ in range(60):
        alice.keyboard.press("Tab")
        now = focused(alice)
        if now["tag"] == "BODY":
            break
        order.append(now)
        assert now["seen"], now
        assert now["inside"], now
        assert now["name"], now
    panes = [now["pane"] for now in order]
    assert panes.index("list") > panes.index("side")
    assert "side" not in panes[panes.index("list") :]


def test_the_link_over_all_leads_to_the_list(site: Site, alice: Any) -> None:
    alice.press("body", "Tab")
    alice.keyboard.press("Enter")
    assert focused(alice)["id"] == "list"


def test_reading_and_back(site: Site, alice: Any) -> None:
    site.put("alice@example.test", letter("Back one"), letter("Back two"))
    row = alice.locator(".row", has_text="Back one")
    row.wait_for()
    row.locator("> a").focus()
    alice.keyboard.press("Enter")
    alice.locator(".conversation h1", has_text="Back one").wait_for()
    alice.wait_for_function("document.activeElement.id === 'reader'")
    alice.keyboard.press("Escape")
    on_row(alice, "Back one")


@pytest.mark.parametrize("first", ["the answer", "the list"])
def test_what_goes_leaves_the_focus_at_its_place(
    site: Site, alice: Any, first: str
) -> None:
    mark = first.removeprefix("the ")
    names = [f"Gone {mark} {n}" for n in range(3)]
    site.put("alice@example.test", *map(letter, names))
    rows = alice.locator(".row", has_text=f"Gone {mark}")
    rows.nth(2).wait_for()
    rows.nth(1).locator("> a").focus()
    alice.keyboard.press("Enter")
    alice.locator(".conversation h1", has_text=f"Gone {mark} 1").wait_for()
    alice.locator(".conversation button[value=archive]").focus()

    def late(route: Any) -> None:
        answer = route.fetch()
        time.sleep(2)  # meanwhile the list hears of it from the change feed
        route.fulfill(response=answer)

    if first == "the list":
        alice.route("**/do/", late)
    alice.keyboard.press("Enter")
    on_row(alice, f"Gone {mark} 0")


def test_escape_closes_a_menu_and_stays_there(site: Site, alice: Any) -> None:
    site.put("alice@example.test", letter("Menu"))
    alice.locator(".row", has_text="Menu").locator("> a").click()
    menu = alice.locator(".conversation .bar .menu:not(.snooze)")
    menu.locator("summary").focus()
    alice.keyboard.press("Enter")
    menu.locator("select").first.focus()
    alice.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert focused(alice)["tag"] == "SUMMARY"


def test_a_dialog_gives_the_focus_back(site: Site, alice: Any) -> None:
    alice.locator("[data-key=c]").focus()
    alice.keyboard.press("?")
    alice.wait_for_selector("#keys[open]")
    assert alice.evaluate("document.activeElement.closest('dialog')?.id") == "keys"
    alice.keyboard.press("Escape")
    assert alice.evaluate("document.activeElement.dataset.key") == "c"


def test_what_is_done_is_told(site: Site, alice: Any) -> None:
    site.put("alice@example.test", letter("Told"))
    row = alice.locator(".row", has_text="Told")
    row.locator("input[name=m]").check(force=True)
    alice.click(".heading button[value=archive]")
    region = alice.locator("[role=status][aria-live=polite]", has_text="Archive")
    region.locator("button", has_text="Undo").wait_for()


def test_nothing_moves_for_those_who_want_it_still(site: Site, chromium: Any) -> None:
    with logged_in(site, chromium, WIDE, reduced_motion="reduce") as page:
        assert page.evaluate(MOVING) == []
