"""Who was given what: users, groups, anyone; what nobody can take."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group

from accounts.models import Membership, User
from accounts.newcomers import make_shared_account
from mailhost.mail.models import AccountState, FolderRight
from mailhost.store import acl, folders, rights
from mailhost.store.acl import Subject
from mailhost.store.errors import BadIdentifier, RightsFixed

pytestmark = [pytest.mark.engines, pytest.mark.django_db]


def place(user: User) -> tuple[int, int]:
    account = user.account.pk
    return account, folders.open_folder(account, "INBOX").id


def modseq(user: User) -> int:
    return AccountState.objects.get(account=user.account).modseq


def test_rights_add_up_over_user_and_group(alice: User, bob: User) -> None:
    account, inbox = place(alice)
    staff = Group.objects.create(name="staff")
    bob.groups.add(staff)
    alice.groups.add(staff)
    for who, letters in [("$staff", "lr"), ("bob@example.test", "s")]:
        subject = acl.subject(alice.pk, inbox, who)
        acl.change_rights(account, inbox, subject, "", letters)
    assert rights.rights(bob.pk, inbox) == "lrs"
    assert rights.rights_by_folder(bob.pk, account) in [{inbox: "lrs"}, {inbox: "slr"}]
    shown = [(e.identifier, e.rights) for e in acl.access_list(account, inbox)]
    assert shown == [
        ("alice@example.test", rights.ALL),
        ("$staff", "lr"),
        ("bob@example.test", "s"),
    ]
    bob.groups.clear()
    assert rights.rights(bob.pk, inbox) == "s"
    # A group that one left stays nameable where it is listed.
    alice.groups.clear()
    acl.drop_rights(account, inbox, acl.subject(alice.pk, inbox, "$staff"))
    with pytest.raises(BadIdentifier):
        acl.subject(alice.pk, inbox, "$staff")


def test_anyone_counts_only_where_the_setting_allows(
    alice: User, stranger: User, settings: LazySettings
) -> None:
    account, inbox = place(alice)
    with pytest.raises(BadIdentifier):
        acl.change_rights(account, inbox, Subject(), "+", "lr")
    settings.MAILHOST_SHARE_WITH_ANYONE = True
    acl.change_rights(account, inbox, Subject(), "+", "lr")
    assert rights.rights(stranger.pk, inbox) == "lr"
    assert [a.id for a in rights.accounts_seen_by(stranger.pk)] == [
        stranger.account.pk, account,
    ]  # fmt: skip
    settings.MAILHOST_SHARE_WITH_ANYONE = False
    assert rights.rights(stranger.pk, inbox) == ""
    acl.drop_rights(account, inbox, acl.subject(alice.pk, inbox, "anyone"))
    assert not FolderRight.objects.exists()


def test_a_membership_is_not_taken_folder_by_folder(alice: User) -> None:
    account = make_shared_account("support").pk
    Membership.objects.create(account_id=account, user=alice, read=True)
    inbox = folders.open_folder(account, "INBOX").id
    subject = acl.subject(alice.pk, inbox, alice.email)
    with pytest.raises(RightsFixed):
        acl.change_rights(account, inbox, subject, "-", "s")
    with pytest.raises(RightsFixed):
        acl.drop_rights(account, inbox, subject)
    acl.change_rights(account, inbox, subject, "+", "rw")
    assert rights.rights(alice.pk, inbox) == "lrsw"
    assert FolderRight.objects.get().rights == "w"
    acl.change_rights(account, inbox, subject, "", "lrs")
    assert rights.rights(alice.pk, inbox) == "lrs"


def test_both_sides_hear_of_a_change(alice: User, bob: User) -> None:
    account, inbox = place(alice)
    before = modseq(alice), modseq(bob)
    subject = acl.subject(alice.pk, inbox, bob.email)
    acl.change_rights(account, inbox, subject, "+", "lr")
    after = modseq(alice), modseq(bob)
    assert after[0] > before[0]
    assert after[1] > before[1]
    acl.change_rights(account, inbox, subject, "+", "lr")
    assert (modseq(alice), modseq(bob)) == after


def test_one_query_names_the_rights_of_all_folders(
    alice: User, bob: User, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    account, inbox = place(alice)
    for n in range(20):
        folders.create_folder(account, f"Box{n}")
    subject = acl.subject(alice.pk, inbox, bob.email)
    acl.change_rights(account, inbox, subject, "+", "lr")
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        seen = folders.list_folders(account, bob.pk)
    assert [(f.name, f.rights) for f in seen] == [("INBOX", "lr")]
