"""Quotes of Outlook folded, flowed quotes, hits set off in the opened letter."""

import re

import pytest
from django.test import Client

from mailhost.mime.flowed import flow
from mailhost.webmail import hits, htmlquotes, outlook, quoting
from mailhost.webmail.texts import ATTACHMENT
from tests.unit.webmail.conftest import PLAIN, Box

ENGLISH = "From: Carl <c@far.test>\nSent: Monday\nTo: Alice\nSubject: Lunch"
GERMAN = "Von: Carl\nGesendet: Montag\nAn: Alice\nCc: Bob\nBetreff: Essen"
FRENCH = "De : Carl\nEnvoyé : lundi\nÀ : Alice\nObjet : Repas"
BOLD = "*From:* Carl\n*Date:* Monday\n*To:* Alice\n*Subject:* Lunch"


@pytest.mark.parametrize("head", [ENGLISH, GERMAN, FRENCH, BOLD])
@pytest.mark.parametrize(
    "rule", ["", "________________________________\n", "-----Original Message-----\n"]
)
def test_a_header_in_the_text_begins_a_quote(head: str, rule: str) -> None:
    shown, quoted = quoting.folded(f"Yes, gladly.\n\n{rule}{head}\n\nShall we?")
    assert shown.strip() == "Yes, gladly."
    assert quoted.startswith(rule or head[:3])
    assert quoted.endswith("Shall we?")


@pytest.mark.parametrize(
    "text",
    [
        f"{ENGLISH}\n\nnothing of one's own",
        "From: here\nto there it is far\nand on",
        "Dear all\nFrom: 10:00\nTo: 12:00\nlunch",
        ">" * 3,
    ],
)
def test_what_is_no_such_quote_is_left(text: str) -> None:
    assert quoting.folded(text) == (text, "")


OWN = "<p>Yes, gladly.</p>"
HEAD = (
    "<p><b>From:</b> Carl<br><b>Sent:</b> Monday<br>"
    "<b>To:</b> Alice<br><b>Subject:</b> Lunch</p>"
)


@pytest.mark.parametrize(
    "html",
    [
        f"<div>{OWN}<div>{HEAD}</div><p>Shall we?</p></div>",
        f"<div>{OWN}<div><div>{HEAD}</div></div></div><p>Shall we?</p>",
        f"{OWN}<hr>{HEAD}<p>Shall we?</p>",
        f"{OWN}<table><tbody><tr><td>{HEAD}Shall we?</td></tr></tbody></table>",
    ],
)
def test_a_header_in_html_begins_a_quote(html: str) -> None:
    folded = htmlquotes.fold(html)
    open_ = re.sub(r"<details.*?</details>", "", folded, flags=re.DOTALL)
    assert "Yes, gladly." in open_
    assert "Shall we?" not in open_
    assert "Sent:" not in open_
    assert re.sub(r"</?details[^>]*>|<summary>.*?</summary>", "", folded) == html
    assert balanced(folded)


def balanced(html: str) -> bool:
    opened: list[str] = []
    for end, name in re.findall(r"<(/?)(\w+)", html):
        if name in {"br", "hr"}:
            continue
        if not end:
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return not opened


def test_much_html_without_lines_takes_no_time() -> None:
    html = "<b>a</b> " * 200_000
    assert htmlquotes.fold(html) == html


def test_html_that_is_a_header_alone_is_left() -> None:
    html = f"<div>{HEAD}<p>Shall we?</p></div>"
    assert htmlquotes.fold(html) == html
    assert outlook.spans("<p>Nothing</p>") == []


def test_quotes_are_flowed_at_their_depth() -> None:
    long = "word " * 40
    text = f"> {long}\n>> {long}\n>\n> end"
    flowed = flow(text)
    assert all(len(line) <= 78 for line in flowed.split("\r\n"))
    back = quoting.unflow(flowed.replace("\r\n", "\n")).rstrip("\n")
    assert back.split("\n") == [
        f"> {long.strip()}",
        f">> {long.strip()}",
        "> ",
        "> end",
    ]


def test_hits_are_set_off_in_texts_alone() -> None:
    html = '<a href="lunch">Lunch &lunch; &amp; a lunch</a>'
    found = hits.mark(html, ["lunch", "amp"])
    assert found == (
        '<a href="lunch"><mark>Lunch</mark> &lunch; &amp; a <mark>lunch</mark></a>'
    )
    assert hits.mark(html, []) == hits.mark(html, [" "]) == html
    assert hits.mark("a &lt;b", ["<b"]) == "a &lt;b"


def test_the_opened_letter_shows_what_was_found(box: Box, page: Client) -> None:
    html = PLAIN.replace(b"Date:", b"Content-Type: text/html\r\nDate:")
    uid, other = box.put(), box.put(html.replace(b"<lunch@", b"<two@"))
    listed = page.get("/search/?q=shall").content.decode()
    assert f'href="{box.url(uid)}?q=shall"' in listed
    shown = page.get(box.url(uid, "letter/?q=shall")).content.decode()
    assert "<mark>Shall</mark> we?" in shown
    frame = page.get(box.url(other, "letter/?q=shall")).content.decode()
    assert "html/1/?q=shall" in frame
    inside = page.get(box.url(other, "html/1/?q=shall")).content.decode()
    assert "<mark>Shall</mark>" in inside
    evil = page.get(box.url(other, "html/1/?q=%3Cscript%3E")).content.decode()
    assert "<script" not in evil


@pytest.mark.parametrize(
    "text",
    ["See the attached list", "Im Anhang", "Te adjunto", "en pièce jointe",
     "in allegato", "In de bijlage", "في المرفق"],
)  # fmt: skip
def test_an_attachment_is_spoken_of_in_every_language(text: str) -> None:
    assert re.search(ATTACHMENT, text, re.IGNORECASE)
