"""What is done with many messages, and undone."""

import json
from typing import Any

import pytest
from django.test import Client

from mailhost.store import flags, read
from tests.unit.webmail.conftest import PLAIN, Box

HTMX = {"HX-Request": "true"}


def do(page: Client, form: dict[str, Any]) -> dict[str, Any]:
    answer = page.post("/do/", form, headers=HTMX)
    assert answer.status_code == 204, answer.content
    told: dict[str, Any] = json.loads(answer["HX-Trigger"])
    return told


def undo(page: Client, told: dict[str, Any]) -> int:
    number = told["mailnotice"]["undo"]
    return page.post(f"/undo/{number}/", headers=HTMX).status_code


@pytest.mark.engines
@pytest.mark.parametrize("action", ["archive", "delete", "junk"])
def test_a_move_is_undone_by_a_move(box: Box, page: Client, action: str) -> None:
    from mailhost.store.folders import list_folders

    uids = [box.put(flags=n) for n in (0, flags.SEEN, flags.FLAGGED)]
    kept = [read.listed(box.folder(), uid) for uid in uids]
    told = do(page, {"m": [box.where(u) for u in uids], "action": action})
    assert box.uids() == []
    assert undo(page, told) == 204
    back = [read.listed(box.folder(), uid) for uid in reversed(box.uids())]
    assert [m.email_id for m in back] == [m.email_id for m in kept]
    assert [m.flags for m in back] == [m.flags for m in kept]
    assert [m.internal_date for m in back] == [m.internal_date for m in kept]
    assert sum(f.messages for f in list_folders(box.account_id)) == 3
    assert undo(page, told) == 404  # once


def test_a_mark_is_undone_where_it_changed_something(box: Box, page: Client) -> None:
    seen, fresh = box.put(flags=flags.SEEN), box.put()
    told = do(page, {"m": [box.where(seen), box.where(fresh)], "action": "read"})
    assert "mailnotice" not in told  # one sees it
    from mailhost.webmail.models import Undo

    (row,) = Undo.objects.all()
    page.post(f"/undo/{row.pk}/")
    assert read.listed(box.folder(), seen).flags == flags.SEEN
    assert read.listed(box.folder(), fresh).flags == 0


def test_what_is_gone_meanwhile_stays_gone(box: Box, page: Client) -> None:
    told = do(page, {"m": [box.where(box.put())], "action": "delete"})
    (uid,) = box.uids("Trash")
    do(page, {"m": box.where(uid, "Trash"), "action": "delete"})
    assert undo(page, told) == 204
    assert box.uids() == box.uids("Trash") == []


def test_another_user_cannot_undo(
    box: Box, page: Client, browser_of: Any, bob: Any
) -> None:
    told = do(page, {"m": [box.where(box.put())], "action": "archive"})
    assert undo(browser_of(bob), told) == 404
    assert len(box.uids("Archive")) == 1


def test_an_undo_ends(box: Box, page: Client) -> None:
    from datetime import timedelta

    from mailhost.webmail import undoing
    from mailhost.webmail.models import Undo

    told = do(page, {"m": [box.where(box.put())], "action": "archive"})
    (row,) = Undo.objects.all()
    row.made_at -= undoing.KEPT + timedelta(seconds=1)
    row.save()
    assert undo(page, told) == 404
    do(page, {"m": [box.where(box.put())], "action": "archive"})
    assert not Undo.objects.filter(pk=row.pk).exists()


@pytest.mark.engines
def test_all_that_match_are_more_than_are_shown(box: Box, page: Client) -> None:
    for number in range(70):
        box.put(flags=flags.SEEN * (number % 2))
    folder = f"{box.account_id}.{box.folder()}"
    told = do(
        page, {"all": "1", "folder": folder, "show": "unread", "action": "archive"}
    )
    assert told["mailgone"] == {"m": []}
    assert len(box.uids("Archive")) == 35
    assert undo(page, told) == 204
    do(page, {"all": "1", "folder": folder, "show": "", "action": "delete"})
    assert box.uids() == []


def test_all_hits_of_a_search_go_from_every_folder(box: Box, page: Client) -> None:
    box.put(PLAIN)
    box.put(PLAIN, "Archive")
    other = box.put(PLAIN.replace(b"Lunch", b"Dinner"))
    told = do(page, {"all": "1", "q": "subject:lunch", "action": "delete"})
    assert box.uids() == [other]
    assert box.uids("Archive") == []
    assert undo(page, told) == 204
    assert len(box.uids("Archive")) == 1
    assert len(box.uids()) == 2


@pytest.mark.parametrize("form", [{"show": "x"}, {"folder": "1"}, {"folder": "a.b"}])
def test_all_of_nothing_known_is_not_there(
    box: Box, page: Client, form: dict[str, str]
) -> None:
    box.put()
    whole = {
        "all": "1",
        "folder": f"{box.account_id}.{box.folder()}",
        "action": "delete",
    }
    assert page.post("/do/", whole | form).status_code == 404
    assert len(box.uids()) == 1
