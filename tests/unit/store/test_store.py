"""The store's functions, one promise each."""

import pytest

from accounts.models import User
from mailhost.mail.models import Content, Message
from mailhost.store import append, change, folders, read
from mailhost.store import flags as f
from mailhost.store.content import CHUNK, prepare
from mailhost.store.deliver import deliver_many
from mailhost.store.errors import (
    BadName,
    FolderExists,
    FolderHasChildren,
    NoSuchFolder,
    OverQuota,
)
from mailhost.store.gate import gate
from mailhost.store.values import Target

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
LETTER = b"From: a@x.test\r\nSubject: hi\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n"
REPLY = b"Subject: Re: hi\r\nIn-Reply-To: <1@x>\r\nMessage-ID: <2@x>\r\n\r\nyes\r\n"


def inbox(user: User) -> tuple[int, int]:
    account = user.account.pk
    return account, folders.open_folder(account, "INBOX").id


def test_one_content_serves_all_recipients(alice: User, bob: User) -> None:
    targets = [Target(u.account.pk, delivered_to=u.email) for u in (alice, bob)]
    (stored,) = deliver_many([(prepare(LETTER), targets)])
    assert Content.objects.count() == 1
    assert {s.account_id for s in stored} == {alice.account.pk, bob.account.pk}
    assert stored[0].email_id != stored[1].email_id


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_octets_come_back_as_they_came(alice: User, size: int) -> None:
    octets = bytes(range(256)) * (size // 256 + 1)
    account, folder = inbox(alice)
    stored = append.append(account, folder, prepare(octets[:size]))
    content = read.content_of(folder, stored.uid)
    assert read.octets(content) == octets[:size]
    for start, end in [(0, size), (CHUNK - 1, CHUNK + 1), (size - 1, size), (5, 2)]:
        expected = octets[:size][max(start, 0) : max(end, 0)]
        assert read.octet_range(content, max(start, 0), min(end, size)) == expected


def test_a_reply_joins_the_conversation(alice: User, bob: User) -> None:
    account, folder = inbox(alice)
    first = append.append(account, folder, prepare(LETTER))
    second = append.append(account, folder, prepare(REPLY))
    rows = read.message_rows(folder, [first.uid, second.uid], ("thread_id",))
    assert rows[first.uid] == rows[second.uid]
    other = append.append(*inbox(bob), prepare(REPLY))
    (theirs,) = read.message_rows(other.folder_id, [other.uid], ("thread_id",)).values()
    assert theirs != rows[first.uid]


def test_a_full_account_takes_nothing(alice: User) -> None:
    account, folder = inbox(alice)
    alice.account.quota_bytes = len(LETTER)
    alice.account.save(update_fields=["quota_bytes"])
    append.append(account, folder, prepare(LETTER))
    with pytest.raises(OverQuota):
        append.append(account, folder, prepare(LETTER))


def test_two_sessions_that_move_the_same_leave_one(alice: User) -> None:
    account, folder = inbox(alice)
    target = folders.create_folder(account, "Done").id
    uid = append.append(account, folder, prepare(LETTER)).uid
    assert change.move(account, folder, [uid], account, target).pairs == ((uid, 1),)
    assert change.move(account, folder, [uid], account, target).pairs == ()
    assert Message.objects.filter(folder_id=target).count() == 1


def test_unchanged_since_names_what_it_spared(alice: User) -> None:
    account, folder = inbox(alice)
    old = append.append(account, folder, prepare(LETTER))
    new = append.append(account, folder, prepare(LETTER))
    result = change.add_flags(
        account, folder, [old.uid, new.uid], f.SEEN, (), old.modseq
    )
    assert (result.changed, result.failed) == ((old.uid,), (new.uid,))


def test_an_expunged_content_stays_for_the_grace_time(alice: User) -> None:
    account, folder = inbox(alice)
    stored = append.append(account, folder, prepare(LETTER))
    change.expunge(account, folder, [stored.uid], force=True)
    (content,) = read.expunged_contents(folder, [stored.uid]).values()
    assert read.octets(content) == LETTER


def test_folders_are_made_with_the_levels_above(alice: User) -> None:
    account = alice.account.pk
    folders.create_folder(account, "a/b/c")
    assert {"a", "a/b", "a/b/c"} <= {x.name for x in folders.list_folders(account)}


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "x\n", "a" * 1001, "/".join("x" * 200)]
)
def test_a_name_that_cannot_be(alice: User, name: str) -> None:
    with pytest.raises(BadName):
        folders.create_folder(alice.account.pk, name)


