"""FETCH asks the store seldom, and remembers what was asked before."""

from array import array
from typing import Any

import pytest

from mailhost.store.values import FolderInfo
from mailhost.store.view import Generation
from protocols.imap.commands.fetch import Fetch
from protocols.imap.effects import Read
from protocols.imap.errors import Bad
from protocols.imap.fetching.telling import ROWS
from protocols.imap.parser import Parser
from protocols.imap.selected import select
from protocols.imap.session import Session

FOLDER = FolderInfo(
    id=1, account_id=1, name="INBOX", role="", uid_validity=1, uid_next=10_000,
    mailbox_id="a", modseq=1, messages=0, unseen=0, deleted=0, bytes=0,
    recent_uid=10_000, subscribed=True, rights="lrs",
)  # fmt: skip
HEADER = "(UID BODY.PEEK[HEADER])"


def session(messages: int) -> Session:
    now = Generation(
        1, 1, 1, array("Q", range(1, messages + 1)), array("H", [0]) * messages,
        array("Q", [1]) * messages, array("Q", [500]) * messages,
        array("q", [0]) * messages,
    )  # fmt: skip
    made = Session(login=None)
    made.selected = select(FOLDER, now, read_only=True, recent_from=10_000)
    return made


def parsed(text: str) -> Fetch:
    return Fetch.parse_uid(Parser(f" {text}\r\n".encode()))


def reads(text: str, messages: int) -> list[Any]:
    """Return the batches that are asked for; nothing is found."""
    asked = []
    steps = parsed(text).run(session(messages))
    try:
        step = next(steps)
        while True:
            if isinstance(step, Read):
                asked.append(step.args[0])
                step.args[0].keep([])
                step = steps.send(step.args[0])
            else:
                step = next(steps)
    except StopIteration:
        return asked


def test_uids_apart_are_read_together() -> None:
    apart = ",".join(str(uid) for uid in range(1, 2_000, 2))
    batches = reads(f"{apart} {HEADER}", 2_000)
    assert len(batches) == -(-1_000 // ROWS)


def test_a_few_messages_may_be_read_on_the_loop_and_many_not() -> None:
    def first(text: str) -> bool:
        step = next(parsed(text).run(session(2_000)))
        assert isinstance(step, Read)
        return step.brief

    assert first(f"1:25 {HEADER}")
    assert not first(f"1:300 {HEADER}")
    assert not first("1:25 (EMAILID)")


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("1 (UID", 7),
        ("1 (UID FLAGS) x", 14),
        ("1,2 BODY[TEXT x", 14),
        ("1 FLAGS (", 10),
    ],
)
def test_an_error_names_where_it_stands(text: str, offset: int) -> None:
    with pytest.raises(Bad) as told:
        parsed(text)
    assert f"octet {offset}" in str(told.value)


def test_the_same_items_are_worked_out_once() -> None:
    assert parsed(f"1 {HEADER}").asked is parsed(f"2:9 {HEADER}").asked
    by_number = Fetch.parse(Parser(f" 1 {HEADER}\r\n".encode()))
    assert by_number.asked is not parsed(f"1 {HEADER}").asked
