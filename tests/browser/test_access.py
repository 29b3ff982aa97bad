"""axe looks at every page, menu and dialog: both widths, light and dark."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in, open_folder
from tests.browser.site import Site

HTML = {"MIME_Version": "1.0", "Content_Type": "text/html; charset=utf-8"}
MIXED = {"MIME_Version": "1.0", "Content_Type": "multipart/mixed; boundary=b"}
FILES = (
    "--b\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n"
    "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment;"
    " filename=notes.txt\r\n\r\nNotes\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;"
    " filename=a.pdf\r\n\r\n%PDF\r\n--b--"
)
LETTERS = (
    letter(
        "Plain", "Hello\r\n\r\nCarl wrote:\r\n> before\r\n", To="alice@example.test"
    ),
    letter("Html", "<h1>Hi</h1><img src='https://far.test/a.png'>", **HTML),
    letter("Files", FILES, **MIXED),
    letter("Talk", Message_ID="<t1@far.test>"),
    letter("Re: Talk", "Yes", References="<t1@far.test>"),
    letter("", "A letter without a subject", From="شركة <a@far.test>"),
    letter(
        "Leave", List_Unsubscribe="<https://far.test/u>", From="<x@xn--far-xka.test>"
    ),
)
MORE = """
from accounts.models import Account
from mailhost.webmail.models import Contact, Label, SavedSearch
a = Account.objects.get(owner__email='alice@example.test')
for hue, name in enumerate(('Work', 'Home', 'Travel', 'Money')):
    Label.objects.get_or_create(
        account=a, keyword=name.lower(), defaults={'name': name, 'hue': hue * 3}
    )
SavedSearch.objects.get_or_create(user=a.owner, name='Unread', query='is:unread')
Contact.objects.get_or_create(user=a.owner, address='dora@far.test', name='Dora')
"""
AXE = {
    "iframes": False,  # a stranger's letter is as it is
    "resultTypes": ["violations"],
    "runOnly": [
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22aa",
        "best-practice",
    ],
}
FOUND = """(options) => axe.run(document, options).then((told) =>
  told.violations.flatMap((one) => one.nodes.map((node) =>
    [one.impact, one.id, node.target, node.html.slice(0, 120), node.failureSummary]
      .join(" "))))"""


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    site.put("alice@example.test", *LETTERS, apart=0)
    site.run(MORE)
    return site


@pytest.fixture(
    params=[
        pytest.param((WIDE, "light"), id="wide light"),
        pytest.param((NARROW, "dark"), id="narrow dark"),
        pytest.param((WIDE, "dark"), id="wide dark", marks=pytest.mark.soak),
        pytest.param((NARROW, "light"), id="narrow light", marks=pytest.mark.soak),
    ]
)
def alice(request: Any, filled: Site, chromium: Any) -> Iterator[Any]:
    size, scheme = request.param
    # Nothing moves: colours are measured as they stay.
    still = {"color_scheme": scheme, "reduced_motion": "reduce"}
    with logged_in(filled, chromium, size, **still) as page:
        yield page


def axe() -> str:
    from importlib.resources import files

    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def wrong(page: Any) -> list[str]:
    """Return what axe finds in the page as it is."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    return [str(one) for one in page.evaluate(FOUND, AXE)]


def told(found: dict[str, list[str]]) -> str:
    """Return each finding once, with where it was first seen."""
    first: dict[str, str] = {}
    for place, those in found.items():
        for one in those:
            first.setdefault(one, place)
    return "\n\n".join(f"[{place}] {one}" for one, place in first.items())


def plain_urls() -> list[str]:
    """Return every page that needs no object: the webmail's and the account's."""
    from django.urls import get_resolver

    found = []

    def walk(patterns: Any, before: str) -> None:
        for one in patterns:
            path = before + str(one.pattern)
            if hasattr(one, "url_patterns"):
                walk(one.url_patterns, path)
            elif "<" not in path and "^" not in path and "(" not in path:
                found.append(f"/{path}")

    walk(get_resolver().url_patterns, "")
    return sorted({one for one in found if not one.startswith("/admin")})


