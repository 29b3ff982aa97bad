"""Conversations, many at once, undo, drag and swipe, search: on both widths."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in, open_folder
from tests.browser.site import Site


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def alice(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    with logged_in(site, chromium, request.param) as page:
        yield page


@pytest.fixture
def mark(request: Any) -> str:
    """A word that no other test's mail has."""
    name = "".join(c for c in request.node.name if c.isalnum())
    return f"{name}"


def put(site: Site, page: Any, *octets: bytes) -> None:
    site.put("alice@example.test", *octets)


def test_a_conversation_unfolds(site: Site, alice: Any, mark: str) -> None:
    first = letter(mark, "The very first", Message_ID=f"<1{mark}@far.test>")
    more = {"References": f"<1{mark}@far.test>"}
    put(
        site,
        alice,
        first,
        letter(f"Re: {mark}", "Second\r\n\r\nCarl wrote:\r\n> The very first", **more),
    )
    row = alice.locator(".row", has_text=mark)
    row.locator(".total", has_text="2").wait_for()
    row.locator(".subject").click()
    letters = alice.locator(".letter")
    letters.nth(1).locator(".plain", has_text="Second").wait_for()
    quote = letters.nth(1).locator(".quote")
    assert not quote.locator(".q1").is_visible()
    quote.locator("summary").click()
    assert quote.locator(".q1").is_visible()
    # Unread ones stand open; a read one is folded and fetched when it is asked for.
    alice.locator(f".row:not(.unread):has-text('{mark}')").wait_for(state="attached")
    alice.reload()
    alice.wait_for_selector(".letter .plain")
    assert not letters.nth(0).locator(".plain").is_visible()
    letters.nth(0).locator("> summary").click()
    letters.nth(0).locator(".plain", has_text="The very first").wait_for()


def test_the_list_may_be_flat(site: Site, alice: Any, mark: str) -> None:
    head = letter(mark, Message_ID=f"<1{mark}@far.test>")
    put(site, alice, head, letter(f"Re: {mark}", References=f"<1{mark}@far.test>"))
    rows = alice.locator(".row", has_text=mark)
    rows.locator(".total").wait_for()
    assert rows.count() == 1
    alice.click("[data-mode]")
    alice.wait_for_selector("[data-mode][title='Show conversations']")
    assert rows.count() == 2
    alice.click("[data-mode]")
    alice.wait_for_selector("[data-mode][title='Show single messages']")
    assert rows.count() == 1


def test_what_was_archived_comes_back(site: Site, alice: Any, mark: str) -> None:
    put(site, alice, letter(f"{mark} 1"), letter(f"{mark} 2"))
    rows = alice.locator(".row", has_text=mark)
    rows.nth(1).wait_for()
    for number in range(2):
        rows.nth(number).locator("input[name=m]").check(force=True)
    alice.click(".heading button[value=archive]")
    rows.first.wait_for(state="detached")
    alice.click("#notices button")
    rows.nth(1).wait_for()


def test_all_that_match_are_taken(site: Site, alice: Any, mark: str) -> None:
    put(site, alice, *[letter(f"{mark} {n}") for n in range(3)])
    alice.locator(".row", has_text=mark).nth(2).wait_for()
    alice.fill("#q", f"subject:{mark}")
    alice.press("#q", "Enter")
    alice.wait_for_selector("h1:has-text('Search')")
    rows = alice.locator(".row", has_text=mark)
    assert rows.count() == 3
    alice.locator("#all").check()
    alice.click(".heading button[value=delete]")
    alice.locator("#notices", has_text="3 messages moved to Trash").wait_for()
    rows.first.wait_for(state="detached")


def test_a_row_goes_to_a_folder(site: Site, alice: Any, mark: str) -> None:
    put(site, alice, letter(mark))
    row = alice.locator(".row", has_text=mark)
    row.wait_for()
    if alice.narrow:
        box = row.bounding_box()
        swipe(alice, box["x"] + 60, box["y"] + 30, 160)
    else:
        row.drag_to(alice.locator("#folders a[title=Archive]").first)
    row.wait_for(state="detached")
    open_folder(alice, "Archive")
    alice.locator(".row", has_text=mark).wait_for()


def swipe(page: Any, x: float, y: float, by: float) -> None:
    """Move a finger to the side, as the browser itself would tell of it."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        asked = {"type": kind, "touchPoints": list(points)}
        session.send("Input.dispatchTouchEvent", asked)

    touch("touchStart", {"x": x, "y": y})
    for step in range(1, 9):
        touch("touchMove", {"x": x + by * step / 8, "y": y})
    touch("touchEnd")


@pytest.mark.parametrize("alice", [NARROW], ids=["narrow"], indirect=True)
def test_a_swipe_back_does_nothing(site: Site, alice: Any, mark: str) -> None:
    put(site, alice, letter(mark))
    row = alice.locator(".row", has_text=mark)
    row.wait_for()
    box = row.bounding_box()
    swipe(alice, box["x"] + 60, box["y"] + 30, 40)
    assert alice.locator(".row[data-swipe]").count() == 0
    assert row.is_visible()


def test_the_search_box_offers_and_keeps(site: Site, alice: Any, mark: str) -> None:
    put(site, alice, letter(mark, "needle in it"))
    alice.locator(".row", has_text=mark).wait_for()
    if alice.narrow:
        alice.click("[data-show=search]")
    alice.fill("#q", f"{mark} su")
    alice.wait_for_selector(f"[data-query='{mark} subject:']")
    alice.press("#q", "ArrowDown")
    alice.press("#q", "Enter")
    assert alice.input_value("#q") == f"{mark} subject:"
    alice.fill("#q", f"subject:{mark}")
    alice.press("#q", "Enter")
    alice.locator(".row mark", has_text=mark).wait_for()
    alice.click(".views .menu summary")
    alice.fill("#save-name", mark[:20])
    alice.click("text=Save this search")
    alice.wait_for_selector(f"#folders a[title='subject:{mark}']", state="attached")
    open_folder(alice, f"subject:{mark}")
    alice.locator(".row", has_text=mark).wait_for()


def test_a_label_is_put_on(site: Site, alice: Any, mark: str) -> None:
    site.run(
        "from accounts.models import Account\n"
        "from mailhost.webmail.models import Label\n"
        "a = Account.objects.get(owner__email='alice@example.test')\n"
        "Label.objects.get_or_create(account=a, keyword='work', name='Work', hue=2)"
    )
    put(site, alice, letter(mark))
    alice.reload()
    row = alice.locator(".row", has_text=mark)
    row.locator("input[name=m]").check(force=True)
    alice.click(".heading .menu:not(.snooze) summary")
    alice.select_option("#label-bulk", "label work")
    row.locator(".tag", has_text="Work").wait_for()


def test_a_filter_shows_its_own(site: Site, alice: Any, mark: str) -> None:
    site.put("alice@example.test", letter(mark))
    row = alice.locator(".row", has_text=mark)
    row.wait_for()
    for name in ("Starred", "All"):
        alice.click(f".views a:has-text('{name}')")
        alice.locator(".views [aria-current]", has_text=name).wait_for()
        row.wait_for(state="visible" if name == "All" else "detached")
