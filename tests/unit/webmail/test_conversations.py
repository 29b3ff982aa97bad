"""Conversations in the list and in the reader."""

import pytest
from django.test import Client

from mailhost.store import flags
from mailhost.webmail import htmlquotes, quoting
from tests.unit.webmail.conftest import Box


def letter(number: int, answers: int | None = None, **more: str) -> bytes:
    """Return message `number`, which answers another."""
    fields = {
        "From": f"Person {number} <p{number}@far.test>",
        "To": "alice@example.test",
    }
    fields |= {"Subject": "Bridge" if answers is None else "Re: Bridge"}
    fields |= {"Message-ID": f"<{number}@far.test>"}
    if answers is not None:
        fields["References"] = f"<{answers}@far.test>"
    text = more.pop("text", f"Words of {number}")
    head = "".join(f"{k}: {v}\r\n" for k, v in (fields | more).items())
    return f"{head}\r\n{text}\r\n".encode()


@pytest.fixture
def thread(box: Box) -> list[int]:
    """Four: two in the INBOX, mine in Sent, one deleted."""
    first = box.put(letter(1), flags=flags.SEEN)
    mine = letter(2, 1, From="Alice <alice@example.test>", text="Mine\r\n> Words of 1")
    box.put(mine, "Sent", flags.SEEN)
    box.put(letter(3, 2), "Trash")
    return [first, box.put(letter(4, 2))]


def rows(shown: str) -> int:
    return shown.count('<li id="row')


def test_a_conversation_is_one_row(box: Box, page: Client, thread: list[int]) -> None:
    shown = page.get(box.url()).content.decode()
    assert rows(shown) == 1
    assert "Person, me, Person" in shown
    assert '<span class="total" title="3 messages">3</span>' in shown
    assert box.url(thread[1]) in shown
    assert box.url(thread[0]) not in shown


def test_the_flat_list_has_each_message(
    box: Box, page: Client, thread: list[int]
) -> None:
    where = f"{box.account_id}.{box.folder()}"
    page.post("/mode/", {"folder": where, "threaded": "0"})
    assert rows(page.get(box.url()).content.decode()) == 2
    assert "Mine" not in page.get(box.url(thread[1])).content.decode()
    page.post("/mode/", {"folder": where, "threaded": "1"})
    assert rows(page.get(box.url()).content.decode()) == 1


def test_the_page_has_all_of_it_but_trash(
    box: Box, page: Client, thread: list[int]
) -> None:
    shown = page.get(box.url(thread[1])).content.decode()
    shown = shown.partition('<article class="conversation"')[2]
    assert shown.index("Words of 1") < shown.index("Mine") < shown.index("Words of 4")
    assert "Words of 3" not in shown
    assert shown.count('<details class="letter') == 3
    # The newest is open, those that were read are folded.
    assert shown.count('class="plain"') == 1
    assert shown.count('hx-trigger="toggle from:closest details once"') == 2


def test_in_trash_its_own_messages_are_shown(
    box: Box, page: Client, thread: list[int]
) -> None:
    (uid,) = box.uids("Trash")
    assert "Words of 3" in page.get(box.url(uid, name="Trash")).content.decode()


def test_a_folded_letter_is_fetched_with_its_quote_folded(
    box: Box, page: Client, thread: list[int]
) -> None:
    (uid,) = box.uids("Sent")
    shown = page.get(box.url(uid, "letter/", name="Sent")).content.decode()
    assert '<details class="quote">' in shown
    assert shown.index("Mine") < shown.index('<details class="quote">')


def test_what_is_done_is_done_to_all_of_it_here(
    box: Box, page: Client, thread: list[int]
) -> None:
    form = {"m": box.where(thread[1]), "threads": "1", "action": "archive"}
    page.post("/do/", form)
    assert box.uids() == []
    assert len(box.uids("Archive")) == 2
    assert len(box.uids("Sent")) == 1


