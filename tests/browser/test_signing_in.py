"""A passkey in real Chromium: made, and enough to log in."""

from typing import Any

from tests.browser.site import PASSWORD, Site

KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip


# Of her own, since who has a passkey is asked for it from then on.
DORA = f"""
from accounts.models import User
User.objects.create_user("dora@example.test", {PASSWORD!r})
"""


def test_a_passkey_is_made_and_lets_in(site: Site, chromium: Any) -> None:
    site.run(DORA)
    # A passkey belongs to a name, never to an address.
    url = site.url.replace("127.0.0.1", "localhost")
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(30_000)
    chrome = context.new_cdp_session(page)
    chrome.send("WebAuthn.enable")
    chrome.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    page.goto(f"{url}/login/")
    page.fill("#id_login", "dora@example.test")
    page.fill("#id_password", PASSWORD)
    page.click("main .primary")
    page.goto(f"{url}/account/factors/webauthn/add/")
    page.fill("#id_password", PASSWORD)
    page.click("main .primary")
    page.wait_for_url("**/webauthn/add/")
    page.check("#id_passwordless")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/recovery-codes/**")
    context.clear_cookies()
    page.goto(f"{url}/")
    page.click("#passkey_login")
    page.wait_for_url("**/mail/**")
    assert "dora" in page.content()
    context.close()
