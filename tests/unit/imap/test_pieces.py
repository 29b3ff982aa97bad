"""What is told of many messages comes in pieces, between which others have a turn."""

from array import array
from dataclasses import replace
from typing import Any

from accounts.auth import Login
from mailhost.store.values import FlagResult, FolderInfo
from mailhost.store.view import Generation
from protocols.imap.commands.store import Store
from protocols.imap.effects import Write
from protocols.imap.selected import select
from protocols.imap.sequence import SequenceSet
from protocols.imap.session import Session
from protocols.imap.sync import ROWS, tell_changes

COUNT = 3 * ROWS + 1
ALL = SequenceSet(((1, None),))


def session_of(count: int) -> Session:
    """Return a session that has selected a folder of so many messages."""
    uids, ones = array("Q", range(1, count + 1)), array("Q", [1] * count)
    flags, dates = array("H", [1] * count), array("q", [1] * count)
    known = dict.fromkeys(FolderInfo.__slots__, 0)
    folder = FolderInfo(**{**known, "rights": "lrswite"})  # type: ignore[arg-type]
    now = Generation(1, 0, 1, uids, flags, ones, ones, dates)
    session = Session(login=Login(1, 0, "alice@example.test"))
    session.selected = select(folder, now, read_only=False, recent_from=count + 1)
    return session


def lines(pieces: list[Any]) -> list[int]:
    return [piece.count(b" FETCH ") for piece in pieces]


def test_a_store_of_many() -> None:
    steps = Store(ALL, "+", silent=False, flags=1, keywords=()).run(session_of(COUNT))
    assert isinstance(next(steps), Write)
    pieces = [steps.send(FlagResult((), (), 0)), *steps]
    assert lines(pieces) == [ROWS, ROWS, ROWS, 1]


def test_changes_of_many_by_others() -> None:
    session = session_of(COUNT)
    selected = session.view()
    modseqs = array("Q", [2] * COUNT)
    selected.update(replace(selected.now, modseq=2, modseqs=modseqs))
    assert lines(list(tell_changes(session, expunges=True))) == [ROWS, ROWS, ROWS, 1]


def test_changes_of_many_by_itself() -> None:
    session = session_of(COUNT)
    selected = session.view()
    modseqs = array("Q", [2] * COUNT)
    selected.update(replace(selected.now, modseq=2, modseqs=modseqs))
    selected.own = dict.fromkeys(range(1, COUNT), 2)  # all but the last
    pieces = list(tell_changes(session, expunges=True))
    assert lines(pieces) == [0, 0, 0, 1]
    assert not selected.own
