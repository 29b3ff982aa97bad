"""What a client that comes back is told. RFC 7162 §3.2.5, §3.2.6."""

from array import array
from typing import TYPE_CHECKING

import pytest

from mailhost.mail.models import FolderState, Tombstone
from mailhost.store import change, history
from mailhost.store.errors import NoSuchFolder
from mailhost.store.view import Generation, views
from protocols.imap.errors import Bad
from protocols.imap.parser import Parser
from protocols.imap.resync import Known, Missed, absent, missed
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User
    from mailhost.store.values import FolderInfo

EMPTY = array("Q")


def known(text: str) -> Known:
    return Known.parse(Parser(b" (" + text.encode() + b")"))


def generation(*uids: int) -> Generation:
    return Generation(
        1, 1, 1, array("Q", uids), array("H"), EMPTY, EMPTY, array("q")
    )  # fmt: skip


# The mailbox of RFC 7162 §3.2.5.2: only UIDs divisible by three.
THIRDS = generation(*range(3, 30_012, 3))


@pytest.mark.parametrize(
    ("pairs", "floor"),
    [
        ("(4 8)", 0),  # the fourth message is 12
        ("(4 12)", 12),
        ("(4,12 12,37)", 12),
        ("(4,5000,12000 12,15000,40000)", 15_000),
        ("(1:3 3:5)", 3),
        ("(1:3 2:4)", 0),
        ("(1:3 1:3)", 0),
        ("(2:4 5:7)", 0),
        ("(3:5 8:10)", 0),
        ("(5000,7500,9000,9990:9992 15000,22500,27000,29970,29973,29976)", 29_976),
        # the second message of the first range meets the first of the second
        ("(1:2 3,6)", 6),
        ("(1,2 5:6)", 6),
        ("(1:4294967295 1:4294967295)", 0),
    ],
)
def test_floor(pairs: str, floor: int) -> None:
    assert known(f"1 1 {pairs}").floor(THIRDS) == floor


def test_floor_of_a_mailbox_without_gaps_is_its_end() -> None:
    now = generation(*range(1, 11))
    assert known("1 1 (1:4294967295 1:4294967295)").floor(now) == 10
    assert known("1 1 (3:8 4:9)").floor(now) == 0
    assert known("1 1 (1 1)").floor(generation()) == 0


@pytest.mark.parametrize(
    "text",
    ["1 1 (1:2 1)", "1 1 (2,1 1,2)", "1 1 (2:1 1:2)", "1 1 (1 1", "1 1 *", "1 1 (* 1)"],
)
def test_parameters_that_are_not_right(text: str) -> None:
    with pytest.raises(Bad):
        known(text)


@pytest.mark.parametrize(
    ("present", "spans", "expected"),
    [
        ([], [(1, 5)], [(1, 5)]),
        ([1, 2, 3, 4], [(1, 5)], []),
        ([2, 4], [(1, 6)], [(1, 2), (3, 4), (5, 6)]),
        ([2, 4], [(2, 3), (5, 9)], [(5, 9)]),
        ([2, 4], [(5, 3)], []),
    ],
)
def test_absent(
    present: list[int], spans: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    assert absent(present, spans) == expected


@pytest.fixture
def box(alice: "User") -> "FolderInfo":
    views.clear()
    return fill(alice, "INBOX", ["1", "3", "4", "6", "9"])


def told(box: "FolderInfo", text: str) -> Missed:
    found: Missed = missed(views.get(box.id), known(f"{box.uid_validity} {text}"))
    return found


def modseq(box: "FolderInfo") -> int:
    return views.get(box.id).modseq


@pytest.mark.engines
def test_it_tells_what_changed_and_left(box: "FolderInfo") -> None:
    before = modseq(box)
    place = (box.account_id, box.id)
    write([box.account_id], change.add_flags, *place, [4, 6], 8)
    write([box.account_id], change.expunge, *place, [4])
    assert told(box, f"{before}") == Missed([(4, 5)], [2])
    assert told(box, f"{before} 1:3,6") == Missed([], [2])
    assert told(box, f"{modseq(box)}") == Missed([], [])
    # with the mod-sequence of its last visit it needs no match data
    assert told(box, f"{before} 1:9 (5 9)") == Missed([(4, 5)], [2])


@pytest.mark.engines
def test_many_changes_cost_one_look_at_the_columns(
    box: "FolderInfo", monkeypatch: pytest.MonkeyPatch
) -> None:
    before = modseq(box)
    write([box.account_id], change.add_flags, box.account_id, box.id, [1, 4, 9], 1)
    assert history.changed_since(box.id, before) == [1, 4, 9]
    monkeypatch.setattr(history, "MOST_CHANGED", 2)
    assert history.changed_since(box.id, before) is None
    assert told(box, f"{before}") == Missed([], [0, 2, 4])


@pytest.mark.engines
def test_expunges_too_long_ago_are_all_that_are_absent(box: "FolderInfo") -> None:
    pruned = modseq(box)
    Tombstone.objects.filter(folder_id=box.id).delete()
    FolderState.objects.filter(folder_id=box.id).update(pruned_modseq=pruned)
    gone = [(2, 3), (5, 6), (7, 9)]
    assert told(box, f"{pruned - 1}").gone == gone
    assert told(box, f"{pruned - 1} 1:4294967295").gone == gone
    assert told(box, f"{pruned - 1} 3:7,8").gone == [(5, 6), (7, 9)]
    # what it knows to be in its place needs no telling
    assert told(box, f"{pruned - 1} 1:9 (1,3 1,4)").gone == [(5, 6), (7, 9)]
    assert told(box, f"{pruned}").gone == []


@pytest.mark.engines
def test_a_folder_that_is_gone(box: "FolderInfo") -> None:
    with pytest.raises(NoSuchFolder):
        history.expunged_since(1_000_000_000, 1)