def test_unread_shows_conversations_with_something_unread(
    box: Box, page: Client, thread: list[int]
) -> None:
    box.put(letter(9), flags=flags.SEEN | flags.FLAGGED)
    assert rows(page.get(box.url(more="?show=unread")).content.decode()) == 1
    assert rows(page.get(box.url(more="?show=flagged")).content.decode()) == 1
    assert rows(page.get(box.url()).content.decode()) == 2


def test_a_copy_is_no_message_more(box: Box, page: Client, thread: list[int]) -> None:
    from mailhost.store import change
    from mailhost.store.gate import gate

    gate.write_sync(
        [box.account_id],
        lambda: change.copy(
            box.account_id, box.folder(), thread, box.account_id, box.folder("Archive")
        ),
    )
    assert 'title="3 messages"' in page.get(box.url()).content.decode()


@pytest.mark.engines
def test_questions_do_not_grow_with_the_mail(box: Box, page: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked(path: str) -> int:
        page.get(path)
        with CaptureQueriesContext(connection) as context:
            page.get(path)
        return len(context)

    uid = box.put(letter(1), flags=flags.SEEN)
    few, few_letters = asked(box.url()), asked(box.url(uid))
    for number in range(2, 60):
        box.put(letter(number, number - 1 if number % 2 else None), flags=flags.SEEN)
    assert asked(box.url()) == few
    for number in range(100, 120):
        uid = box.put(letter(number, 1), flags=flags.SEEN)
    assert asked(box.url(uid)) == few_letters
    assert few <= 20
    assert few_letters <= 26


def test_labels_are_keywords(box: Box, page: Client, thread: list[int]) -> None:
    from mailhost.webmail.models import Label

    Label.objects.create(account_id=box.account_id, keyword="work", name="Work", hue=3)
    where = box.where(thread[1])
    page.post("/do/", {"m": where, "action": "label", "label": "work"})
    assert (
        '<span class="tag h3 tinted">Work</span>'
        in page.get(box.url()).content.decode()
    )
    found = page.get("/search/", {"q": "label:work"}).content.decode()
    assert rows(found) == 1
    page.post("/do/", {"m": where, "action": "unlabel", "label": "work"})
    assert "tinted" not in page.get(box.url()).content.decode()


@pytest.mark.parametrize("word", ["a b", "(", '"x"', "", "\\seen", "é", "a" * 101])
def test_a_label_is_an_atom(box: Box, page: Client, word: str) -> None:
    form = {"m": box.where(box.put()), "action": "label", "label": word}
    assert page.post("/do/", form).status_code == 404


@pytest.mark.parametrize(
    ("text", "shown", "quoted"),
    [
        ("Hi\n\nOn Mon, C wrote:\n> a\n> b\n", "Hi\n", "On Mon, C wrote:\n> a\n> b"),
        ("Hi\n> a\nYes\n> b\nNo\n", "Hi\n> a\nYes\n> b\nNo\n", ""),
        ("> all of it\n> quoted", "> all of it\n> quoted", ""),
        ("Hi\n\nOn Mon,\nC wrote:\n> a", "Hi\n", "On Mon,\nC wrote:\n> a"),
        ("no quote", "no quote", ""),
        ("", "", ""),
    ],
)
def test_quotes_at_the_end_are_folded(text: str, shown: str, quoted: str) -> None:
    assert quoting.folded(text) == (shown, quoted)


@pytest.mark.parametrize(
    ("html", "folds"),
    [
        ("<p>Hi</p><blockquote>a<blockquote>b</blockquote></blockquote><br>", 1),
        ("<blockquote>all</blockquote>", 0),
        ("<p>Hi</p><blockquote>a</blockquote><p>No</p>", 0),
        ("<p>x</p><blockquote>a</blockquote><p>y</p><blockquote>b</blockquote>", 1),
        ("<p>x</p><blockquote>a</blockquote> <blockquote>b</blockquote>", 2),
        ("<p>x</p><blockquote>a", 0),
        ("", 0),
    ],
)
def test_quotes_of_html_are_folded(html: str, folds: int) -> None:
    folded = htmlquotes.fold(html)
    assert folded.count("<details") == folded.count("</details>") == folds
    plain = folded.replace(htmlquotes.FOLD, "").replace("</details>", "")
    assert plain == html
