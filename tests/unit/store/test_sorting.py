"""Threads by RFC 5256, and the memory of keys."""

import random
from array import array
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.test.utils import CaptureQueriesContext

from mailhost.store import change
from mailhost.store.sorting import Criterion, keys, order, thread
from mailhost.store.sorting.forest import Forest
from mailhost.store.sorting.references import Links
from mailhost.store.sorting.results import Kept
from mailhost.store.view import Generation, views
from tests.transcripts.imap_world import fill, mailbox, message, write

if TYPE_CHECKING:
    from accounts.models import User


def threaded(
    messages: list[tuple[str, list[str]]],
    subjects: list[tuple[str, bool]] | None = None,
    dates: list[int] | None = None,
) -> str:
    """Thread by REFERENCES; messages are numbered from 1."""
    links = Links([one for one, _ in messages], [refs for _, refs in messages])
    forest = Forest(links.families(), dates or list(range(len(messages))))
    forest.sort()
    if subjects:
        forest.join([s for s, _ in subjects], [r for _, r in subjects])
        forest.sort()
    template, found = forest.written()
    return (template % tuple(n + 1 for n in found)).decode()


Linked = list[tuple[str, list[str]]]
LINKED: dict[str, tuple[Linked, str]] = {
    "a chain": ([("a", []), ("b", ["a"]), ("c", ["a", "b"])], "(1 2 3)"),
    "answers before": ([("c", ["a", "b"]), ("b", ["a"]), ("a", [])], "(3 2 1)"),
    "two answers": ([("a", []), ("b", ["a"]), ("c", ["a"])], "(1 (2)(3))"),
    "a gap": ([("a", []), ("c", ["a", "gone"])], "(1 2)"),
    "an only child of what is missing": ([("b", ["gone"])], "(1)"),
    "siblings without a parent": ([("b", ["x"]), ("c", ["x"])], "((1)(2))"),
    "a missing one in a missing one": (
        [("b", ["x", "y"]), ("c", ["x", "y"]), ("d", ["x"])],
        "((1)(2)(3))",
    ),
    "the same id twice": ([("a", []), ("a", []), ("b", ["a"])], "(1 3)(2)"),
    "no ids": ([("", []), ("", [])], "(1)(2)"),
    "itself": ([("a", ["a"])], "(1)"),
    "a circle": ([("a", ["b"]), ("b", ["a"])], "(2 1)"),
    "a circle of three": (
        [("a", ["c"]), ("b", ["a"]), ("c", ["b"])],
        "(3 1 2)",
    ),
    # What b says of itself goes before what d said of it.
    "a shortened list": (
        [("d", ["a", "b"]), ("a", []), ("b", ["c"]), ("c", ["a"])],
        "(2 4 3 1)",
    ),
    "no references take a parent away": (
        [("c", ["a", "b"]), ("a", []), ("b", [])],
        "(2)(3 1)",
    ),
}


@pytest.mark.parametrize("case", LINKED)
def test_messages_are_linked(case: str) -> None:
    messages, expected = LINKED[case]
    assert threaded(messages) == expected


NO_IDS: Linked = [("", []), ("", []), ("", [])]
JOINED = {
    "a reply under what it answers": ([("S", False), ("S", True)], "(1 2)"),
    "the answered one later": ([("S", True), ("S", False)], "(2 1)"),
    "two replies": ([("S", True), ("S", True)], "((1)(2))"),
    "two that are none": ([("S", False), ("S", False)], "((1)(2))"),
    "three": ([("S", True), ("S", True), ("S", True)], "((1)(2)(3))"),
    "the second is the original": (
        [("S", True), ("S", False), ("S", True)],
        "(2 (1)(3))",
    ),
    "no subject": ([("", False), ("", True)], "(1)(2)"),
}


@pytest.mark.parametrize("case", JOINED)
def test_threads_are_joined_by_subject(case: str) -> None:
    subjects, expected = JOINED[case]
    assert threaded(NO_IDS[: len(subjects)], subjects) == expected


def test_dummies_of_one_subject_become_one() -> None:
    messages = [("a", ["x"]), ("b", ["x"]), ("c", ["y"]), ("d", ["y"]), ("e", [])]
    subjects = [("S", False)] * 5
    assert threaded(messages, subjects) == "((1)(2)(3)(4)(5))"


def test_a_dummy_stands_where_its_first_child_stands() -> None:
    messages = [("a", ["x"]), ("b", ["x"]), ("c", [])]
    assert threaded(messages, dates=[9, 1, 5]) == "((2)(1))(3)"


def test_a_thread_may_be_deep_and_the_work_stays_bounded() -> None:
    count = 20_000
    chain = [(str(n), [str(n - 1)] if n else []) for n in range(count)]
    assert threaded(chain).count(" ") == count - 1
    # Made so that each link asks whether it closes a loop, far from the root.
    hostile = [(f"{n}", [f"{n + 1}"]) for n in range(count)]
    hostile += [(f"x{n}", [f"{n % 7}", f"y{n}"]) for n in range(count)]
    hostile += [(f"y{n}", ["0"]) for n in range(count)]
    links = Links([one for one, _ in hostile], [refs for _, refs in hostile])
    assert sum(map(len, links.families().values())) >= len(hostile)


