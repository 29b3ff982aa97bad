"""Each vector as a letter: opened in Chromium, no script runs, no request leaves."""

import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typing_extensions import override

from tests.browser.people import WIDE, letter, logged_in
from tests.browser.site import Site
from tests.security.vectors import REQUESTS, RUN, SCRIPTS, TEXTS


class Canary(BaseHTTPRequestHandler):
    """Notes who asks."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the base's names

    @override
    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def canary() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


PLACES = """
from accounts.models import Account
from mailhost.store import folders, read
a = Account.objects.get(owner__email='bob@example.test').pk
f = folders.open_folder(a, 'INBOX').id
with open({file!r}, 'w') as places:
    for row in read.page(f, limit=1000):
        places.write(f'{{row.subject}}\\t/mail/{{a}}/{{f}}/{{row.uid}}/\\n')
"""
LOADED = """() => {
  const inner = document.querySelector("iframe.html")?.contentDocument;
  return inner && inner.URL !== "about:blank" && inner.readyState === "complete";
}"""
FOUND = Path(__file__).with_name("found.js").read_text("utf-8")


@pytest.fixture(scope="module")
def letters(site: Site, canary: str, tmp_path_factory: Any) -> dict[str, str]:
    """Each vector as a letter to bob: {name: path}."""
    host = canary.partition("//")[2]
    more = {"MIME_Version": "1.0", "Content_Type": "text/html; charset=utf-8"}
    mail = [
        letter(name, filled.replace("CANARY", canary), **more)
        for name, text in (SCRIPTS | REQUESTS_NAMED).items()
        for filled in [text.replace("CANARYHOST", host)]
    ]
    file = tmp_path_factory.mktemp("places") / "places"
    site.put("bob@example.test", *mail, apart=0)
    site.run(PLACES.format(file=str(file)))
    lines = file.read_text("utf-8").splitlines()
    found = dict(line.split("\t") for line in lines)
    # Other tests' mail may lie there too.
    return {name: found[name] for name in SCRIPTS | REQUESTS_NAMED}


REQUESTS_NAMED = {f"request by {name}": text for name, text in REQUESTS.items()}


@pytest.mark.parametrize("images", ["", "?images=1"], ids=["without", "with"])
def test_nothing_runs_and_nothing_is_asked(
    site: Site, chromium: Any, letters: dict[str, str], images: str
) -> None:
    with logged_in(site, chromium, WIDE, "bob", strict=False) as page:
        outside: list[str] = []
        page.on("request", lambda r: outside.append(r.url))
        page.on("dialog", lambda dialog: outside.append(dialog.message))
        for name, path in letters.items():
            page.goto(site.url + path + images)
            page.wait_for_function(LOADED)
            page.wait_for_load_state("networkidle")
            assert page.evaluate(FOUND) == [], name
            for y in range(200, 780, 40):
                page.mouse.move(760, y)
            assert page.evaluate("top.name") == "", name
            assert f"{name} · " in page.title(), name
            strange = [u for u in outside if not u.startswith((site.url, "data:"))]
            assert strange == [], name
    assert Canary.asked == []


OUTSIDE_FRAME = r"""() => {
  const allowed = /^(class|dir|href|target|rel|title|open)$/;
  const inside = [...document.querySelectorAll(".plain *")];
  const odd = inside.flatMap((one) => [...one.attributes].map(({ name }) => name));
  const links = inside.map((one) => one.getAttribute("href")).filter(Boolean);
  return [
    ...odd.filter((name) => !allowed.test(name)),
    ...links.filter((href) => !/^https?:\/\/[^\s"<>]+$/.test(href)),
    ...inside.map((one) => one.tagName).filter((tag) => /SCRIPT|IMG|SVG/i.test(tag)),
    ...[...document.querySelectorAll("script:not([src])")].map(({ type }) => type)
      .filter((type) => type !== "application/json"),
    ...[...document.querySelectorAll("img")].map((one) => one.src)
      .filter((src) => !src.startsWith(location.origin)),
  ];
}"""


def hostile(text: str) -> bytes:
    """Return a letter with a text in its body and in each field that is shown."""
    line = " ".join(text.split())
    word = "".join(c for c in line if c not in '"<>\\,;:@ ')[:60]
    body = (
        f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\n"
        f'Content-Type: text/plain; name="{word}.txt"\r\n'
        "Content-Disposition: attachment; filename*=UTF-8''"
        f"{urllib.parse.quote(line[:150])}.txt\r\n\r\n{text}\r\n--b--"
    )
    name = line.replace('"', "'")[:300]
    return letter(
        line[:300],
        body,
        To=f'"{name}" <x@far.test>',
        From=f'"{name}" <carl@far.test>',
        Reply_To=f'"{name}" <y@other.test>',
        List_Unsubscribe=f"<javascript:{RUN}>, <https://far.test/?{word}>",
        MIME_Version="1.0",
        Content_Type="multipart/mixed; boundary=b",
    )


def test_what_is_no_html_stays_text(
    site: Site, chromium: Any, canary: str, tmp_path: Path
) -> None:
    mail = [hostile(text.replace("CANARY", canary)) for text in TEXTS.values()]
    site.put("bob@example.test", *mail, apart=0)
    file = tmp_path / "places"
    site.run(PLACES.format(file=str(file)))
    places = file.read_text("utf-8").splitlines()[: len(mail)]  # newest first
    with logged_in(site, chromium, WIDE, "bob", strict=False) as page:
        outside: list[str] = []
        page.on("request", lambda r: outside.append(r.url))
        page.on("dialog", lambda dialog: outside.append(dialog.message))
        for path in [site.url + line.rsplit("\t", 1)[1] for line in places]:
            page.goto(path)
            page.wait_for_selector(".letter[open] .plain")
            for y in range(60, 780, 40):
                page.mouse.move(760, y)
            found = page.evaluate(OUTSIDE_FRAME)
            assert found == [], (path, page.title())
            assert page.evaluate("top.name") == "", page.title()
            strange = [u for u in outside if not u.startswith((site.url, "data:"))]
            assert strange == [], page.title()
    assert Canary.asked == []
