"""Writing in HTML, drafts that save themselves, files, people, undo: on both widths."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.people import NARROW, WIDE, letter, logged_in, open_folder
from tests.browser.site import Site


@pytest.fixture(params=[WIDE, NARROW], ids=["wide", "narrow"])
def bob(request: Any, site: Site, chromium: Any) -> Iterator[Any]:
    with logged_in(site, chromium, request.param, "bob") as page:
        yield page


@pytest.fixture
def mark(request: Any) -> str:
    return "".join(c for c in request.node.name if c.isalnum())


def write(page: Any, subject: str = "", to: str = "") -> Any:
    page.locator(".bottom a" if page.narrow else ".side .compose").click()
    editor = page.locator(".write[data-ready] .editor")
    editor.wait_for()
    page.fill("#id_to", to)
    page.fill("#id_subject", subject)
    return editor


def test_what_is_written_is_kept_by_itself(site: Site, bob: Any, mark: str) -> None:
    editor = write(bob, mark)
    editor.click()
    bob.keyboard.press("Control+B")
    bob.keyboard.type("Strong words")
    bob.locator(".saved", has_text="Draft saved.").wait_for()
    bob.goto(site.url)
    open_folder(bob, "Drafts")
    bob.locator(".row .subject", has_text=mark).click()
    bob.locator(".editor b", has_text="Strong words").wait_for()


def test_files_go_up_at_once(site: Site, bob: Any, mark: str) -> None:
    write(bob, mark)
    file = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"x" * 5000}
    bob.set_input_files("#id_attached", [file])
    bob.locator(".chip", has_text="plan.txt").locator("input:checked").wait_for()
    assert bob.input_value("#id_draft")


def test_a_picture_is_pasted(site: Site, bob: Any, mark: str) -> None:
    editor = write(bob, mark)
    editor.click()
    bob.evaluate(
        """async () => {
          const canvas = document.createElement("canvas");
          const blob = await new Promise((done) => canvas.toBlob(done));
          const data = new DataTransfer();
          data.items.add(new File([blob], "p.png", { type: "image/png" }));
          document.querySelector(".editor").dispatchEvent(new ClipboardEvent("paste",
            { clipboardData: data, bubbles: true, cancelable: true }));
        }"""
    )
    bob.locator(".editor img[src^='data:image/png']").wait_for()
    bob.locator(".saved", has_text="Draft saved.").wait_for()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_what_is_pasted_does_not_run(
    site: Site, chromium: Any, mark: str, size: tuple[int, int]
) -> None:
    # The browser notes that the policy forbids what is only looked at: not strict.
    with logged_in(site, chromium, size, "bob", strict=False) as bob:
        write(bob, mark).click()
        bob.evaluate(PASTE)
        bob.locator(".editor b", has_text="fine").wait_for()
        assert bob.evaluate("top.name") == ""
        assert (
            bob.locator(".editor [onerror], .editor svg, .editor script").count() == 0
        )


PASTE = """() => {
  const data = new DataTransfer();
  const run = "top.name='owned'";
  data.setData("text/html", `<b>fine</b><img src=x onerror="${run}">`
    + `<script>${run}</script><svg onload="${run}"></svg>`);
  document.querySelector(".editor").dispatchEvent(new ClipboardEvent("paste",
    { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def test_people_are_offered_and_sending_is_called_off(
    site: Site, bob: Any, mark: str
) -> None:
    site.run(
        "from accounts.models import User\nfrom mailhost.webmail import people\n"
        "people.keep(User.objects.get(email='bob@example.test'),"
        " 'alice@example.test', 'Alice Ames')"
    )
    editor = write(bob, mark)
    bob.locator("#id_to").press_sequentially("ames")
    bob.locator(".persons [role=option]", has_text="Alice Ames").wait_for()
    bob.press("#id_to", "Enter")
    assert "alice@example.test" in bob.input_value("#id_to")
    editor.fill("The list is attached")
    asked: list[str] = []

    def dismiss(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    bob.once("dialog", dismiss)
    bob.click("[data-send]")
    assert "no" in asked[0]
    bob.once("dialog", lambda d: d.accept())
    bob.click("[data-send]")
    bob.locator("#notices", has_text="Message sent.").wait_for()
    bob.click("#notices button")
    bob.locator(".write[data-ready] .editor", has_text="The list").wait_for()
    assert bob.input_value("#id_subject") == mark


def test_an_answer_quotes_in_html(site: Site, bob: Any, mark: str) -> None:
    site.put("bob@example.test", letter(mark, "What do you think?"))
    bob.locator(".row .subject", has_text=mark).click()
    bob.locator(".letter .answers a", has_text="Reply").first.click()
    bob.locator(".editor blockquote", has_text="What do you think?").wait_for()
    bob.click("[data-plain]")
    assert "What do you think?" in bob.input_value("#id_text")
