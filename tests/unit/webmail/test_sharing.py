"""Folders: made, moved, deleted, taken back; shared with others, who see no more."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from mailhost.mail.models import Folder, FolderRight, Subscription
from mailhost.store import folders
from mailhost.store.gate import gate
from mailhost.webmail.models import Undo
from tests.unit.webmail.conftest import PLAIN, Box


def names(box: Box) -> list[str]:
    return [one.name for one in folders.list_folders(box.account_id)]


def make(box: Box, name: str) -> int:
    return gate.write_sync(
        [box.account_id], folders.create_folder, box.account_id, name
    ).id


def undo(page: Client) -> int:
    return page.post(
        f"/undo/{Undo.objects.latest('pk').pk}/", HTTP_HX_REQUEST="true"
    ).status_code


def at(box: Box, folder_id: int, what: str) -> str:
    return f"/folders/{box.account_id}/{folder_id}/{what}/"


@pytest.mark.engines
def test_a_folder_goes_to_trash_and_comes_back(box: Box, page: Client) -> None:
    work = make(box, "Work")
    make(box, "Work/Old")
    box.put(PLAIN, "Work/Old")
    page.post(at(box, work, "delete"))
    assert {"Trash/Work", "Trash/Work/Old"} <= set(names(box))
    assert undo(page) == 204
    assert {"Work", "Work/Old"} <= set(names(box))
    assert len(box.uids("Work/Old")) == 1
    # Another of that name is in Trash already; there it goes for good.
    make(box, "Trash/Work")
    page.post(at(box, work, "delete"))
    assert "Trash/Work 2/Old" in names(box)
    page.post(at(box, work, "delete"))
    assert not [name for name in names(box) if name.startswith("Trash/Work 2")]


def test_a_folder_moves_below_another_and_back(box: Box, page: Client) -> None:
    work, home = make(box, "Work"), make(box, "Home")
    page.post(at(box, work, "rename"), {"into": f"{box.account_id}.{home}"})
    assert "Home/Work" in names(box)
    page.post(at(box, home, "rename"), {"into": f"{box.account_id}.{work}"})
    assert "Home" in names(box)  # not below itself
    assert undo(page) == 204
    assert "Work" in names(box)
    page.post(at(box, work, "rename"), {"into": ""})
    assert "Work" in names(box)


def test_one_that_was_made_goes_again_while_it_is_empty(box: Box, page: Client) -> None:
    above = make(box, "Work")
    place = f"/folders/{box.account_id}/new/"
    page.post(place, {"name": "Sub", "above": f"{box.account_id}.{above}"})
    assert Subscription.objects.filter(name="Work/Sub").exists()
    assert undo(page) == 204
    assert "Work/Sub" not in names(box)
    page.post(place, {"name": "Sub"})
    box.put(PLAIN, "Sub")
    assert undo(page) == 404
    assert "Sub" in names(box)


def test_subscriptions_follow_a_name(box: Box, page: Client) -> None:
    work = make(box, "Work")
    page.post(at(box, work, "subscribe"), {"wanted": "1"})
    page.post(at(box, work, "rename"), {"name": "Job"})
    mine = Subscription.objects.filter(user=box.user)
    assert mine.filter(name="Job").exists()
    assert not mine.filter(name="Work").exists()
    page.post(at(box, work, "subscribe"), {"wanted": "0"})
    assert not mine.filter(name="Job").exists()


SHARED = "Re: shared"


def shared(box: Box, page: Client, level: str, who: str = "bob@example.test") -> int:
    """Share a folder with a letter in it that continues one that stays apart."""
    work = make(box, "Work")
    apart = (
        b"From: Eve <eve@far.test>\r\nSubject: shared\r\nMessage-ID: <1@x>\r\n\r\nno"
    )
    reply = (
        b"From: Carl <carl@far.test>\r\nSubject: Re: shared\r\n"
        b"References: <1@x>\r\n\r\nyes"
    )
    box.put(apart)
    box.put(reply, "Work")
    said = page.post(at(box, work, "share"), {"who": who, "level": level})
    assert b'role="alert"' not in said.content
    return work


@pytest.mark.engines
def test_others_see_what_is_shared_and_no_more(
    box: Box, page: Client, bob: User, browser_of: Any, stranger: User
) -> None:
    shared(box, page, "read")
    other = browser_of(bob)
    pane = other.get("/folders/").content.decode()
    assert 'title="Work"' in pane
    assert f'data-folder="{box.account_id}.{box.folder()}"' not in pane
    listing = other.get(box.url(name="Work")).content.decode()
    assert SHARED in listing
    assert "Eve" not in listing  # she wrote a letter of the same conversation
    (uid,) = box.uids("Work")
    letter = other.get(box.url(uid, name="Work")).content.decode()
    assert "carl@far.test" in letter
    assert "eve@far.test" not in letter
    assert other.get(box.url()).status_code == 404
    assert "eve@far" not in other.get("/search/?q=shared").content.decode()
    assert SHARED in other.get("/search/?q=shared").content.decode()
    assert browser_of(stranger).get(box.url(name="Work")).status_code == 404


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        ("look", []),
        ("read", ["read"]),
        ("write", ["read", "flag", "delete"]),
        ("manage", ["read", "flag", "delete", "share"]),
    ],
)
def test_each_level_allows_what_it_says(
    box: Box, page: Client, bob: User, browser_of: Any, level: str, allowed: list[str]
) -> None:
    work = shared(box, page, level)
    (uid,) = box.uids("Work")
    other, found = browser_of(bob), []
    for action in ("read", "flag", "delete"):
        fields = {"action": action, "m": box.where(uid, "Work")}
        if other.post("/do/", fields, HTTP_HX_REQUEST="true").status_code == 204:
            found.append(action)
    if other.get(at(box, work, "share")).status_code == 200:
        found.append("share")
    assert found == allowed


def test_what_lies_below_is_not_deleted_along(
    box: Box, page: Client, bob: User, browser_of: Any
) -> None:
    work = shared(box, page, "manage")
    make(box, "Work/Private")
    FolderRight.objects.filter(folder__name="Work/Private").delete()
    said = browser_of(bob).post(at(box, work, "delete"))
    assert said.status_code == 403
    assert {"Work", "Work/Private"} <= set(names(box))
    make(box, "Alone")
    FolderRight.objects.filter(folder__name="Alone").delete()
    gate.write_sync(
        [box.account_id], folders.delete_folder, box.account_id, "Work/Private"
    )
    browser_of(bob).post(at(box, work, "delete"))
    assert {"Work", "Alone"} & set(names(box)) == {"Alone"}


def test_what_one_deletes_of_another_goes_to_ones_own_trash(
    box: Box, page: Client, bob: User, browser_of: Any
) -> None:
    from accounts.models import Account

    shared(box, page, "write")
    (uid,) = box.uids("Work")
    other = browser_of(bob)
    fields = {"action": "delete", "m": box.where(uid, "Work")}
    other.post("/do/", fields, HTTP_HX_REQUEST="true")
    own = Box(bob, Account.objects.get(owner=bob).pk)
    assert (len(own.uids("Trash")), box.uids("Work"), box.uids("Trash")) == (1, [], [])
    assert undo(other) == 204
    assert len(box.uids("Work")) == 1


def test_it_ends_when_it_is_taken_back(
    box: Box, page: Client, bob: User, browser_of: Any
) -> None:
    work = shared(box, page, "manage")
    other = browser_of(bob)
    assert other.get(box.url(name="Work")).status_code == 200
    page.post(at(box, work, "share"), {"who": bob.email, "level": ""})
    assert not FolderRight.objects.exists()
    assert other.get(box.url(name="Work")).status_code == 404
    assert other.get(at(box, work, "share")).status_code == 404


def test_a_group_and_what_lies_below(
    box: Box, page: Client, bob: User, browser_of: Any
) -> None:
    team = Group.objects.create(name="team")
    team.user_set.add(bob, box.user)
    work, below = make(box, "Work"), make(box, "Work/Sub")
    fields = {"who": "$team", "level": "write", "below": "1"}
    text = page.post(at(box, work, "share"), fields).content.decode()
    assert "(a group)" in text
    other = browser_of(bob)
    assert other.get(box.url(name="Work/Sub")).status_code == 200
    team.user_set.remove(bob)
    assert other.get(box.url(name="Work/Sub")).status_code == 404
    assert FolderRight.objects.filter(folder_id=below).count() == 1


@pytest.mark.parametrize(
    "who", ["nobody@example.test", "$unknown", "-bob", "anyone", ""]
)
def test_nobody_is_told(box: Box, page: Client, who: str) -> None:
    work = make(box, "Work")
    said = page.post(at(box, work, "share"), {"who": who, "level": "read"})
    assert b'role="alert"' in said.content
    assert not FolderRight.objects.exists()


def test_what_one_holds_oneself_stays(
    box: Box, page: Client, bob: User, browser_of: Any
) -> None:
    work = shared(box, page, "manage")
    fields = {"who": bob.email, "level": ""}
    assert (
        b'role="alert"' in browser_of(bob).post(at(box, work, "share"), fields).content
    )
    assert FolderRight.objects.count() == 1
    fields = {"who": box.user.email, "level": "look"}
    assert b'role="alert"' in page.post(at(box, work, "share"), fields).content


@pytest.mark.parametrize("who", ["bob", "stranger"])
def test_strangers_change_nothing(
    box: Box, request: pytest.FixtureRequest, browser_of: Any, who: str
) -> None:
    work = make(box, "Work")
    other = browser_of(request.getfixturevalue(who))
    for what in ("share", "rename", "delete", "subscribe"):
        said = other.post(
            at(box, work, what), {"who": "x", "level": "read", "name": "N"}
        )
        assert said.status_code == 404, what
    place = f"/folders/{box.account_id}/new/"
    assert other.post(place, {"name": "New"}).status_code == 404
    assert Folder.objects.filter(account=box.account_id, name="Work").exists()


def test_who_may_write_in_one_makes_none_beside_it(
    box: Box, page: Client, bob: User, browser_of: Any
) -> None:
    shared(box, page, "manage")
    other, place = browser_of(bob), f"/folders/{box.account_id}/new/"
    assert other.post(place, {"name": "Beside"}).status_code == 403
    assert other.post(place, {"name": "Work/Below"}).status_code == 200
    assert "Beside" not in names(box)
    assert "Work/Below" in names(box)
