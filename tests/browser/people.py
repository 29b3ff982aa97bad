"""What the browser tests share: a person logged in at each width, and mail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.browser.site import PASSWORD, Site

WIDE, NARROW = (1280, 800), (390, 844)


@contextmanager
def logged_in(
    site: Site,
    chromium: Any,
    size: tuple[int, int],
    name: str = "alice",
    *,
    strict: bool = True,
    **more: Any,
) -> Iterator[Any]:
    """Yield a page of somebody, and if `strict` fail on whatever goes wrong in it."""
    width, height = size
    narrow = width < 800
    context = chromium.new_context(
        viewport={"width": width, "height": height}, has_touch=narrow, **more
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.narrow = narrow
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.extend([m.text] * (m.type == "error")))
    page.goto(site.url)
    page.fill("#id_login", f"{name}@example.test")
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("body[data-connected]")
    yield page
    context.close()
    assert not (wrong and strict), wrong


def open_folder(page: Any, title: str) -> None:
    """Go to a folder by the pane."""
    if page.narrow:
        page.click("[data-show=folders]")
    page.click(f"#folders a[title='{title}']")
    page.wait_for_selector("body[data-connected]")


def letter(subject: str, text: str = "Words", **more: str) -> bytes:
    """Return a message; keywords are further fields, _ for -."""
    fields = {"From": "Carl <carl@far.test>", "Subject": subject}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n{text}\r\n".encode()
