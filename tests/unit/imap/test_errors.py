"""Every refusal of the store, and of a login, has a reply in IMAP."""

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError

from accounts.auth import (
    Disabled,
    Expired,
    LoginRefused,
    NotAllowed,
    TooManyFailures,
    WrongCredentials,
)
from mailhost.store.errors import StoreError
from protocols.imap.connection import Connection
from protocols.imap.errors import CODE_FOR, login_refusal
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session

if TYPE_CHECKING:
    from accounts.models import User


def test_every_store_error_has_an_imap_code() -> None:
    assert set(StoreError.__subclasses__()) == set(CODE_FOR)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WrongCredentials(), "AUTHENTICATIONFAILED"),
        (Disabled(), "CONTACTADMIN"),
        (Expired(), "EXPIRED"),
        (TooManyFailures(), "UNAVAILABLE"),
        (
            NotAllowed("This app password is not for this protocol"),
            "AUTHORIZATIONFAILED",
        ),
    ],
)
def test_a_refused_login_says_what_helps(error: LoginRefused, code: str) -> None:
    """RFC 5530 §3."""
    assert login_refusal(error).code == code


def test_a_database_that_is_away_is_unavailable(
    alice: "User", caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("database or disk is full: /var/lib/x.sqlite3")

    player = Player(Connection(session()), away)
    player.hear(f'x LOGIN alice@example.test "{PASSWORD}"\r\n'.encode())
    player.unread.clear()
    player.hear(b"a CREATE Work\r\nb NOOP\r\n")
    assert list(player.unread) == [
        "a NO [UNAVAILABLE] Try again later",
        "b OK NOOP completed",
    ]
    assert "CREATE: the database cannot be asked" in caplog.text
