"""A first visit is light, nothing moves under the eyes, files are asked for once."""

from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in
from tests.browser.site import Site

MOST = 200_000  # octets of the first page and all it needs, as they were sent
SENT = """() => [...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource")]
  .map(({ name, transferSize }) => [name, transferSize])"""
# What moved by itself. https://wicg.github.io/layout-instability/
SHIFTS = """() => new Promise((done) => {
  const found = [];
  const watch = new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries())
      if (!hadRecentInput) found.push(value);
  });
  watch.observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(found.reduce((a, b) => a + b, 0)), 800);
})"""


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_first_visit_is_light_and_still(
    site: Site, chromium: Any, size: tuple[int, int]
) -> None:
    mail = [letter(f"Weight {n}", "Words of it " * 9) for n in range(60)]
    site.put("bob@example.test", *mail, apart=0)
    more: Any = {"service_workers": "block"}
    with logged_in(site, chromium, size, "bob", **more) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.clearBrowserCache")
        page.reload()
        page.wait_for_selector("body[data-connected]")
        sent = page.evaluate(SENT)
        assert len(sent) > 8
        assert sum(octets for _, octets in sent) < MOST, sent
        assert page.evaluate(SHIFTS) < 0.01
        page.reload()
        page.wait_for_selector("body[data-connected]")
        again = dict(page.evaluate(SENT))
        static = {octets for name, octets in again.items() if "/static/" in name}
        assert static == {0}, again


def test_a_letter_opens_still(site: Site, chromium: Any) -> None:
    fields = {"MIME_Version": "1.0", "Content_Type": "text/html; charset=utf-8"}
    site.put("bob@example.test", letter("Still", "<h1>Hi</h1>" * 9, **fields))
    with logged_in(site, chromium, WIDE, "bob") as page:
        page.locator(".row", has_text="Still").first.locator("> a").click()
        page.frame_locator("iframe.html").locator("h1").first.wait_for()
        assert page.evaluate(SHIFTS) < 0.05
