"""The language and the zone of somebody: chosen in the settings, seen at once."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in
from tests.browser.site import Site

# Nobody else's page is to change with it.
ONE = """
from accounts.models import User
from tests.browser.site import PASSWORD
User.objects.filter(email="{name}@example.test").delete()
User.objects.create_user("{name}@example.test", PASSWORD)
"""


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def carla(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    name = f"carla{request.param[0]}"
    site.run(ONE.format(name=name))
    more: dict[str, Any] = {"locale": "fr-CA", "timezone_id": "Asia/Tokyo"}
    with logged_in(site, chromium, request.param, name, **more) as page:
        page.name = f"{name}@example.test"
        yield page


def test_a_first_login_speaks_as_the_browser(carla: Any) -> None:
    page = carla
    assert page.locator("html").get_attribute("lang") == "fr"
    page.wait_for_selector("body:not([data-zone])")
    page.goto(page.url.split("/mail/")[0] + "/settings/")
    page.wait_for_selector("#id_time_zone")
    assert page.input_value("#id_time_zone") == "Asia/Tokyo"
    assert page.input_value("#id_language") == "fr"


def test_language_and_zone_change_the_page_at_once(site: Site, carla: Any) -> None:
    page = carla
    date = {"Date": "Tue, 3 Mar 2026 12:00:00 +0000"}
    site.put(page.name, letter("Noon", **date))
    root = page.url.split("/mail/")[0]
    page.goto(root + "/settings/")
    page.select_option("#id_language", "de")
    page.select_option("#id_time_zone", "America/New_York")
    page.click("#locale .primary")
    page.wait_for_selector("html[lang=de]")
    assert page.input_value("#id_time_zone") == "America/New_York"
    page.goto(root)
    page.locator(".row", has_text="Noon").locator(".subject").click()
    page.locator(".letter .people > summary").click()
    page.locator(".people dd", has_text="3. März 2026 07:00").wait_for()
