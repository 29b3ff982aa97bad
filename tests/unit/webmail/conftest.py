"""Mail for the persons, and browsers they are logged in with."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

PLAIN = (
    b"From: Carl <carl@far.test>\r\nTo: alice@example.test, Dora <dora@far.test>\r\n"
    b"Subject: Lunch\r\nMessage-ID: <lunch@far.test>\r\n"
    b"Date: Mon, 1 Jun 2026 10:00:00 +0000\r\n\r\n"
    b"Shall we? https://far.test/menu.\r\n> <b>old</b>\r\n"
)


@dataclass(frozen=True)
class Box:
    """An account and its folders by name."""

    user: "User"
    account_id: int

    def folder(self, name: str = "INBOX") -> int:
        from mailhost.store import folders

        return folders.open_folder(self.account_id, name).id

    def put(self, octets: bytes = PLAIN, name: str = "INBOX", flags: int = 0) -> int:
        from mailhost.store import append
        from mailhost.store.content import prepare
        from mailhost.store.gate import gate

        folder_id, prepared = self.folder(name), prepare(octets)
        return gate.write_sync(
            [self.account_id],
            append.append,
            self.account_id,
            folder_id,
            prepared,
            flags,
        ).uid

    def uids(self, name: str = "INBOX") -> list[int]:
        from mailhost.store import read

        return [row.uid for row in read.page(self.folder(name))]

    def where(self, uid: int, name: str = "INBOX") -> str:
        return f"{self.account_id}.{self.folder(name)}.{uid}"

    def url(self, uid: int | None = None, more: str = "", name: str = "INBOX") -> str:
        at = f"/mail/{self.account_id}/{self.folder(name)}/"
        return f"{at}{uid}/{more}" if uid is not None else f"{at}{more}"


@pytest.fixture
def box(alice: "User") -> Box:
    """What belongs to alice."""
    from accounts.models import Account

    return Box(alice, Account.objects.get(owner=alice).pk)


def asked(client: "Client", user: "User", seconds_ago: float = 0.0) -> None:
    """Have a browser's session say when its user last showed their password."""
    session = client.session
    session["account_authentication_methods_user"] = str(user.pk)
    record = {"method": "password", "at": time.time() - seconds_ago}
    session["account_authentication_methods"] = [record]
    session.save()


@pytest.fixture
def browser_of() -> "Callable[[User], Client]":
    """A browser that somebody is logged in with."""
    from django.test import Client

    def log_in(user: "User") -> Client:
        client = Client()
        client.force_login(user)
        asked(client, user)
        return client

    return log_in


@pytest.fixture
def page(browser_of: "Callable[[User], Client]", alice: "User") -> "Client":
    """alice's browser; what she sends goes at once."""
    from mailhost.webmail.models import Preferences

    Preferences.objects.create(user=alice, undo_seconds=0)
    return browser_of(alice)