def test_axe_finds_nothing_on_the_pages(site: Site, alice: Any) -> None:
    found = {}
    looked = 0
    for path in plain_urls():
        answer = alice.request.get(site.url + path, headers={"Accept": "text/html"})
        kind = answer.headers.get("content-type", "")
        if answer.status != 200 or "html" not in kind or "<html" not in answer.text():
            continue
        if "logout" in answer.url or "attachment" in str(answer.headers):
            continue
        alice.goto(site.url + path)
        looked += 1
        found[path] = wrong(alice)
    assert looked >= 8
    text = told(found)
    assert not text, text


def opened(subject: str) -> Callable[[Any], None]:
    def go(page: Any) -> None:
        row = page.locator(f".row:has(.subject:text-is('{subject}'))")
        row.locator(".subject").first.click()
        page.wait_for_selector(".conversation .answers")

    return go


def in_turn(*steps: Callable[[Any], None]) -> Callable[[Any], None]:
    def go(page: Any) -> None:
        for step in steps:
            step(page)

    return go


def clicked(selector: str, then: str) -> Callable[[Any], None]:
    def go(page: Any) -> None:
        page.locator(selector).first.click()
        page.wait_for_selector(then)

    return go


def picked(page: Any) -> None:
    page.locator(".row input[name=m]").first.check(force=True)
    page.wait_for_selector("#bulk.picking .heading .tools")


def asked(text: str) -> Callable[[Any], None]:
    def go(page: Any) -> None:
        page.fill("#q", text)
        page.press("#q", "Enter")
        page.wait_for_selector("h1:has-text('Search')")

    return go


def offered(page: Any) -> None:
    page.fill("#q", "Pl su")
    page.wait_for_selector("#suggestions [role=option]")


def keys(page: Any) -> None:
    page.press("body", "?")
    page.wait_for_selector("#keys[open]")


def folders(page: Any) -> None:
    if page.narrow:
        page.click("[data-show=folders]")


SCENES: dict[str, Callable[[Any], None]] = {
    "list": lambda _: None,
    "folders": folders,
    "empty folder": lambda page: open_folder(page, "Archive"),
    "selected": picked,
    "selected, menu": in_turn(
        picked, clicked(".heading .menu summary", ".menu[open] > .sheet")
    ),
    "text": opened("Plain"),
    "html": opened("Html"),
    "files": opened("Files"),
    "preview": in_turn(opened("Files"), clicked(".files .see", "#preview[open] pre")),
    "conversation": opened("Re: Talk"),
    "no subject": opened("(no subject)"),
    "menu": in_turn(
        opened("Leave"),
        clicked(".conversation .bar .menu summary", ".menu[open] > .sheet"),
    ),
    "more": in_turn(
        opened("Leave"),
        clicked(".conversation .menu:not(.snooze) summary", ".menu[open] > .sheet"),
    ),
    "selected, more": in_turn(
        picked,
        clicked(".heading .menu:not(.snooze) summary", ".menu[open] > .sheet"),
    ),
    "palette": lambda page: page.keyboard.press("Control+k"),
    "menu of a letter": in_turn(
        opened("Leave"), clicked(".answers summary", ".menu[open] > .sheet")
    ),
    "people": in_turn(opened("Plain"), clicked(".people summary", ".people[open]")),
    "reply": in_turn(opened("Plain"), clicked("[data-key=r]", ".write .editor")),
    "found": asked("from:carl"),
    "nothing found": asked("nothing-like-this"),
    "suggestions": offered,
    "keyboard": keys,
}


def test_axe_finds_nothing_in_what_opens(site: Site, alice: Any) -> None:
    found = {}
    for name, go in SCENES.items():
        alice.goto(site.url)
        alice.wait_for_selector("body[data-connected]")
        go(alice)
        found[name] = wrong(alice)
    text = told(found)
    assert not text, text
