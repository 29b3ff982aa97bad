"""Shared accounts: who answered, whose it is, notes; and that nobody else sees them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import Account, Membership, User
from mailhost.mail.models import AccountState
from mailhost.store import read
from mailhost.webmail.models import Answered, Case, Note
from tests.unit.webmail.conftest import PLAIN, Box

SECRET = "The customer is difficult"


@pytest.fixture
def support(alice: User, bob: User) -> Box:
    """What alice and bob share."""
    from accounts.models import Address, Domain
    from accounts.signals import account_created

    account = Account.objects.create(kind="shared", name="support")
    account_created.send(Account, account=account)
    for user in (alice, bob):
        Membership.objects.create(account=account, user=user, write=True, send_as=True)
    domain = Domain.objects.get(name="example.test")
    address = Address.objects.create(domain=domain, local_part="support")
    address.accounts.add(account)
    return Box(alice, account.pk)


def team(box: Box, uid: int, name: str = "INBOX") -> str:
    return box.url(uid, "team/", name)


def modseq(box: Box) -> int:
    return AccountState.objects.get(account=box.account_id).modseq


@pytest.mark.engines
def test_a_note_is_for_members_and_in_no_message(
    support: Box, page: Client, bob: User, browser_of: Any
) -> None:
    uid = support.put(PLAIN)
    before = modseq(support)
    assert page.post(team(support, uid), {"note": SECRET}).status_code == 302
    assert modseq(support) > before  # the change feed tells the others
    other = browser_of(bob)
    text = other.get(support.url(uid)).content.decode()
    assert SECRET in text
    assert "1 note" in other.get(support.url()).content.decode()
    ((octets),) = read.octets_of(support.folder(), [uid]).values()
    assert SECRET.encode() not in octets
    assert SECRET not in other.get(support.url(uid, "source/?show=1")).content.decode()


def test_a_note_stays_when_the_message_is_filed_elsewhere(
    support: Box, page: Client, bob: User, browser_of: Any
) -> None:
    uid = support.put(PLAIN)
    page.post(team(support, uid), {"note": SECRET})
    fields = {"action": "archive", "m": support.where(uid)}
    page.post("/do/", fields, HTTP_HX_REQUEST="true")
    (moved,) = support.uids("Archive")
    other = browser_of(bob)
    assert SECRET in other.get(support.url(moved, name="Archive")).content.decode()
    # In an account of somebody's own it is not there.
    own = Box(bob, Account.objects.get(owner=bob).pk)
    fields = {
        "action": "move", "m": support.where(moved, "Archive"),
        "to": f"{own.account_id}.{own.folder()}",
    }  # fmt: skip
    other.post("/do/", fields, HTTP_HX_REQUEST="true")
    (copy,) = own.uids()
    assert SECRET not in other.get(own.url(copy)).content.decode()
    assert other.post(team(own, copy), {"note": "x"}).status_code == 404


@pytest.mark.engines
def test_it_is_given_to_a_member_and_found(
    support: Box, page: Client, bob: User, browser_of: Any, stranger: User
) -> None:
    first, second = support.put(PLAIN), support.put(b"Subject: Other\r\n\r\nHi\r\n")
    page.post(team(support, first), {"assign": bob.pk})
    other = browser_of(bob)
    mine = other.get(support.url(more="?show=mine")).content.decode()
    assert "Lunch" in mine
    assert "Other" not in mine
    assert "Lunch" not in page.get(support.url(more="?show=mine")).content.decode()
    assert "Bob" in page.get(support.url()).content.decode()
    # All that are his, at once.
    name = f"{support.account_id}.{support.folder()}"
    fields = {"action": "archive", "all": "1", "folder": name, "show": "mine"}
    other.post("/do/", fields, HTTP_HX_REQUEST="true")
    assert support.uids() == [second]
    for wrong in (stranger.pk, 10**9):
        assert page.post(team(support, second), {"assign": wrong}).status_code == 404
    page.post(team(support, second), {"assign": bob.pk})
    page.post(team(support, second), {"assign": ""})
    assert Case.objects.count() == 1


def test_who_answered_is_told(
    support: Box, page: Client, bob: User, browser_of: Any
) -> None:
    uid = support.put(PLAIN)
    from mailhost.webmail.models import Preferences

    Preferences.objects.create(user=bob, undo_seconds=0)
    other = browser_of(bob)
    fields = {
        "sender": "support@example.test", "to": "carl@far.test", "subject": "Re: Lunch",
        "text": "Yes", "origin": support.where(uid), "kind": "reply", "action": "send",
    }  # fmt: skip
    assert other.post("/compose/", fields).status_code == 302
    row = Answered.objects.get()
    assert row.user == bob
    assert "Bob answered" in page.get(support.url()).content.decode()
    assert (
        page.get(support.url(uid)).content.decode().count("Bob answered") == 3
    )  # list, letter, team


@pytest.mark.parametrize("how", ["membership", "group", "reading"])
def test_it_ends_with_the_membership(
    support: Box, page: Client, bob: User, browser_of: Any, how: str
) -> None:
    group = Group.objects.create(name="helpers")
    if how != "membership":
        Membership.objects.filter(user=bob).delete()
        Membership.objects.create(account_id=support.account_id, group=group)
        group.user_set.add(bob)
    uid = support.put(PLAIN)
    page.post(team(support, uid), {"note": SECRET})
    other = browser_of(bob)
    assert SECRET in other.get(team(support, uid)).content.decode()
    page.post(team(support, uid), {"assign": bob.pk})
    if how == "membership":
        Membership.objects.filter(user=bob).delete()
    elif how == "group":
        group.user_set.remove(bob)
    else:
        Membership.objects.filter(group=group).update(read=False)
    for address in (support.url(), support.url(uid), team(support, uid)):
        assert other.get(address).status_code == 404
    assert other.post(team(support, uid), {"note": "x"}).status_code == 404
    assert "(no longer a member)" in page.get(team(support, uid)).content.decode()


def test_who_sees_one_folder_is_no_member(
    support: Box, page: Client, stranger: User, browser_of: Any
) -> None:
    from mailhost.mail.models import FolderRight

    uid = support.put(PLAIN)
    page.post(team(support, uid), {"note": SECRET})
    page.post(team(support, uid), {"assign": support.user.pk})
    FolderRight.objects.create(
        folder_id=support.folder(), user=stranger, rights="lrswite"
    )
    other = browser_of(stranger)
    for address in (support.url(), support.url(uid)):
        answered = other.get(address)
        assert answered.status_code == 200
        assert SECRET not in answered.content.decode()
        assert "Taken care of" not in answered.content.decode()
        assert "1 note" not in answered.content.decode()
    assert other.get(team(support, uid)).status_code == 404
    assert other.post(team(support, uid), {"note": "x"}).status_code == 404


def test_who_only_reads_assigns_nothing(
    support: Box, page: Client, bob: User, browser_of: Any
) -> None:
    Membership.objects.filter(user=bob).update(write=False)
    uid = support.put(PLAIN)
    other = browser_of(bob)
    assert other.post(team(support, uid), {"assign": bob.pk}).status_code == 403
    assert other.post(team(support, uid), {"note": "I saw it"}).status_code == 302
    assert not Case.objects.exists()


def test_a_note_is_taken_back_by_its_author_alone(
    support: Box, page: Client, bob: User, browser_of: Any
) -> None:
    uid = support.put(PLAIN)
    page.post(team(support, uid), {"note": SECRET})
    number = Note.objects.get().pk
    forget = {"forget": number}
    assert browser_of(bob).post(team(support, uid), forget).status_code == 404
    assert page.post(team(support, uid), forget).status_code == 302
    assert not Note.objects.exists()


@pytest.mark.parametrize("text", ["", "  \n ", "\0"])
def test_a_note_says_something(support: Box, page: Client, text: str) -> None:
    uid = support.put(PLAIN)
    assert page.post(team(support, uid), {"note": text}).status_code == 409


def test_a_hostile_note_is_text(support: Box, page: Client) -> None:
    uid = support.put(PLAIN)
    page.post(team(support, uid), {"note": "<script>alert(1)</script>"})
    assert "<script>alert" not in page.get(support.url(uid)).content.decode()


def test_in_ones_own_account_there_is_no_team(box: Box, page: Client) -> None:
    uid = box.put(PLAIN)
    assert page.post(team(box, uid), {"note": "x"}).status_code == 404
    assert "show=mine" not in page.get(box.url()).content.decode()


def test_a_list_costs_the_same_however_long(
    support: Box, page: Client, django_assert_max_num_queries: Any
) -> None:
    def queries(count: int) -> int:
        for number in range(count):
            uid = support.put(f"Subject: s{number}{count}\r\n\r\nx\r\n".encode())
            page.post(team(support, uid), {"note": "n"})
            page.post(team(support, uid), {"assign": support.user.pk})
        with django_assert_max_num_queries(80) as found:
            page.get(support.url())
        return len(found)

    assert queries(2) == queries(12)
