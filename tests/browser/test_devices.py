"""A password for a device in real Chromium, by who has to show theirs first."""

import plistlib
from pathlib import Path
from typing import Any

from tests.browser.people import WIDE, logged_in
from tests.browser.site import PASSWORD, Site

# Everybody's session is an hour old.
AGE = """
from django.contrib.sessions.models import Session
for row in Session.objects.all():
    data = row.get_decoded()
    for record in data.get("account_authentication_methods", []):
        record["at"] -= 3600
    row.session_data = Session.objects.encode(data)
    row.save()
"""


def test_a_device_is_made_after_the_password(site: Site, chromium: Any) -> None:
    with logged_in(site, chromium, WIDE) as page:
        site.run(AGE)
        page.goto(f"{site.url}/settings/")
        page.fill("form[action$='/devices/'] input[name=name]", "Telephone")
        page.click("form[action$='/devices/'] button")
        page.wait_for_url("**/account/again/**")
        page.fill("#id_password", PASSWORD)
        page.click("main .primary")
        page.wait_for_selector(".once code")
        assert len(page.inner_text(".once code")) > 26
        assert "Telephone" in page.inner_text("section[aria-labelledby=s-devices]")
        with page.expect_download() as started:
            page.click("form[action$='/profile/'] button")
        profile = plistlib.loads(Path(started.value.path()).read_bytes())
        assert profile["PayloadContent"][0]["EmailAddress"] == "alice@example.test"