def test_every_message_is_in_one_thread_once() -> None:
    seed = random.Random(5256)
    for _ in range(300):
        ids = [seed.choice(["", "a", "b", "c", "d", "e", "f"]) for _ in range(9)]
        messages = [(one, seed.choices("abcdefgh", k=seed.randrange(4))) for one in ids]
        subjects = [(seed.choice("ST "), seed.random() < 0.5) for _ in ids]
        dates = [seed.randrange(5) for _ in ids]
        found = threaded(messages, subjects, dates)
        numbers = found.replace("(", " ").replace(")", " ").split()
        assert sorted(map(int, numbers)) == list(range(1, 10)), messages


@pytest.mark.engines
@pytest.mark.django_db
def test_keys_are_read_once(alice: "User") -> None:
    from django.db import connection

    box = fill(alice, "Sorted", ["1", "2", "3"])
    criteria = (Criterion("subject", reverse=True), Criterion("from"))
    now = views.get(box.id)
    assert list(order(now, range(3), criteria)) == [2, 1, 0]
    with CaptureQueriesContext(connection) as queries:
        assert list(order(now, [0, 2], criteria)) == [2, 0]
        assert list(order(now, range(3), (Criterion("to"),))) == [0, 1, 2]
    assert len(queries) == 0
    message(alice, "Sorted", b"Subject: message 25\r\n\r\n")
    now = views.get(box.id)
    with CaptureQueriesContext(connection) as queries:
        assert list(order(now, range(4), criteria)) == [2, 3, 1, 0]
    assert len(queries) == 2  # the subject and the people of what is new


@pytest.mark.engines
@pytest.mark.django_db
def test_a_date_is_the_sent_one_else_the_internal_one(alice: "User") -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for field in (b"Date: Thu, 1 Jan 2026 13:30:00 +0200", b"X: y"):
        message(alice, "Dated", field + b"\r\n\r\n")
    message(alice, "Dated", b"Date: Thu, 1 Jan 2026 12:00:00 GMT\r\n\r\n")
    box = mailbox(alice, "Dated")
    now = views.get(box.id)
    assert now.dates[0] == at.timestamp()
    assert list(order(now, range(3), (Criterion("date"),))) == [0, 1, 2]
    assert list(order(now, range(3), (Criterion("date", reverse=True),))) == [1, 2, 0]


@pytest.mark.django_db
def test_threads_are_remembered_until_the_folder_changes(alice: "User") -> None:
    box = fill(alice, "Threads", ["1", "2"])
    now = views.get(box.id)
    first = thread(now, range(2), "REFERENCES")
    assert thread(now, range(2), "REFERENCES") is first
    assert thread(now, range(2), "REFS") is not first
    message(alice, "Threads", b"In-Reply-To: <1@example.test>\r\n\r\n")
    again = thread(views.get(box.id), range(3), "REFERENCES")
    assert again.template % tuple(n + 1 for n in again.order) == b"(1 3)(2)"


def test_memory_is_bounded(settings: object) -> None:
    settings.MAILHOST_SORT_CACHE_MB = 1  # type: ignore[attr-defined]
    kept: Kept[bytes] = Kept(lambda _key, value: len(value), 0.5)
    for n in range(8):
        kept.put(n, bytes(100_000))
        kept.get(0)
    assert [n for n in range(8) if kept.get(n)] == [0, 4, 5, 6, 7]
    kept.put("huge", bytes(1_000_000))
    assert kept.get("huge") is None
    assert kept.get(7)


@pytest.mark.django_db
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("different", [3, 1_000_000])
def test_large_folders_are_sorted_in_parts(*, reverse: bool, different: int) -> None:
    chance = random.Random(5256)
    count = 30_000
    sizes = array("Q", [chance.randrange(different) for _ in range(count)])
    uids = array("Q", range(1, count + 1))
    now = Generation(1, 1, 1, uids, array("H"), uids, sizes, uids)
    found = order(now, range(count), (Criterion("size", reverse=reverse),))
    assert list(found) == sorted(range(count), key=sizes.__getitem__, reverse=reverse)


@pytest.mark.engines
@pytest.mark.django_db
def test_keys_are_read_in_any_order_and_forgotten_with_the_messages(
    alice: "User",
) -> None:
    box = fill(alice, "Parts", ["1", "2", "3", "4"])
    by_subject = (Criterion("subject", reverse=True),)
    now = views.get(box.id)
    assert list(order(now, [2, 3], by_subject)) == [3, 2]
    assert list(order(now, [0, 2], by_subject)) == [2, 0]
    assert list(order(now, range(4), by_subject)) == [3, 2, 1, 0]
    write([box.account_id], expunge, box.account_id, box.id, [2, 3])
    message(alice, "Parts", b"Subject: message 25\r\n\r\n")
    now = views.get(box.id)
    assert list(order(now, range(3), by_subject)) == [1, 2, 0]
    assert list(keys.columns(now, now.uids, ("subject",))[0]) == [
        "MESSAGE 1",
        "MESSAGE 4",
        "MESSAGE 25",
    ]


@pytest.mark.django_db
def test_a_message_that_goes_meanwhile_has_no_keys(alice: "User") -> None:
    box = fill(alice, "Gone", ["1", "2"])
    now = views.get(box.id)
    write([box.account_id], expunge, box.account_id, box.id, [2])
    assert list(order(now, range(2), (Criterion("subject"),))) == [1, 0]


def expunge(account_id: int, folder_id: int, uids: list[int]) -> None:
    """Expunge as a client does, flagged or not."""
    change.expunge(account_id, folder_id, uids, force=True)
