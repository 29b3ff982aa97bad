"""NOTIFY over a socket: pushed, shared by sessions, bounded, honest when it fails."""

import asyncio
import functools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from mailhost.store import change, folders, roster
from mailhost.store.gate import gate
from protocols.imap.notify import news
from protocols.imap.notify.events import Event, Group, events_for
from protocols.imap.session import Session
from tests.unit.imap.test_server import Client, World, client, put, world

if TYPE_CHECKING:
    from accounts.models import User

__all__ = ["world"]  # a fixture

MESSAGES = "(MessageNew MessageExpunge FlagChange)"
BOTH = frozenset({Event.MESSAGE_NEW, Event.MESSAGE_EXPUNGE})


async def make(user: "User", *names: str) -> None:
    account = await gate.read(lambda: user.account.pk)
    for name in names:
        await gate.write([account], folders.create_folder, account, name)


async def silent(one: Client) -> None:
    """Check that nothing has been said but the answer to a NOOP."""
    assert await one.do("NOOP") == [b"a OK NOOP completed\r\n"]


@pytest.fixture
async def one(world: World, alice: "User") -> AsyncIterator[Client]:
    async with client(world) as made:
        await made.login()
        yield made


async def test_what_others_do_is_pushed(one: Client, alice: "User") -> None:
    await one.do(f"NOTIFY SET (personal (MailboxName {MESSAGES[1:]})")
    await put(alice)
    assert (await one.line()).startswith(b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 ")
    await make(alice, "Plans")
    assert await one.line() == b'* LIST (\\HasNoChildren) "/" Plans\r\n'
    await one.do(f"NOTIFY SET (selected {MESSAGES})")
    await one.do("SELECT INBOX")
    await put(alice)
    assert await one.line() == b"* 2 EXISTS\r\n"
    assert await one.line() == b"* 2 RECENT\r\n"
    await make(alice, "More")
    await silent(one)


async def test_it_watches_nothing_after_none(
    one: Client, world: World, alice: "User"
) -> None:
    await one.do("NOTIFY SET (personal (MailboxName))")
    protocol = world.protocols[0]
    assert [*protocol._others]
    await one.do("NOTIFY NONE")
    assert not [*protocol._others]
    assert protocol._awaiting is not None
    session = protocol._connection.session
    await one.do("SELECT INBOX")
    await put(alice)
    await silent(one)
    # What it does not want to hear of is no reason to look.
    assert not session.has_news
    assert len(session.view().uids) == 0


async def test_sessions_share_one_roster(world: World, alice: "User") -> None:
    async with client(world) as one, client(world) as two:
        for each in (one, two):
            await each.login()
            await each.do(f"NOTIFY SET (personal {MESSAGES})")
        await put(alice)
        for each in (one, two):
            assert (await each.line()).startswith(b"* STATUS INBOX")
        held = [p._connection.session.notified for p in world.protocols]
        rosters = [told.roster for h in held if h for told in h.told.values()]
        assert len(rosters) == 2
        assert rosters[0] is rosters[1]


async def test_who_does_not_read_hears_it_in_one(
    one: Client, world: World, alice: "User"
) -> None:
    await one.do(f"NOTIFY SET (personal {MESSAGES})")
    protocol = world.protocols[0]
    # As if the client had stopped reading: no step is taken.
    awaiting, protocol._awaiting = protocol._awaiting, None
    for _ in range(30):
        await put(alice)
    await asyncio.sleep(0)
    session = protocol._connection.session
    assert session.notified is not None
    assert len(session.notified.moved) == 1
    protocol._awaiting = awaiting
    protocol._tell_if_idle()
    assert b"(MESSAGES 30 UIDNEXT 31 " in await one.line()
    await silent(one)


async def test_numbers_kept_by_a_command_move_right_after_it(
    one: Client, world: World, alice: "User"
) -> None:
    await put(alice, times=2)
    await one.do("SELECT INBOX")
    await one.do(f"NOTIFY SET (selected {MESSAGES})")
    box = world.protocols[0]._connection.session.view().folder
    protocol = world.protocols[0]
    # The expunge is heard of, and a command is there before it is told.
    awaiting, protocol._awaiting = protocol._awaiting, None
    remove = functools.partial(change.expunge, force=True)
    await gate.write([box.account_id], remove, box.account_id, box.id, [1])
    await asyncio.sleep(0)
    protocol._awaiting = awaiting
    assert await one.do("FETCH 2 UID") == [
        b"* 2 FETCH (UID 2)\r\n",
        b"a OK FETCH completed\r\n",
    ]
    assert await one.line() == b"* 1 EXPUNGE\r\n"


async def test_too_many_mailboxes_are_refused(
    one: Client, alice: "User", settings: Any
) -> None:
    await one.do("NOTIFY SET (personal (MailboxName))")
    settings.IMAP_NOTIFY_MAILBOXES = 6
    await make(alice, "Seventh")
    assert await one.line() == b"* OK [NOTIFICATIONOVERFLOW] Too many mailboxes\r\n"
    await make(alice, "Eighth")
    await silent(one)
    answer = await one.do("NOTIFY SET STATUS (personal (MailboxName))")
    assert answer == [b"a NO [NOTIFICATIONOVERFLOW] Too many mailboxes\r\n"]
    answer = await one.do(f"NOTIFY SET (selected {MESSAGES})")
    assert answer == [b"a OK NOTIFY completed\r\n"]


async def test_a_refused_notify_leaves_the_former(
    one: Client, alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.do("NOTIFY SET (personal (MailboxName))")
    answer = await one.do("NOTIFY SET (personal (Other))")
    assert answer[-1].startswith(b"a NO [BADEVENT")

    refusals = [news.Overflow("Too many mailboxes")]

    def once(_: Any) -> None:
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr(news, "check_size", once)
    answer = await one.do(f"NOTIFY SET (personal {MESSAGES})")
    assert answer[-1].startswith(b"a NO [NOTIFICATIONOVERFLOW]")
    await make(alice, "Plans")
    assert await one.line() == b'* LIST (\\HasNoChildren) "/" Plans\r\n'


@pytest.mark.parametrize("where", ["between", "idle"])
async def test_a_failure_is_told_and_ends_it(
    one: Client, alice: "User", monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    await one.do("NOTIFY SET (personal (MailboxName))")
    if where == "idle":
        one.writer.write(b"a IDLE\r\n")
        assert await one.line() == b"+ idling\r\n"

    def broken(*_: Any) -> Any:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(news, "_look", broken)
    await make(alice, "Plans")
    assert await one.line() == b"* OK [NOTIFICATIONOVERFLOW] Internal error\r\n"
    if where == "idle":
        one.writer.write(b"DONE\r\n")
        assert await one.line() == b"a OK IDLE completed\r\n"
    await make(alice, "More")
    await silent(one)


async def test_a_change_while_a_command_is_half_sent(
    one: Client, alice: "User"
) -> None:
    await one.do("NOTIFY SET (personal (MailboxName))")
    one.writer.write(b"b STATUS INB")
    await make(alice, "Plans")
    assert await one.line() == b'* LIST (\\HasNoChildren) "/" Plans\r\n'
    one.writer.write(b"OX (MESSAGES)\r\n")
    assert await one.line() == b"* STATUS INBOX (MESSAGES 0)\r\n"
    assert await one.line() == b"b OK STATUS completed\r\n"


async def test_ones_own_and_anothers_at_once(one: Client, alice: "User") -> None:
    """What a client did hides nothing of what was done beside it."""
    await one.do(f"NOTIFY SET (personal {MESSAGES})")
    account = await gate.read(lambda: alice.account.pk)
    box = await gate.read(folders.open_folder, account, "INBOX")
    await put(alice)
    assert b"(MESSAGES 1 " in await one.line()

    real = folders.open_folder

    def flagged_first(*args: Any) -> Any:
        change.add_flags(account, box.id, [1], 1)
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "open_folder", flagged_first)
        answer = await one.do("APPEND INBOX {6+}\r\nA: b\r\n")
    assert answer[0].startswith(b"* STATUS INBOX (MESSAGES 2 ")
    answer = await one.do("APPEND INBOX {6+}\r\nA: b\r\n")
    assert answer[0].startswith(b"a OK")


async def test_what_happens_while_it_begins_is_told(
    one: Client, alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the reading of the folders, and before the answer."""
    real, account = roster.Rosters.get, await gate.read(lambda: alice.account.pk)
    made: list[str] = []

    def slow(self: Any, account_id: int) -> Any:
        found = real(self, account_id)
        if not made:
            made.append("Plans")
            gate.write_sync([account], folders.create_folder, account, "Plans")
        return found

    monkeypatch.setattr(roster, "BRIEF_FOLDERS", 2)  # in a thread, which may write
    monkeypatch.setattr(roster.Rosters, "get", slow)
    one.writer.write(b"a NOTIFY SET (personal (MailboxName))\r\n")
    said = {await one.line(), await one.line()}
    assert said == {
        b'* LIST (\\HasNoChildren) "/" Plans\r\n', b"a OK NOTIFY completed\r\n",
    }  # fmt: skip


async def test_a_large_account_is_read_in_a_thread(
    one: Client, alice: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "BRIEF_FOLDERS", 2)
    await one.do(f"NOTIFY SET STATUS (personal {MESSAGES})")
    await put(alice)
    assert (await one.line()).startswith(b"* STATUS INBOX (MESSAGES 1 ")


def test_a_session_without_notify_has_no_more_to_look_for() -> None:
    session = Session()
    assert session.notified is None
    assert not session.has_news
    assert not session.has_moved


@pytest.mark.parametrize(
    ("kind", "names", "name", "takes"),
    [
        ("SUBTREE", {"a"}, "a", True),
        ("SUBTREE", {"a"}, "a/b/c", True),
        ("SUBTREE", {"a"}, "ab", False),
        ("SUBTREE", {"a/b"}, "a", False),
        ("MAILBOXES", {"a", "b"}, "b", True),
        ("MAILBOXES", {"a%"}, "ab", False),
        ("MAILBOXES", {"a"}, "a/b", False),
        ("SUBSCRIBED", set(), "s", True),
        ("SUBSCRIBED", set(), "a", False),
        ("PERSONAL", set(), "a", True),
        ("INBOXES", set(), "a", True),
        ("PERSONAL", set(), "Shared/x/a", False),
    ],
)
def test_which_mailboxes(kind: str, names: set[str], name: str, *, takes: bool) -> None:
    group = Group(kind, frozenset(names), BOTH)
    is_own = not name.startswith("Shared/")
    assert group.takes(name, {"s"}, is_own=is_own) is takes


def test_groups_add_up_and_none_leaves_out() -> None:
    flags = frozenset({Event.SUBSCRIPTION_CHANGE})
    groups = [
        Group("PERSONAL", frozenset(), BOTH),
        Group("MAILBOXES", frozenset({"a"}), flags),
        Group("SUBTREE", frozenset({"b"}), frozenset()),
    ]
    assert events_for(groups, "a", (), is_own=True) == BOTH | flags
    assert events_for(groups, "b/c", (), is_own=True) == frozenset()
    assert events_for(groups, "x", (), is_own=False) == frozenset()
