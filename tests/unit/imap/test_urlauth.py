"""Signed URLs: for whom they are good, and what ends that. RFC 4467."""

from typing import TYPE_CHECKING

import pytest

from accounts.standing import suspend
from mailhost.store.view import views
from protocols.imap.connection import Connection
from protocols.imap.urlauth import auth_url, is_right, signed_url, token
from tests.conftest import PASSWORD
from tests.transcripts.imap_transcript import Player, session
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User

ME = "imap://alice%40example.test@localhost"
pytestmark = pytest.mark.engines


def player(login: str) -> Player:
    made = Player(Connection(session()), write)
    made.hear(f'x LOGIN {login} "{PASSWORD}"\r\n'.encode())
    return made


def ask(asked: Player, command: str) -> str:
    asked.said.clear()
    asked.hear(f"a {command}\r\n".encode())
    return asked.said.decode()


def signed(by: Player, rump: str) -> str:
    said = ask(by, f'GENURLAUTH "{rump}" INTERNAL')
    assert said.endswith("a OK GENURLAUTH completed\r\n")
    return said.split('"')[1]


@pytest.fixture
def owner(alice: "User") -> Player:
    views.clear()
    fill(alice, "INBOX", ["1", "2"])
    fill(alice, "Work", ["1"])
    return player("alice@example.test")


def test_a_part_for_one_user(owner: Player, bob: "User", stranger: "User") -> None:
    rump = (
        f"{ME}/INBOX/;UID=2/;SECTION=TEXT/;PARTIAL=2.7;URLAUTH=user+bob%40example.test"
    )
    url = signed(owner, rump)
    for_bob = f'* URLFETCH "{url}" {{7}}\r\nline.\r\n\r\na OK URLFETCH completed\r\n'
    assert ask(player(bob.email), f'URLFETCH "{url}"') == for_bob
    for other in (owner, player(stranger.email)):
        assert f'"{url}" NIL\r\n' in ask(other, f'URLFETCH "{url}"')


@pytest.mark.parametrize("access", ["anonymous", "authuser"])
def test_for_everybody(owner: Player, stranger: "User", access: str) -> None:
    rump = f"{ME}/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(SUBJECT);URLAUTH={access}"
    said = ask(player(stranger.email), f'URLFETCH "{signed(owner, rump)}"')
    assert '" {22}\r\nSubject: Message 1\r\n\r\n\r\na OK' in said


@pytest.mark.parametrize(
    "rump",
    [
        "/INBOX/;UID=1;URLAUTH=submit+bob%40example.test",
        "/INBOX/;UID=1;EXPIRE=2020-01-01T00:00:00Z;URLAUTH=anonymous",
        "/INBOX/;UID=9;URLAUTH=anonymous",
        "/INBOX/;UID=1/;SECTION=9;URLAUTH=anonymous",
        "/INBOX;UIDVALIDITY=1/;UID=1;URLAUTH=anonymous",
    ],
)
def test_good_for_nobody(owner: Player, bob: "User", rump: str) -> None:
    url = signed(owner, ME + rump)
    assert f'"{url}" NIL\r\n' in ask(player(bob.email), f'URLFETCH "{url}"')


def test_what_is_changed_is_not_signed(owner: Player, bob: "User") -> None:
    url = signed(
        owner, f"{ME}/INBOX/;UID=1;EXPIRE=2126-01-01T00:00:00Z;URLAUTH=authuser"
    )
    reader = player(bob.email)
    assert "NIL" not in ask(reader, f'URLFETCH "{url}"')
    for old, new in (
        ("UID=1", "UID=2"), ("2126", "2127"), ("INBOX", "Work"), ("authuser", "user+b"),
        ("localhost", "elsewhere"), ("INTERNAL", "EXTERNAL"), (url[-2:], "zz"),
    ):  # fmt: skip
        assert " NIL\r\n" in ask(reader, f'URLFETCH "{url.replace(old, new)}"')


def test_a_new_key_and_a_gone_owner_end_it(
    owner: Player, alice: "User", bob: "User"
) -> None:
    inbox = signed(owner, f"{ME}/INBOX/;UID=1;URLAUTH=authuser")
    work = signed(owner, f"{ME}/Work/;UID=1;URLAUTH=authuser")
    reader = player(bob.email)
    assert "OK" in ask(owner, "RESETKEY INBOX")
    assert " NIL\r\n" in ask(reader, f'URLFETCH "{inbox}"')
    assert " NIL\r\n" not in ask(reader, f'URLFETCH "{work}"')
    assert signed(owner, f"{ME}/INBOX/;UID=1;URLAUTH=authuser") != inbox
    suspend(alice)
    assert " NIL\r\n" in ask(reader, f'URLFETCH "{work}"')


def test_a_token_is_of_its_key() -> None:
    rump = f"{ME}/INBOX/;UID=1;URLAUTH=anonymous"
    read = signed_url(f"{rump}:internal:{token(b'k', rump).hex().upper()}")
    assert read is not None
    assert is_right(b"k", *read)
    assert not is_right(b"l", *read)


@pytest.mark.parametrize(
    "rump",
    [
        "imap://localhost/INBOX/;UID=1;URLAUTH=anonymous",
        f"{ME}/;UID=1;URLAUTH=anonymous",
        f"{ME}/INBOX;URLAUTH=anonymous",
        f"{ME}/INBOX/;UID=1;URLAUTH=",
        f"{ME}/INBOX/;UID=1",
        f"{ME}/INBOX/;UID=1;EXPIRE=2126-01-01T00:00:00;URLAUTH=anonymous",
        f"{ME}/INBOX/;UID=1;URLAUTH=user+",
        f"{ME}/INBOX/;UID=1;URLAUTH=everybody",
        f"{ME}/a b/;UID=1;URLAUTH=anonymous",
        f"{ME}/ä/;UID=1;URLAUTH=anonymous",
        f"{ME}/INBOX/;UID=1;URLAUTH=anonymous;",
        f"x{ME}/INBOX/;UID=1;URLAUTH=anonymous",
    ],
)
def test_not_to_be_signed(rump: str) -> None:
    assert auth_url(rump) is None
