"""A roster brought up to date is the roster read anew, whatever happened between."""

import random
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership
from accounts.newcomers import make_shared_account
from mailhost.mail.models import AccountState, Folder, FolderState
from mailhost.store import acl, folders, roles
from mailhost.store.errors import NoSuchFolder, StoreError
from mailhost.store.reading import NotBrief, here
from mailhost.store.roster import Roster, Rosters
from tests.transcripts.imap_world import fill, write

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = pytest.mark.engines


@pytest.fixture
def account(alice: "User") -> int:
    return alice.account.pk


def anew(account: int) -> Roster:
    return Rosters().get(account)


def do_something(user: "User", dice: random.Random) -> None:
    """Change some folder; refusals are fine."""
    account = user.account.pk
    name, other = dice.sample(["A", "A/B", "A/B/C", "D", "D/E", "Sent"], 2)
    match dice.randrange(6):
        case 0:
            write([account], folders.create_folder, account, name)
        case 1:
            write([account], folders.delete_folder, account, name)
        case 2:
            write([account], folders.rename_folder, account, name, other)
        case 3:
            fill(user, name, ["1"]) if dice.random() < 0.2 else None
        case 4:
            subscribe = dice.choice([folders.subscribe, folders.unsubscribe])
            write([account], subscribe, user.pk, name)
        case _:
            found = folders.open_folder(account, name)
            role = dice.choice(["archive", ""])
            write([account], roles.set_role, account, found.id, role)


@pytest.mark.parametrize("seed", range(6))
def test_step_by_step_it_is_what_there_is(alice: "User", seed: int) -> None:
    dice, account, kept = random.Random(seed), alice.account.pk, Rosters()
    held = [kept.get(account)]
    for _ in range(60):
        try:
            do_something(alice, dice)
        except (StoreError, AssertionError):
            continue
        if dice.random() < 0.5:
            held.append(kept.get(account))
    held.append(kept.get(account))
    now, made = held[-1], anew(account)
    assert now.folders == made.folders
    assert now.subscribed == made.subscribed
    assert now.state == made.state
    for old in held:
        both = old.folders.keys() | now.folders.keys()
        differ = {i for i in both if old.folders.get(i) != now.folders.get(i)}
        assert differ <= set(now.changed_since(old))


def test_sessions_share_it_as_long_as_one_holds_it(account: int) -> None:
    kept = Rosters()
    one, two = kept.get(account), kept.get(account)
    assert one is two
    assert kept.current(account) is one
    del one, two
    assert kept.current(account) is None


def test_a_change_costs_what_changed(alice: "User", account: int) -> None:
    Folder.objects.bulk_create(
        Folder(
            account_id=account,
            name=f"F{n}",
            uid_validity=n + 1,
            mailbox_id=f"{account}-{n}",
        )
        for n in range(1_000)
    )
    made = Folder.objects.filter(account_id=account, state=None)
    FolderState.objects.bulk_create(FolderState(folder=one) for one in made)
    kept = Rosters()
    old = kept.get(account)
    assert len(old.folders) > 1_000
    fill(alice, "F7", ["1"])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        now = kept.get(account)
    assert len(asked) == 3
    assert [now.folders[i].name for i in now.changed_since(old)] == ["F7"]
    shared = sum(now.folders[i] is old.folders[i] for i in now.folders)
    assert shared == len(now.folders) - 1
    assert kept.get(account) is now


def test_much_of_it_is_not_read_on_the_event_loop(account: int) -> None:
    kept = Rosters()
    old = kept.get(account)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mailhost.store.roster.BRIEF_FOLDERS", 3)
        write([account], folders.create_folder, account, "More")
        here.brief = True
        try:
            with pytest.raises(NotBrief):
                kept.get(account)
            with pytest.raises(NotBrief):
                Rosters().get(account)
        finally:
            here.brief = False
    assert len(kept.get(account).folders) == len(old.folders) + 1


def test_a_restored_account_is_read_anew(account: int) -> None:
    kept = Rosters()
    old = kept.get(account)
    Folder.objects.filter(account_id=account, name="Trash").update(name="Bin")
    AccountState.objects.filter(account_id=account).update(modseq=2)
    now = kept.get(account)
    assert "Bin" in {one.name for one in now.folders.values()}
    assert set(now.changed_since(old)) == {
        i for i in now.folders if now.folders[i] != old.folders[i]
    }


def test_no_account(db: None) -> None:
    with pytest.raises(NoSuchFolder):
        anew(999_999)


def test_who_may_do_what_is_noted(alice: "User", bob: "User", account: int) -> None:
    kept, theirs = Rosters(), bob.account.pk
    before = [kept.get(i).state.rights_modseq for i in (account, theirs)]
    box = folders.open_folder(account, "Sent")
    who = acl.subject(alice.pk, box.id, bob.email)
    write([account, theirs], acl.change_rights, account, box.id, who, "", "lr")
    after = [kept.get(i).state.rights_modseq for i in (account, theirs)]
    assert before == [None, None]
    assert None not in after


def test_a_membership_is_noted_and_its_end(alice: "User") -> None:
    shared = make_shared_account("support")
    kept, marks = Rosters(), []
    member = Membership.objects.create(account=shared, user=alice, read=True)
    marks.append(kept.get(alice.account.pk).state.rights_modseq)
    member.delete()
    marks.append(kept.get(alice.account.pk).state.rights_modseq)
    assert marks[0] is not None
    assert marks[1] is not None
    assert marks[0] < marks[1]
    # An account that goes takes its memberships along.
    Membership.objects.create(account=shared, user=alice, read=True)
    Account.objects.filter(pk=shared.pk).delete()