def test_create_refuses_a_name_in_use(alice: User) -> None:
    for name in ("inbox", "Sent"):
        with pytest.raises(FolderExists):
            folders.create_folder(alice.account.pk, name)


def test_rename_takes_the_tree_along(alice: User) -> None:
    account = alice.account.pk
    made = folders.create_folder(account, "a/b")
    folders.create_folder(account, "A/b")
    folders.rename_folder(account, "a", "z/y")
    moved = folders.open_folder(account, "z/y/b")
    assert (moved.id, moved.uid_validity) == (made.id, made.uid_validity)
    assert folders.open_folder(account, "A/b").id != made.id
    with pytest.raises(NoSuchFolder):
        folders.open_folder(account, "a")


def test_rename_inbox_moves_its_messages(alice: User) -> None:
    account, folder = inbox(alice)
    append.append(account, folder, prepare(LETTER))
    folders.rename_folder(account, "INBOX", "old")
    assert folders.open_folder(account, "INBOX").messages == 0
    assert folders.open_folder(account, "old").messages == 1


def test_a_name_made_again_has_a_new_uid_validity(alice: User) -> None:
    account = alice.account.pk
    first = folders.create_folder(account, "x")
    folders.delete_folder(account, "x")
    again = folders.create_folder(account, "x")
    assert again.uid_validity > first.uid_validity
    assert again.modseq > first.modseq


def test_delete_spares_parents_and_the_inbox(alice: User) -> None:
    account = alice.account.pk
    folders.create_folder(account, "a/b")
    with pytest.raises(FolderHasChildren):
        folders.delete_folder(account, "a")
    with pytest.raises(BadName):
        folders.delete_folder(account, "INBOX")


def test_a_stranger_sees_nothing(alice: User, stranger: User) -> None:
    with pytest.raises(NoSuchFolder):
        folders.open_folder(alice.account.pk, "INBOX", stranger.pk)
    assert folders.list_folders(alice.account.pk, stranger.pk) == []


def test_a_large_message_is_prepared_alike(alice: User) -> None:
    octets = LETTER + b"x" * CHUNK
    assert gate.prepare_sync(octets).size == len(octets)


def test_many_ranges_are_copied_moved_and_removed(alice: User) -> None:
    account, folder = inbox(alice)
    target = folders.create_folder(account, "Many").id
    append.append_many(
        account, folder, [(prepare(LETTER), n % 3, (), None) for n in range(40)]
    )
    odd = list(range(1, 41, 2))
    copied = change.copy(account, folder, odd, account, target)
    assert copied.pairs == tuple((uid, n) for n, uid in enumerate(odd, 1))
    moved = change.move(account, folder, odd, account, target)
    assert moved.pairs == tuple((uid, n) for n, uid in enumerate(odd, 21))
    marks = read.message_rows(target, range(1, 41), ("flags", "email_id"))
    assert [marks[n] for n in range(1, 21)] == [marks[n] for n in range(21, 41)]
    assert [marks[n][0] for n in range(1, 21)] == [(uid - 1) % 3 for uid in odd]
    gone = change.expunge(account, target, odd, force=True)
    assert list(gone.uids) == odd
    for folder_id, count in ((folder, 20), (target, 20)):
        info = folders.folder_by_id(account, folder_id)
        left = Message.objects.filter(folder_id=folder_id)
        assert info.messages == left.count() == count
        assert info.unseen == sum(not m.flags & f.SEEN for m in left)
        assert info.bytes == count * len(LETTER)
