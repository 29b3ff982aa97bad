"""Texts are found alike on both engines, with and without an index."""

from typing import TYPE_CHECKING

import pytest

from mailhost.search.query import And, Not, Or, Query, Where
from mailhost.store import finding, flags
from mailhost.store.documents import contains
from mailhost.store.values import FolderInfo
from tests.transcripts.imap_world import mailbox, message, write
from tests.unit.search import index_all, search_index

if TYPE_CHECKING:
    from accounts.models import User

__all__ = ["search_index"]
pytestmark = [pytest.mark.django_db, pytest.mark.engines]

HTML = (
    b"From: Zo\xc3\xab <zoe@example.test>\r\nSubject: html\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>un<b>broken</b> &quot;word&quot; <script>hidden</script>a&amp;b</p>"
)
NESTED = (
    b"From: out@example.test\r\nSubject: outer\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: =?utf-8?q?G=C3=A4ste?=\r\n\r\ninside\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Description: plan nine\r\n"
    b"Content-Disposition: attachment; filename=budget.xls\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nc2VjcmV0\r\n--b--\r\n"
)


def plain(body: str, subject: str = "", more: str = "") -> bytes:
    head = f"From: Ann <ann@example.test>\r\nTo: al@example.test\r\nSubject: {subject}"
    return (
        f"{head}\r\n{more}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    ).encode()


# UID n is MESSAGES[n - 1].
MESSAGES = [
    plain("Die Straße ist naß.", "Größe"),
    plain("İstanbul und ısı, cafe\u0301 und CAFÉ"),
    plain("会議の資料を確認", "東京"),
    plain("50% of x_y and x%y, back\\slash", "100%_sure"),
    plain("say \"quoted\" and 'single' -- NEAR(a b) AND* ^x +y (z) {c}: d"),
    plain("line one\r\nline two", "folded\r\n subject", "X-Empty:\r\nCc: bo@x.y\r\n"),
    HTML,
    NESTED,
    plain("한글 문서 👍🏽 done"),
    plain("", "", "Reply-To: subject: fake <f@x.test>\r\n"),
]  # fmt: skip

BODY: list[tuple[str, set[int]]] = [
    ("straße", {1}),
    ("STRASSE", set()),
    ("nass", set()),
    ("ß", {1}),
    ("istanbul", set()),
    ("İSTANBUL", {2}),
    ("ISI", {2}),
    ("café", {2}),
    ("CAFE\u0301", {2}),
    ("caf", {2}),
    ("\u0301", {2}),
    ("会", {3}),
    ("会議", {3}),
    ("会議の資", {3}),
    ("議会", set()),
    ("%", {4}),
    ("_", {4}),
    ("x_y", {4}),
    ("x%y", {4}),
    ("50%", {4}),
    ("k\\s", {4}),
    ("\\", {4}),
    ('"quoted"', {5}),
    ('y "q', {5}),
    ("'single'", {5}),
    ("NEAR(a b)", {5}),
    ("AND*", {5}),
    ("^x +y (z) {c}: d", {5}),
    ("one\r\nline", {6}),
    ("one line", set()),
    ("unbroken", {7}),
    ('"word" a&b', {7}),
    ("hidden", set()),
    ("gäste", {8}),
    ("subject: gäste", {8}),
    ("inside", {8}),
    ("budget.xls", {8}),
    ("secret", set()),
    ("plan nine", set()),
    ("한글", {9}),
    ("하", set()),
    ("👍🏽", {9}),
    ("👍", {9}),
    ("line two\x1fx", set()),
    ("", set(range(1, 11))),
]
TEXT: list[tuple[str, set[int]]] = [
    ("plan nine", {8}),
    ("subject: größe", {1}),
    ("folded subject", {6}),
    ("zoë", {7}),
    ("東", {3}),
    ("ann@example", {1, 2, 3, 4, 5, 6, 9, 10}),
    ("content-type: text/html", {7}),
]
FIELD: list[tuple[str, str, set[int]]] = [
    ("SUBJECT", "größe", {1}),
    ("subject", "東京", {3}),
    ("Subject", "%_S", {4}),
    ("Subject", "folded subject", {6}),
    ("Subject", "fake", set()),
    ("Subject", "", set(range(1, 11))),
    ("From", "zoë", {7}),
    ("From", "al@", set()),
    ("To", "AL@", {1, 2, 3, 4, 5, 6, 9, 10}),
    ("To", "bo@", set()),
    ("Cc", "bo@", {6}),
    ("X-Empty", "", {6}),
    ("X-Empty", "a", set()),
    ("X-None", "", set()),
    ("Content-Type", "html", {7}),
    ("Reply-To: subject", "fake", set()),
]
CASES: list[tuple[Query, set[int]]] = [
    *((contains(Where.BODY, needle), uids) for needle, uids in BODY),
    *((contains(Where.TEXT, needle), uids) for needle, uids in TEXT),
    *((contains(Where.FIELD, needle, name), uids) for name, needle, uids in FIELD),
    (And((contains(Where.BODY, "line"), contains(Where.FIELD, "bo", "cc"))), {6}),
    (And((contains(Where.BODY, "und"), Not(contains(Where.BODY, "café")))), set()),
    (Or((contains(Where.BODY, "会議"), contains(Where.BODY, "unbroken"))), {3, 7}),
    (Or((contains(Where.BODY, "会"), contains(Where.TEXT, "inside"))), {3, 8}),
    (Not(contains(Where.TEXT, "ann@example")), {7, 8}),
]


@pytest.fixture
def folder(alice: "User") -> FolderInfo:
    for octets in MESSAGES:
        message(alice, "INBOX", octets)
    return mailbox(alice, "INBOX")


def found(folder: FolderInfo, query: Query) -> set[int]:
    asked = range(1, len(MESSAGES) + 1)
    some = finding.find(folder.account_id, folder.id, asked, query)
    uids = set(some.uids)
    while some.left:
        some = finding.find_among(folder.account_id, folder.id, some.left, query)
        uids |= set(some.uids)
    return uids


def wrong(folder: FolderInfo) -> list[tuple[Query, set[int]]]:
    answers = [(query, found(folder, query)) for query, _ in CASES]
    return [
        answer
        for answer, (_, uids) in zip(answers, CASES, strict=True)
        if answer[1] != uids
    ]


def test_without_an_index(folder: FolderInfo) -> None:
    assert wrong(folder) == []


def test_with_an_empty_index(folder: FolderInfo, search_index: None) -> None:
    assert wrong(folder) == []


def test_by_the_texts_that_are_stored(folder: FolderInfo, search_index: None) -> None:
    index_all()
    assert wrong(folder) == []


@pytest.mark.parametrize("at_once", [1_000, 3])
def test_by_what_the_index_names(
    folder: FolderInfo,
    search_index: None,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    monkeypatch.setattr(finding, "FEW", 0)
    monkeypatch.setattr(finding, "AT_ONCE", at_once)
    index_all()
    assert wrong(folder) == []


def test_what_is_not_indexed_yet_is_read(
    folder: FolderInfo,
    search_index: None,
    alice: "User",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finding, "FEW", 0)
    monkeypatch.setattr(finding, "OCTETS_AT_ONCE", 1)
    index_all()
    for _ in range(3):
        message(alice, "INBOX", plain("zebra crossing"))
    some = finding.find(
        folder.account_id, folder.id, range(1, 14), contains(Where.BODY, "zebra")
    )
    assert (some.uids, list(some.left)) == ([11], [12, 13])
    some = finding.find_among(
        folder.account_id, folder.id, some.left, contains(Where.BODY, "zebra")
    )
    assert (some.uids, list(some.left)) == ([12], [13])


def test_only_messages_that_were_asked_for_are_named(
    folder: FolderInfo, search_index: None, alice: "User", bob: "User",
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(finding, "FEW", 0)
    for user, name in ((alice, "Other"), (bob, "INBOX")):
        for octets in MESSAGES:
            message(user, name, octets)
    index_all()
    query = contains(Where.TEXT, "example.test")
    some = finding.find(folder.account_id, folder.id, [2, 3, 8], query)
    assert some.uids == [2, 3, 8]
    other = finding.find(folder.account_id, mailbox(bob, "INBOX").id, [2], query)
    assert other.uids == []  # not a folder of the account


def test_copies_and_moved_messages_are_found(
    folder: FolderInfo, search_index: None, alice: "User",
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from mailhost.store import change

    monkeypatch.setattr(finding, "FEW", 0)
    index_all()
    other = mailbox(alice, "Other")
    account = folder.account_id
    write([account], change.copy, account, folder.id, [1], account, other.id)
    write([account], change.move, account, folder.id, [3], account, other.id)
    write([account], change.add_flags, account, other.id, [1], flags.SEEN)
    for _ in ("before it is noted", "after"):
        for needle, uids in (("straße", [1]), ("会議の", [2])):
            query = contains(Where.BODY, needle)
            some = finding.find(account, other.id, [1, 2], query)
            assert some.uids == uids
        index_all()
    assert found(folder, contains(Where.BODY, "会議の")) == set()
