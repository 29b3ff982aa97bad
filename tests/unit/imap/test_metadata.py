"""The limits of SETMETADATA, which no transcript writes out."""

from typing import TYPE_CHECKING

import pytest

from mailhost.mail.models import Annotation
from mailhost.store.annotations import LONGEST_VALUE, MOST_ENTRIES
from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import write

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def player(alice: "User") -> Player:
    player = Player(Connection(session()), write)
    player.hear(f'a LOGIN alice@example.test "{PASSWORD}"\r\n'.encode())
    player.unread.clear()
    return player


def test_a_value_too_big_is_refused_with_the_most(player: Player) -> None:
    most = LONGEST_VALUE
    for size, result in [(most, "b OK"), (most + 1, f"b NO [METADATA MAXSIZE {most}]")]:
        value = b"x" * size
        player.hear(b"b SETMETADATA INBOX (/private/a ~{%d+}\r\n" % size + value)
        player.hear(b" /private/b NIL)\r\n")
        assert player.unread.pop().startswith(result)


def test_too_many_entries_change_none(player: Player) -> None:
    for n in range(MOST_ENTRIES):
        player.hear(b"b SETMETADATA INBOX (/private/a%d x)\r\n" % n)
        assert player.unread.pop().startswith("b BAD")  # a value is a string
        player.hear(b'b SETMETADATA INBOX (/private/a%d "x")\r\n' % n)
        assert player.unread.pop().startswith("b OK")
    player.hear(b'c SETMETADATA INBOX (/private/a0 "y" /private/more "x")\r\n')
    assert player.unread.pop().startswith("c NO [METADATA TOOMANY]")
    assert bytes(Annotation.objects.get(entry="/a0").value) == b"x"
