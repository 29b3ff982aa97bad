"""Entries of folders and accounts: whose they are, their limits, who hears of them."""

import pytest

from accounts.models import User
from mailhost.mail.models import Annotation
from mailhost.store import folders
from mailhost.store.annotations import (
    LONGEST_VALUE,
    MOST_ENTRIES,
    annotate,
    annotation,
    annotations,
    annotations_changed,
)
from mailhost.store.errors import EntryTooBig, NoSuchFolder, TooManyEntries

pytestmark = [pytest.mark.engines, pytest.mark.django_db]


def place(user: User) -> tuple[int, int]:
    account = user.account.pk
    return account, folders.open_folder(account, "INBOX").id


def test_a_private_entry_is_its_users_alone(alice: User, bob: User) -> None:
    account, inbox = place(alice)
    annotate(account, inbox, alice.pk, [("/Comment", b"mine")])
    annotate(account, inbox, bob.pk, [("/comment", b"his")])
    annotate(account, inbox, None, [("/comment", b"ours")])
    assert annotation(account, inbox, alice.pk, "/COMMENT") == b"mine"
    assert annotation(account, inbox, bob.pk, "/comment") == b"his"
    assert annotation(account, inbox, None, "/comment") == b"ours"
    seen = annotations(account, [inbox, None], alice.pk)
    assert [(e.shared, e.name, e.value) for e in seen] == [
        (False, "/comment", b"mine"),
        (True, "/comment", b"ours"),
    ]


def test_account_and_folder_are_two_places(alice: User) -> None:
    account, inbox = place(alice)
    annotate(account, None, None, [("/comment", b"all of it")])
    assert annotation(account, inbox, None, "/comment") is None
    assert annotation(account, None, None, "/comment") == b"all of it"
    assert annotations(account, [inbox], alice.pk) == []


def test_an_empty_value_is_a_value(alice: User) -> None:
    account, inbox = place(alice)
    annotate(account, inbox, None, [("/comment", b"")])
    assert annotation(account, inbox, None, "/comment") == b""


def test_a_change_and_a_removal_are_heard_of_once(alice: User) -> None:
    account, inbox = place(alice)
    first = annotate(account, inbox, None, [("/comment", b"a"), ("/x", b"b")])
    second = annotate(account, inbox, None, [("/comment", None), ("/none", None)])
    assert second > first
    heard = annotations_changed(account, alice.pk, first)
    assert [(c.folder_id, c.name, c.modseq) for c in heard] == [
        (inbox, "/comment", second)
    ]
    assert annotation(account, inbox, None, "/comment") is None
    annotate(account, inbox, None, [("/comment", b"again")])
    assert annotation(account, inbox, None, "/comment") == b"again"
    assert Annotation.objects.count() == 2


def test_what_is_too_much_is_refused(alice: User) -> None:
    account, inbox = place(alice)
    with pytest.raises(EntryTooBig):
        annotate(account, inbox, None, [("/x", bytes(LONGEST_VALUE + 1))])
    many = [(f"/vendor/x/{n}", b"v") for n in range(MOST_ENTRIES)]
    annotate(account, inbox, None, many)
    annotate(account, inbox, None, [("/vendor/x/1", b"other")])
    with pytest.raises(TooManyEntries):
        annotate(account, inbox, None, [("/vendor/x/more", b"v")])


def test_removals_do_not_pile_up(alice: User) -> None:
    account, inbox = place(alice)
    for start in range(0, 300, 50):
        names = [f"/vendor/x/{n}" for n in range(start, start + 50)]
        annotate(account, inbox, None, [(n, b"v") for n in names])
        annotate(account, inbox, None, [(n, None) for n in names])
    assert Annotation.objects.count() <= 150


def test_entries_go_with_the_folder_and_follow_its_name(alice: User) -> None:
    account, inbox = place(alice)
    box = folders.create_folder(account, "Work")
    annotate(account, box.id, None, [("/comment", b"w")])
    annotate(account, inbox, None, [("/comment", b"i")])
    folders.rename_folder(account, "Work", "Job")
    assert annotation(account, box.id, None, "/comment") == b"w"
    folders.rename_folder(account, "INBOX", "Old")
    old = folders.open_folder(account, "Old").id
    assert annotation(account, old, None, "/comment") == b"i"
    assert annotation(account, inbox, None, "/comment") == b"i"
    folders.delete_folder(account, "Job")
    assert not Annotation.objects.filter(folder_id=box.id).exists()


def test_a_folder_of_another_account_is_none(alice: User, bob: User) -> None:
    _, theirs = place(bob)
    with pytest.raises(NoSuchFolder):
        annotate(alice.account.pk, theirs, None, [("/comment", b"x")])
