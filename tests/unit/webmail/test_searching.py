"""The search box: its grammar, what its operators find, and how it pages."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from mailhost.store import flags
from mailhost.webmail.searching.grammar import Group, Node, Term, Without, parse
from tests.unit.search import index_all, search_index
from tests.unit.webmail.conftest import Box

__all__ = ["search_index"]
LIST = (
    b"From: News <news@list.test>\r\nTo: crew@list.test\r\nCc: alice@example.test\r\n"
    b"Subject: Weekly digest\r\nList-Id: The crew <crew.list.test>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nThe whole\r\nmenu of today\r\n"
    b"--b\r\nContent-Type: application/pdf; name=Menu.PDF\r\n"
    b"Content-Disposition: attachment; filename=Menu.PDF\r\n\r\nPDF\r\n--b--\r\n"
)
NOTE = (
    b"From: Tom <tom@far.test>\r\nTo: Dora <dora@far.test>\r\nSubject: Note to self\r\n"
    b"\r\nmenu.pdf is not attached\r\n"
)
OLD = b"From: Zo\xc3\xab <zoe@far.test>\r\nSubject: Old times\r\n\r\n" + b"x" * 9000


@pytest.fixture
def mail(box: Box) -> Box:
    """digest (labelled), note (read, flagged), old (last year, in Archive), junk."""
    from mailhost.store import append
    from mailhost.store.content import prepare
    from mailhost.store.gate import gate

    ago = datetime.now(UTC) - timedelta(days=400)
    for octets, name, bits, words, date in (
        (LIST, "INBOX", 0, ("work",), None),
        (NOTE, "INBOX", flags.SEEN | flags.FLAGGED, (), None),
        (OLD, "Archive", flags.ANSWERED, (), ago),
        (NOTE.replace(b"Note", b"Spam"), "Junk", 0, (), None),
    ):
        gate.write_sync(
            [box.account_id],
            append.append,
            *(box.account_id, box.folder(name), prepare(octets), bits, words, date),
        )
    return box


CASES = [
    ("digest", "Weekly"),
    ("menu", "Weekly Note"),
    ('"whole menu"', "Weekly"),
    ("whole OR self", "Weekly Note"),
    ("menu -from:tom", "Weekly"),
    ("(digest OR self) is:unread", "Weekly"),
    ("-(digest OR self)", "Old"),
    ("from:zoë", "Old"),
    ("from:ZOË", "Old"),
    ("to:dora", "Note"),
    ("cc:alice", "Weekly"),
    ("subject:to", "Note"),
    ("tom", "Note"),
    ("to", "Weekly Note"),  # of today, Tom, no recipient for its field's name
    ("subject", ""),
    ("from", ""),
    ("is:unread", "Weekly Old"),
    ("is:read", "Note"),
    ("is:flagged", "Note"),
    ("is:answered", "Old"),
    ("is:nonsense", ""),
    ("has:attachment", "Weekly"),
    ("filename:menu.pdf", "Weekly"),
    ("filename:MENU", "Weekly"),
    ("-filename:menu", "Note Old"),
    ("label:work", "Weekly"),
    ("label:other", ""),
    ("-label:work", "Note Old"),
    ("in:archive", "Old"),
    ("in:junk", "Spam"),
    ("in:spam spam", "Spam"),
    ("in:anywhere menu", "Weekly Note Spam"),
    ("in:nowhere", ""),
    ("older_than:1y", "Old"),
    ("newer_than:1y", "Weekly Note"),
    ("older_than:x", ""),
    ("before:{lastyear}", ""),
    ("after:{lastyear}", "Weekly Note Old"),
    ("after:yesterday", "Weekly Note"),
    ("before:2026/13/45", ""),
    ("larger:8K", "Old"),
    ("smaller:8K", "Weekly Note"),
    ("larger:1g", ""),
    ("list:crew", "Weekly"),
    ("nobody:knows", ""),
    ("from:", "Weekly Note Old"),
    ("is:flagged menu", "Note"),
    ("larger:8k OR has:attachment", "Weekly Old"),
]


def found(page: Client, query: str) -> set[str]:
    shown = page.get("/search/", {"q": query}).content.decode()
    shown = re.sub(r"</?mark>", "", shown)
    return set(re.findall(r'<span class="subject" dir="auto">(\w+)', shown))


@pytest.mark.engines
@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "behind"])
def test_each_operator_finds_its_own(
    mail: Box, page: Client, search_index: None, indexed: Any
) -> None:
    if indexed:
        index_all()
    year = datetime.now(UTC) - timedelta(days=500)
    for query, subjects in CASES:
        asked = query.format(lastyear=f"{year:%Y/%m/%d}")
        assert found(page, asked) == set(subjects.split()), asked


@pytest.mark.engines
def test_hits_go_on_page_by_page(box: Box, page: Client, search_index: None) -> None:
    for number in range(120):
        box.put(NOTE.replace(b"menu", b"menu %d" % number))
    index_all()
    seen: list[str] = []
    path = "/search/?q=menu"
    while path:
        shown = page.get(path, headers={"HX-Request": "true", "HX-Target": "more"})
        text = shown.content.decode()
        seen += re.findall(r'data-m="([\d.]+)"', text)
        more = re.findall(r'hx-get="([^"]*before=[^"]*)"', text)
        path = more[0].replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 120
    assert (
        len(page.get("/search/?q=menu&shown=100").content.decode().split("data-m="))
        > 100
    )


def test_questions_do_not_grow_with_the_hits(
    box: Box, page: Client, search_index: None
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked() -> int:
        with CaptureQueriesContext(connection) as context:
            page.get("/search/?q=menu is:read")
        return len(context)

    box.put(NOTE, flags=flags.SEEN)
    index_all()
    asked()  # the first page of a session looks whether a second factor is due
    few = asked()
    for _ in range(60):
        box.put(NOTE, flags=flags.SEEN)
    index_all()
    assert asked() == few


def test_hits_are_set_off_and_escaped(box: Box, page: Client) -> None:
    box.put(NOTE.replace(b"Note to", b"<b>Note</b> to"))
    shown = page.get("/search/", {"q": "note"}).content.decode()
    assert "&lt;b&gt;<mark>Note</mark>&lt;/b&gt;" in shown


def test_only_what_one_may_read_is_found(
    mail: Box, page: Client, browser_of: Any, bob: Any
) -> None:
    assert found(page, "menu") == {"Weekly", "Note"}
    assert found(browser_of(bob), "menu") == set()


def test_a_search_is_kept_among_the_folders(mail: Box, page: Client) -> None:
    from mailhost.webmail.models import SavedSearch

    page.post("/search/save/", {"q": "from:tom", "name": "Tom's"})
    shown = page.get(mail.url()).content.decode()
    assert "/search/?q=from%3Atom" in shown
    page.post("/search/save/", {"q": "from:tommy", "name": "Tom's"})
    (row,) = SavedSearch.objects.all()
    assert row.query == "from:tommy"
    page.post(f"/search/{row.pk}/forget/")
    assert not SavedSearch.objects.exists()
    assert page.post("/search/save/", {"q": " "}).status_code == 409


@pytest.mark.parametrize(
    ("query", "offers"),
    [
        ("", "from:"),
        ("lunch fr", "lunch from:"),
        ("-sub", "-subject:"),
        ("in:arch", "in:archive"),
        ("is:un", "is:unread"),
        ('from:"a b" has:', "from:&quot;a b&quot; has:attachment"),
        ("label:w", "label:Work"),
    ],
)
def test_the_box_says_what_may_follow(
    box: Box, page: Client, query: str, offers: str
) -> None:
    from mailhost.webmail.models import Label

    Label.objects.create(account_id=box.account_id, keyword="w", name="Work")
    shown = page.get("/search/suggest/", {"q": query}).content.decode()
    assert f'data-query="{offers}' in shown


def shape(node: Node) -> Any:
    match node:
        case Term(field, value):
            return f"{field}:{value}" if field else value
        case Without(part):
            return ("-", shape(part))
        case Group(parts, any_):
            return ("|" if any_ else "&", *map(shape, parts))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("a b", ("&", "a", "b")),
        ("a OR b c", ("&", ("|", "a", "b"), "c")),
        ("a OR b OR c", ("&", ("|", "a", "b", "c"))),
        ("a or b", ("&", "a", "or", "b")),
        ('-from:"C D"', ("&", ("-", "from:C D"))),
        ("-(a b)", ("&", ("-", ("&", "a", "b")))),
        ("(a OR (b c)) d", ("&", ("&", ("|", "a", ("&", "b", "c"))), "d")),
        ('"not closed', ("&", "not closed")),
        (")a(b", ("&", "a", ("&", "b"))),
        ("OR a OR", ("&", "a")),
        ("from:", ("&", "from:")),
        ("re: x", ("&", "re:", "x")),
        ("(", ("&",)),
    ],
)
def test_grammar(query: str, wanted: Any) -> None:
    assert shape(parse(query)) == wanted


@given(st.text(alphabet='ab -()":OR\\ \t%*\0é', max_size=600))
def test_any_text_is_a_query(text: str) -> None:
    from mailhost.webmail.searching import operators

    world = operators.World((), (), datetime(2026, 1, 1, tzinfo=UTC))
    operators.compiled(parse(text), world)


@pytest.mark.parametrize(
    "text", ["(" * 500, "a OR " * 99, '"' * 499, "-" * 500, "a:" * 250]
)
def test_what_is_deep_or_long_is_cut(text: str) -> None:
    parse(text)
