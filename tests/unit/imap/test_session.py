"""What a session takes for news."""

from array import array
from types import SimpleNamespace
from typing import Any, cast

import pytest

from protocols.imap.session import Session


@pytest.fixture
def session() -> Session:
    made = Session()
    folder = SimpleNamespace(account_id=1)
    made.selected = cast("Any", SimpleNamespace(folder=folder, uids=array("Q")))
    made.heard = made.synced = 10
    return made


def test_a_write_to_another_account_hides_no_later_change(session: Session) -> None:
    session.changed(2, 1_000)
    assert not session.stale
    session.mark(11)
    assert session.stale


def test_a_write_to_its_own_account_is_news(session: Session) -> None:
    session.changed(1, 11)
    assert session.stale


def test_it_looks_again_whatever_was_heard(session: Session) -> None:
    session.look_again()
    assert session.stale
