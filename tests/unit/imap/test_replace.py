"""REPLACE and the quota: the difference counts, and a refusal keeps the old one."""

from typing import TYPE_CHECKING

import pytest

from mailhost.store.view import views
from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.engines


def test_replace_counts_the_difference(alice: "User") -> None:
    views.clear()
    box = fill(alice, "INBOX", ["1"])
    alice.account.quota_bytes = box.bytes + 100
    alice.account.save(update_fields=["quota_bytes"])
    player = Player(Connection(session()), write)
    player.hear(f'x LOGIN alice@example.test "{PASSWORD}"\r\n'.encode())
    player.hear(b"y SELECT INBOX\r\n")
    size = box.bytes + 100
    player.said.clear()
    player.hear(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (size, b"x" * size))
    assert b"a NO [OVERQUOTA]" in player.said
    player.hear(b"b REPLACE 1 INBOX {%d+}\r\n%b\r\n" % (size + 1, b"x" * (size + 1)))
    assert b"b NO [OVERQUOTA]" in player.said
    assert b"EXPUNGE" not in player.said
    player.hear(b"c UID FETCH 1:* RFC822.SIZE\r\n")
    assert b"* 1 FETCH (UID 1 RFC822.SIZE %d)" % box.bytes in player.said
    player.hear(b"d REPLACE 1 INBOX {%d+}\r\n%b\r\n" % (size, b"x" * size))
    assert b"d OK REPLACE completed" in player.said
    player.hear(b"e UID FETCH 1:* RFC822.SIZE\r\n")
    assert b"* 1 FETCH (UID 2 RFC822.SIZE %d)\r\ne OK" % size in player.said
