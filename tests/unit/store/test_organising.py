"""Snooze, mute and reminders: what leaves INBOX, what comes back, what stays away."""

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.unit.webmail.conftest import Box

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.engines


@pytest.fixture
def box(alice: "User") -> Box:
    from accounts.models import Account

    return Box(alice, Account.objects.get(owner=alice).pk)


def octets(number: int, *more: str, sender: str = "carl@far.test") -> bytes:
    head = [f"From: {sender}", f"Message-ID: <{number}@far.test>", *more]
    return "\r\n".join([*head, "Subject: Re: Boat", "", "Words", ""]).encode()


def answer(number: int, to: int, *more: str, sender: str = "carl@far.test") -> bytes:
    return octets(number, f"References: <{to}@far.test>", *more, sender=sender)


def deliver(box: Box, text: bytes) -> Any:
    from mailhost.store.content import prepare
    from mailhost.store.gate import gate
    from mailhost.store.values import Target

    target = Target(box.account_id, delivered_to="alice@example.test")
    return gate.deliver_sync(prepare(text), [target])[0]


def snooze(box: Box, *uids: int, name: str = "INBOX") -> Any:
    from mailhost.store import snoozing
    from mailhost.store.gate import gate

    due = timezone.now() + timedelta(hours=1)
    return gate.write_sync(
        [box.account_id],
        lambda: snoozing.snooze(box.account_id, box.folder(name), uids, due),
    )


def late() -> int:
    """Let all that waits be due, and run it."""
    from mailhost.jobs.models import Job
    from mailhost.jobs.runner import run_due
    from mailhost.mail.models import Reminder, Snooze

    past = timezone.now() - timedelta(seconds=1)
    for model in (Snooze, Reminder):
        model.objects.update(due=past)
    Job.objects.filter(name__in=["wake", "remind"]).update(due=past)
    return run_due()


def marks(box: Box, uid: int, name: str = "INBOX") -> tuple[int, set[str]]:
    from mailhost.store import read

    found = read.listed(box.folder(name), uid)
    return found.flags, set(found.keywords.split())


def test_what_is_put_away_comes_back_unread_and_on_top(db: None, box: Box) -> None:
    from mailhost.mail.models import Snooze
    from mailhost.store import conversations, flags, folders

    old = box.put(octets(1), flags=flags.SEEN)
    box.put(octets(2, "Subject: other"))
    snooze(box, old)
    (away,) = box.uids("Snoozed")
    assert marks(box, away, "Snoozed") == (flags.SEEN, {"$snoozed"})
    assert folders.open_folder(box.account_id, "Snoozed").role == "snoozed"
    assert late() == 1
    assert box.uids("Snoozed") == []
    top = conversations.page(box.folder(), threaded=True)[0]
    assert marks(box, top.uid) == (0, {"$new"})
    assert top.subject == "Re: Boat"
    assert not Snooze.objects.exists()


def test_of_a_conversation_the_newest_alone_is_unread(db: None, box: Box) -> None:
    from mailhost.store import flags

    first = box.put(octets(1), flags=flags.SEEN)
    second = box.put(answer(2, 1), flags=flags.SEEN)
    snooze(box, first, second)
    late()
    newest, oldest = box.uids()
    assert marks(box, newest) == (0, {"$new"})
    assert marks(box, oldest) == (flags.SEEN, set())


def test_another_time_for_what_is_put_away(db: None, box: Box) -> None:
    from mailhost.mail.models import Snooze

    snooze(box, box.put(octets(1)))
    before = Snooze.objects.get().due
    snooze(box, *box.uids("Snoozed"), name="Snoozed")
    assert len(box.uids("Snoozed")) == 1
    assert Snooze.objects.get().due > before


def test_what_another_program_took_out_stays_there(db: None, box: Box) -> None:
    from mailhost.store import change
    from mailhost.store.gate import gate

    snooze(box, box.put(octets(1)), box.put(octets(2)))
    here = box.folder("Snoozed")
    moved, deleted = sorted(box.uids("Snoozed"))
    gate.write_sync(
        [box.account_id],
        lambda: (
            change.move(
                box.account_id, here, [moved], box.account_id, box.folder("Archive")
            ),
            change.expunge(box.account_id, here, [deleted], force=True),
        ),
    )
    late()
    assert box.uids() == []
    (kept,) = box.uids("Archive")
    assert marks(box, kept, "Archive") == (0, set())


