"""The table of RFC 4314 §4: each command with the right alone, and with all but it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mailhost.store import acl, folders
from mailhost.store.rights import ALL
from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User

BOX = "Shared/alice@example.test/Box"
Grant = Callable[[str], Player]


@pytest.fixture
def grant(alice: "User", bob: "User") -> Grant:
    """Make bob's connection, who holds these rights on alice's Box."""
    fill(alice, "Box", ["1d", "2"])
    account = alice.account.pk
    box = folders.open_folder(account, "Box").id

    def give(letters: str) -> Player:
        subject = acl.subject(alice.pk, box, bob.email)
        write([account], acl.change_rights, account, box, subject, "", letters)
        player = Player(Connection(session()), write)
        player.hear(f'x LOGIN bob@example.test "{PASSWORD}"\r\n'.encode())
        player.unread.clear()
        return player

    return give


def result(player: Player, command: str) -> str:
    """Return the tagged line."""
    player.unread.clear()
    player.hear(f"t {command.replace('BOX', BOX)}\r\n".encode())
    return player.unread[-1]


AUTHENTICATED = [
    ("SUBSCRIBE BOX", "l"),
    ("CREATE BOX/below", "k"),
    ("DELETE BOX", "x"),
    ("RENAME BOX BOX2", "x"),
    ("SELECT BOX", "r"),
    ("EXAMINE BOX", "r"),
    ("STATUS BOX (MESSAGES)", "r"),
    ("SETACL BOX bob@example.test lra", "a"),
    ("DELETEACL BOX bob@example.test", "a"),
    ("GETACL BOX", "a"),
    ("LISTRIGHTS BOX bob@example.test", "a"),
    ("APPEND BOX {1+}\r\nx", "i"),
]


@pytest.mark.parametrize(("command", "right"), AUTHENTICATED)
def test_the_right_alone_does(grant: Grant, command: str, right: str) -> None:
    if command.startswith("RENAME"):  # it needs "k" elsewhere too: see below
        command, right = "RENAME BOX BOX/below", "xk"
        assert result(grant(right), command).startswith("t NO [CANNOT] A folder cannot")
        return
    assert result(grant(right), command).startswith("t OK")


@pytest.mark.parametrize(("command", "right"), AUTHENTICATED)
def test_all_other_rights_do_not(grant: Grant, command: str, right: str) -> None:
    refusal = "t NO [NOPERM]" if right != "l" else "t NO [NONEXISTENT]"
    assert result(grant(ALL.replace(right, "")), command).startswith(refusal)


@pytest.mark.parametrize(("command", "right"), AUTHENTICATED)
def test_who_may_not_see_it_is_told_there_is_none(
    grant: Grant, command: str, right: str
) -> None:
    told = result(grant("p"), command)
    assert told.startswith(("t NO [NONEXISTENT]", "t NO [TRYCREATE]"))


def test_list_and_lsub_want_l(grant: Grant) -> None:
    player = grant(ALL.replace("l", ""))
    assert result(player, 'LIST "" *').startswith("t OK")
    player.hear(b'u LIST "" Shared*\r\n')
    assert player.unread[-1] == "u OK LIST completed"
    assert not any(BOX in line for line in player.unread)
    player = grant("l")
    player.hear(b'u LIST "" Shared*\r\n')
    assert any(BOX in line for line in player.unread)


def test_unsubscribe_wants_nothing(grant: Grant) -> None:
    assert result(grant(""), "UNSUBSCRIBE BOX").startswith("t OK")


@pytest.mark.parametrize("right", ALL)
def test_myrights_wants_any_of_six(grant: Grant, right: str) -> None:
    expected = "t OK" if right in "lrikxa" else "t NO [NONEXISTENT]"
    assert result(grant(right), "MYRIGHTS BOX").startswith(expected)


def test_rename_wants_k_where_it_goes(grant: Grant, alice: "User") -> None:
    player = grant("lx")
    assert result(player, "RENAME BOX BOX2").startswith("t NO [NO")
    assert folders.open_folder(alice.account.pk, "Box").id
    fill(alice, "Other", [])
    other = folders.open_folder(alice.account.pk, "Other").id
    bob = acl.subject(alice.pk, other, "bob@example.test")
    account = alice.account.pk
    write([account], acl.change_rights, account, other, bob, "", "k")
    told = result(player, f"RENAME BOX {BOX.replace('Box', 'Other/Box')}")
    assert told.startswith("t OK")


def test_a_new_folder_inherits_the_list_above_it(grant: Grant, alice: "User") -> None:
    player = grant("lrk")
    assert result(player, "CREATE BOX/a/b").startswith("t OK")
    assert result(player, "MYRIGHTS BOX/a/b").startswith("t OK")
    assert player.unread[0].endswith(" lrkc")


SELECTED = [
    ("EXPUNGE", "e"),
    ("UID EXPUNGE 1", "e"),
    ("STORE 1 +FLAGS (\\Seen)", "s"),
    ("STORE 1 +FLAGS (\\Flagged)", "w"),
    ("STORE 1 -FLAGS (word)", "w"),
    ("UID STORE 1 -FLAGS (\\Deleted)", "t"),
    ("COPY 1 BOX", "i"),
    ("UID COPY 1 BOX", "i"),
]


@pytest.mark.parametrize(("command", "right"), SELECTED)
def test_selected_the_right_alone_does(grant: Grant, command: str, right: str) -> None:
    player = grant("r" + right)
    assert result(player, "SELECT BOX").startswith("t OK [READ-WRITE]")
    assert result(player, command).startswith("t OK")


@pytest.mark.parametrize(("command", "right"), SELECTED)
def test_selected_all_other_rights_do_not(
    grant: Grant, command: str, right: str
) -> None:
    player = grant(ALL.replace(right, ""))
    assert result(player, "SELECT BOX").startswith("t OK [READ-WRITE]")
    assert result(player, command).startswith("t NO [NOPERM]")


def test_without_e_close_leaves_what_is_deleted(grant: Grant, alice: "User") -> None:
    player = grant("lrt")
    result(player, "SELECT BOX")
    assert result(player, "CLOSE").startswith("t OK")
    assert folders.open_folder(alice.account.pk, "Box").messages == 2


def test_without_s_fetch_leaves_unseen(grant: Grant, alice: "User") -> None:
    player = grant("lrw")
    result(player, "SELECT BOX")
    assert result(player, "FETCH 1 BODY[]").startswith("t OK")
    assert folders.open_folder(alice.account.pk, "Box").unseen == 2
    player = grant("lrs")
    result(player, "SELECT BOX")
    assert result(player, "FETCH 1 BODY[]").startswith("t OK")
    assert folders.open_folder(alice.account.pk, "Box").unseen == 1


@pytest.mark.parametrize("letters", ["lr", "lrkxap"])
def test_who_can_change_nothing_has_it_read_only(grant: Grant, letters: str) -> None:
    assert result(grant(letters), "SELECT BOX").startswith("t OK [READ-ONLY]")


@pytest.mark.parametrize("held", ["lrt", "lre", "lrwsi"])
def test_move_wants_t_and_e_here(grant: Grant, held: str) -> None:
    player = grant(held)
    result(player, "SELECT BOX")
    assert result(player, "MOVE 1 Trash").startswith("t NO [NOPERM]")


def test_an_account_that_is_off_shares_nothing(grant: Grant, alice: "User") -> None:
    player = grant("lr")
    result(player, "SELECT BOX")
    alice.account.active = False
    alice.account.save(update_fields=["active"])
    player.hear(b"t UID FETCH 1:* FLAGS\r\n")
    assert player.unread[-1].startswith("* BYE")
