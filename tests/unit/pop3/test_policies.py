"""What an account offers by POP3, and what QUIT does about it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.auth import Login
from accounts.models import User
from mailhost import olduidls
from mailhost.mail.models import Message
from mailhost.mailfiles import sources
from mailhost.store import flags, folders
from mailhost.store.append import append
from mailhost.store.content import prepare
from protocols.pop3.actions import Update
from protocols.pop3.commands.quit import Quit
from protocols.pop3.commands.retr import Retr
from protocols.pop3.maildrop import Maildrop, snapshot
from protocols.pop3.models import MaildropPolicy
from protocols.pop3.server import update
from protocols.pop3.session import Session
from protocols.pop3.standing import Standing
from tests.unit.pop3.inbox import fill

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
LIST = """3 V1600000000 N9 G0123456789abcdef
1 W100 :1600000001.M1.host:2,S
2 Pold-name :1600000002.M2.host
x broken
"""


def drop_of(user: User) -> Maildrop:
    return snapshot(Standing(Login(user.pk, user.account.pk, user.email, version=1)))


def put(user: User, folder: str, day: int) -> None:
    account = user.account.pk
    date = datetime(2026, 1, day, tzinfo=UTC)
    place = folders.open_folder(account, folder).id
    append(account, place, prepare(b"A: %02d\r\n\r\n" % day), 0, (), date)


def days(drop: Maildrop) -> list[int]:
    rows = dict(Message.objects.values_list("content_id", "internal_date"))
    return [rows[content].day for content in drop.contents]


@pytest.fixture
def three(alice: User) -> User:
    """alice, with mail in INBOX and Sent."""
    for folder, day in (("INBOX", 3), ("Sent", 2), ("INBOX", 1)):
        put(alice, folder, day)
    return alice


def test_the_inbox_alone_in_the_order_of_arrival(three: User) -> None:
    assert days(drop_of(three)) == [3, 1]


def test_several_folders_by_date(three: User) -> None:
    offered = "INBOX\nNowhere\n\nSent\nSent\n"
    MaildropPolicy.objects.create(account=three.account, folders=offered)
    drop = drop_of(three)
    assert days(drop) == [1, 2, 3]
    names = [drop.uidl(n) for n in drop.numbers()]
    assert len(set(names)) == 3
    alone = MaildropPolicy.objects.filter(account=three.account)
    alone.update(folders="")
    inbox = drop_of(three)
    assert {inbox.uidl(n) for n in inbox.numbers()} == {names[0], names[2]}


@pytest.mark.parametrize("by", ["setting", "account"])
def test_the_newest_first_and_not_all(three: User, settings: Settings, by: str) -> None:
    put(three, "INBOX", 9)
    if by == "setting":
        settings.POP3_NEWEST_FIRST, settings.POP3_MOST_MESSAGES = True, 2
    else:
        MaildropPolicy.objects.create(
            account=three.account, newest_first=True, most_messages=2
        )
    assert days(drop_of(three)) == [9, 1]


def test_an_account_may_say_no(three: User, settings: Settings) -> None:
    settings.POP3_REMOVE_DOWNLOADED = True
    MaildropPolicy.objects.create(account=three.account, remove_downloaded=False)
    assert not drop_of(three).policy.remove_downloaded


def quit_after(drop: Maildrop, *numbers: int) -> None:
    session = Session(may_log_in=True, offers_stls=False, maildrop=drop)
    for number in numbers:
        Retr(number).run(session)
    action = Quit().run(session)
    if isinstance(action, Update):
        update(action)


def test_what_was_downloaded_is_seen(three: User, settings: Settings) -> None:
    settings.POP3_MARK_SEEN = True
    MaildropPolicy.objects.create(account=three.account, folders="INBOX\nSent")
    drop = drop_of(three)
    drop.deleted.add(3)
    quit_after(drop, 1, 2)
    left = Message.objects.order_by("internal_date").values_list("flags", flat=True)
    assert list(left) == [flags.SEEN, flags.SEEN]


def test_what_was_downloaded_is_removed_from_every_folder(three: User) -> None:
    MaildropPolicy.objects.create(
        account=three.account, folders="INBOX\nSent", remove_downloaded=True
    )
    quit_after(drop_of(three), 1, 2)
    assert [m.internal_date.day for m in Message.objects.all()] == [3]


def test_a_list_of_dovecot_names_its_messages() -> None:
    found = olduidls.of_dovecot(LIST)
    assert found == {
        "1600000001.M1.host": "000000015f5e1000",
        "1600000002.M2.host": "old-name",
    }
    for text in ("", "1 V1", "3 N5", LIST.replace("3 V", "2 V")):
        assert olduidls.of_dovecot(text) == {}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("dovecot", ["000000015f5e1000", "old-name"]),
        ("filename", ["1600000001.M1.host", "1600000002.M2.host"]),
        ("header", ["from-header", ""]),
        ("", ["", ""]),
    ],
)
def test_a_maildir_tells_its_uidls(tmp_path: Path, kind: str, names: list[str]) -> None:
    maildir(tmp_path)
    assert [one.uidl for one in sources(tmp_path, kind)[0].read(0)] == names


def maildir(path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir()
    first = path / "cur" / "1600000001.M1.host:2,S"
    first.write_bytes(b"X-UIDL: from-header\n\nOne\n")
    second = path / "new" / "1600000002.M2.host"
    second.write_bytes(b"X-UIDL: not legal\n\nTwo\n")
    (path / "dovecot-uidlist").write_text(LIST)


def test_an_mbox_tells_x_uidl(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_text("From a@x Mon Jan  1 09:00:00 2024\nX-UIDL: abc\n\nHello\n")
    assert [one.uidl for one in sources(box, "header")[0].read(0)] == ["abc"]
    assert [one.uidl for one in sources(box)[0].read(0)] == [""]


def test_imported_mail_keeps_its_names(alice: User, tmp_path: Path) -> None:
    fill(alice, [b"A: 1\r\n\r\n"])
    maildir(tmp_path)
    call_command("importmail", alice.email, str(tmp_path), pop3_uidls="dovecot")
    drop = drop_of(alice)
    assert sorted(drop.uidl(n) for n in (2, 3)) == ["000000015f5e1000", "old-name"]
    assert drop.uidl(1).endswith(".1")
