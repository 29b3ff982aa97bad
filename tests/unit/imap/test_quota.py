"""Who sets a quota: staff who may change accounts, and nobody else."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission

from accounts.models import Account
from protocols.imap.connection import Connection
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import write

if TYPE_CHECKING:
    from accounts.models import User


@pytest.fixture
def player(alice: "User", bob: "User") -> Player:
    """bob, who is staff; alice has an account beside him."""
    bob.is_staff = True
    bob.save(update_fields=["is_staff"])
    player = Player(Connection(session()), write)
    player.hear(f'a LOGIN bob@example.test "{PASSWORD}"\r\n'.encode())
    player.unread.clear()
    return player


def limits() -> tuple[int | None, int | None]:
    account = Account.objects.get(owner__email="alice@example.test")
    return account.quota_bytes, account.quota_messages


def test_staff_without_the_permission_sets_nothing(player: Player) -> None:
    player.hear(b"b SETQUOTA alice@example.test (STORAGE 5)\r\n")
    assert player.unread.pop().startswith("b NO [NOPERM]")
    assert limits() == (None, None)


def test_staff_sets_and_lifts_limits(player: Player, bob: "User") -> None:
    bob.user_permissions.add(Permission.objects.get(codename="change_account"))
    player.hear(b"b SETQUOTA alice@example.test (STORAGE 5 MESSAGE 7)\r\n")
    assert list(player.unread) == [
        "* QUOTA alice@example.test (STORAGE 0 5 MESSAGE 0 7)",
        "b OK SETQUOTA completed",
    ]
    assert limits() == (5 * 1024, 7)
    player.hear(b"c SETQUOTA alice@example.test (MESSAGE 9)\r\n")
    assert limits() == (None, 9)
    player.hear(b"d SETQUOTA alice@example.test (STORAGE 9223372036854775807)\r\n")
    assert player.unread.pop() == "d OK SETQUOTA completed"
    player.hear(b"e SETQUOTA alice@example.test ()\r\n")
    assert limits() == (None, None)
    player.hear(b"f SETQUOTA nobody ()\r\n")
    assert player.unread.pop().startswith("f NO [NOPERM]")