def test_the_folder_may_be_gone(db: None, box: Box) -> None:
    from mailhost.mail.models import Snooze
    from mailhost.store import folders
    from mailhost.store.gate import gate

    snooze(box, box.put(octets(1)))
    gate.write_sync([box.account_id], folders.delete_folder, box.account_id, "Snoozed")
    late()
    assert not Snooze.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_hosts_bring_each_back_once(box: Box) -> None:
    from mailhost.store import snoozing
    from mailhost.store.gate import gate

    snooze(box, *[box.put(octets(n, f"Subject: {n}")) for n in range(20)])
    from mailhost.mail.models import Snooze

    Snooze.objects.update(due=timezone.now() - timedelta(seconds=1))

    def wake() -> None:
        snoozing.wake(box.account_id)
        connection.close()

    hosts = [threading.Thread(target=wake) for _ in range(2)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert len(box.uids()) == 20
    assert box.uids("Snoozed") == []
    gate.stop()


def mute(box: Box, uid: int, *, ends: bool = False) -> None:
    from mailhost.store import change
    from mailhost.store.gate import gate

    function = change.remove_flags if ends else change.add_flags
    gate.write_sync(
        [box.account_id],
        lambda: function(box.account_id, box.folder(), [uid], 0, ("$Muted",)),
    )


def test_mail_of_a_muted_conversation_goes_to_archive(db: None, box: Box) -> None:
    from mailhost.store import flags

    first = box.put(octets(1, "Subject: Boat"))
    mute(box, first)
    stored = deliver(box, answer(2, 1))
    assert stored.folder_id == box.folder("Archive")
    assert marks(box, stored.uid, "Archive") == (flags.SEEN, {"$muted"})
    assert deliver(box, octets(9, "Subject: Car")).folder_id == box.folder()
    assert box.put(answer(3, 1)) in box.uids()  # APPEND is where it is put
    mute(box, first, ends=True)
    assert deliver(box, answer(4, 1)).folder_id == box.folder()


def test_a_muted_conversation_without_an_archive_is_read(db: None, box: Box) -> None:
    from mailhost.store import flags, folders

    mute(box, box.put(octets(1)))
    folders.delete_folder(box.account_id, "Archive")
    stored = deliver(box, answer(2, 1))
    assert marks(box, stored.uid) == (flags.SEEN, {"$muted"})


def wait(box: Box, number: int, sender: str = "alice@example.test") -> int:
    from mailhost.store import flags, reminding
    from mailhost.store.gate import gate

    uid = box.put(octets(number, sender=sender), name="Sent", flags=flags.SEEN)
    due = timezone.now() + timedelta(days=3)
    gate.write_sync(
        [box.account_id],
        reminding.remind,
        *(box.account_id, box.user.pk, f"{number}@far.test", due),
    )
    return uid


def test_what_nobody_answers_comes_back(db: None, box: Box) -> None:
    wait(box, 1)
    late()
    (uid,) = box.uids()
    assert marks(box, uid) == (0, {"$reminder", "$new"})
    assert len(box.uids("Sent")) == 1
    assert late() == 0


@pytest.mark.parametrize(
    ("more", "sender", "comes_back"),
    [
        ((), "carl@far.test", 0),
        ((), "Alice@example.test", 1),  # her own second thought
        (("Auto-Submitted: auto-replied",), "carl@far.test", 1),
        (("Auto-Submitted: no",), "carl@far.test", 0),
    ],
)
def test_an_answer_calls_it_off(
    db: None, box: Box, more: tuple[str, ...], sender: str, comes_back: int
) -> None:
    wait(box, 1)
    deliver(box, answer(2, 1, *more, sender=sender))
    late()
    assert len(box.uids()) == 1 + comes_back


def test_a_reminder_of_what_is_deleted_is_silent(db: None, box: Box) -> None:
    from mailhost.store import change

    uid = wait(box, 1)
    change.expunge(box.account_id, box.folder("Sent"), [uid], force=True)
    assert late() == 1
    assert box.uids() == []


def test_importance_is_read_from_the_header(db: None, box: Box) -> None:
    from mailhost.store import read

    fields = ["Importance: High", "X-Priority: 5 (Lowest)", "Importance: soon"]
    uids = [box.put(octets(n, one)) for n, one in enumerate(fields)]
    found = [read.listed(box.folder(), uid).importance for uid in uids]
    assert found == [1, -1, 0]
