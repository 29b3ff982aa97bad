"""The webmail as an app: kept files, no connection and back, counts in the tab."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in, open_folder
from tests.browser.site import Site

KEPT = """async () => {
  await navigator.serviceWorker.ready;
  const found = [];
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys())
      found.push(new URL(url).pathname);
  return found;
}"""


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def alice(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    with logged_in(site, chromium, request.param, strict=False) as page:
        yield page


def test_no_mail_is_kept(site: Site, alice: Any) -> None:
    name = f"Kept nowhere {alice.narrow}"
    site.put("alice@example.test", letter(name))
    alice.evaluate(KEPT)
    alice.reload()
    alice.wait_for_function("() => navigator.serviceWorker.controller")
    alice.locator(".row", has_text=name).locator("> a").click()
    alice.wait_for_selector(".letter .plain")
    kept = alice.evaluate(KEPT)
    assert any(path.endswith("/webmail/base.css") for path in kept)
    assert {path.split("/")[1] for path in kept} == {"static", "away"}


def test_without_a_connection_it_says_so_and_comes_back(site: Site, alice: Any) -> None:
    alice.evaluate(KEPT)
    alice.context.set_offline(True)
    alice.locator("#offline", has_text="No connection").wait_for()
    alice.context.set_offline(False)
    alice.wait_for_selector("#offline", state="hidden")


def test_the_title_counts_what_is_unread(site: Site, alice: Any) -> None:
    name = f"Counted {alice.narrow}"
    site.put("alice@example.test", letter(name))
    alice.locator(".row.unread", has_text=name).wait_for(state="attached")
    alice.wait_for_function("() => document.title.startsWith('(')")
    icon = "() => document.querySelector('link[rel=icon]').href.startsWith('data:')"
    alice.wait_for_function(icon)
    alice.locator(".row", has_text=name).locator("> a").click()
    alice.wait_for_function("() => document.title.includes('Counted')")


def test_a_folder_comes_without_the_page(site: Site, alice: Any) -> None:
    alice.evaluate("window.same = true")
    open_folder(alice, "Archive")
    alice.locator("h1", has_text="Archive").wait_for()
    assert alice.evaluate("window.same")
    assert "Archive" in alice.title()
    current = alice.locator("#folders [aria-current]")
    assert current.get_attribute("title") == "Archive"
    alice.go_back()
    alice.locator("#list h1", has_text="Inbox").wait_for()


def test_a_letter_is_written_on_while_a_folder_is_looked_at(
    site: Site, alice: Any
) -> None:
    if alice.narrow:
        return
    alice.click("[data-key=c]")
    alice.fill("[name=subject]", "Not done yet")
    open_folder(alice, "Archive")
    alice.locator("h1", has_text="Archive").wait_for()
    assert alice.input_value("[name=subject]") == "Not done yet"
