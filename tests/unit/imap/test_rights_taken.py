"""A right that is taken away counts at the next command, not at the next SELECT."""

from typing import TYPE_CHECKING

import pytest

from accounts.models import Membership
from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import share, write

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def player(alice: "User") -> Player:
    """alice, who may write in support's INBOX and has it selected."""
    share(alice, "support", ["read", "write"])
    player = Player(Connection(session()), write)
    player.hear(f'a LOGIN alice@example.test "{PASSWORD}"\r\n'.encode())
    player.hear(b"b SELECT Shared/support/INBOX\r\n")
    assert player.unread[-1].startswith("b OK")
    player.unread.clear()
    return player


def test_who_may_only_read_now_changes_nothing(player: Player) -> None:
    player.hear(b"c EXPUNGE\r\n")
    assert player.unread.pop().startswith("c OK")
    Membership.objects.update(write=False)
    player.hear(b"d EXPUNGE\r\n")
    assert player.unread.pop().startswith("d NO [NOPERM]")


@pytest.mark.parametrize(
    "command", [b"UID FETCH 1:* (BODY.PEEK[])", b"UID SEARCH ALL", b"EXPUNGE"]
)
def test_who_is_no_member_any_more_is_let_go(player: Player, command: bytes) -> None:
    Membership.objects.all().delete()
    player.hear(b"c " + command + b"\r\n")
    assert player.unread.pop().startswith("* BYE")
    assert player.ended
