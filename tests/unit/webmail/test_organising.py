"""Put away, muted, reminded: what the pages do and show."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailhost.store import flags, read
from mailhost.webmail import snoozes
from tests.unit.store.test_organising import answer, deliver, late, marks, octets
from tests.unit.webmail.conftest import Box
from tests.unit.webmail.test_acting import do, undo

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (NOON, "later 24 18, tomorrow 25 8, weekend 28 8, week 30 8"),
        (NOON + timedelta(hours=6), "later 24 21, tomorrow 25 8, weekend 28 8"),
        (NOON + timedelta(hours=10), "tomorrow 25 8, weekend 28 8, week 30 8"),
        (NOON + timedelta(days=4), "later 28 18, tomorrow 29 8, weekend 5 8"),
        (NOON + timedelta(days=6), "later 30 18, tomorrow 1 8, weekend 5 8, week 7 8"),
    ],
)
def test_times_are_offered(settings: Any, now: datetime, found: str) -> None:
    settings.TIME_ZONE = "UTC"
    with timezone.override("UTC"):
        offers = snoozes.offers(now)
    told = [f"{one.key} {one.when.day} {one.when.hour}" for one in offers]
    assert ", ".join(told).startswith(found)


def test_mornings_are_mornings_when_clocks_change() -> None:
    with timezone.override("Europe/Berlin"):
        offers = {
            o.key: o for o in snoozes.offers(datetime(2026, 10, 24, 9, tzinfo=UTC))
        }
        assert timezone.localtime(offers["tomorrow"].when).hour == 8


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T10:00", "2020-01-01T10:00"])
def test_no_time_is_told(box: Box, page: Client, text: str) -> None:
    form = {"m": box.where(box.put()), "action": "snooze", "until": text}
    assert page.post("/do/", form).status_code == 409
    assert len(box.uids()) == 1


@pytest.mark.engines
def test_a_conversation_is_put_away_and_undone(box: Box, page: Client) -> None:
    first, second = box.put(octets(1)), box.put(answer(2, 1), flags=flags.SEEN)
    form = {"m": box.where(second), "threads": "1", "action": "snooze:tomorrow"}
    told = do(page, form)
    assert "Put away until" in told["mailnotice"]["text"]
    assert told["mailgone"]["m"] == [box.where(second)]
    assert box.uids() == []
    shown = page.get(box.url(name="Snoozed")).content.decode()
    assert 'class="tag notable"' in shown
    assert undo(page, told) == 204
    assert [marks(box, uid) for uid in box.uids()] == [(flags.SEEN, set()), (0, set())]
    assert late() == 0
    assert first


@pytest.mark.engines
def test_another_time_is_undone_too(box: Box, page: Client) -> None:
    from mailhost.mail.models import Snooze

    do(page, {"m": box.where(box.put()), "action": "snooze:tomorrow"})
    before = Snooze.objects.get().due
    (uid,) = box.uids("Snoozed")
    until = timezone.localtime() + timedelta(days=40)
    form = {"m": box.where(uid, "Snoozed"), "action": "snooze"}
    told = do(page, form | {"until": f"{until:%Y-%m-%dT%H:%M}"})
    assert Snooze.objects.get().due > before
    undo(page, told)
    assert Snooze.objects.get().due == before


def test_what_is_archived_from_there_is_waited_for_no_longer(
    box: Box, page: Client
) -> None:
    from mailhost.mail.models import Snooze

    do(page, {"m": box.where(box.put()), "action": "snooze:week"})
    (uid,) = box.uids("Snoozed")
    do(page, {"m": box.where(uid, "Snoozed"), "action": "wake"})
    assert marks(box, box.uids()[0]) == (0, set())
    assert not Snooze.objects.exists()


def test_it_is_back_until_it_is_read(box: Box, page: Client) -> None:
    do(page, {"m": box.where(box.put()), "action": "snooze:week"})
    late()
    assert "Back again" in page.get(box.url()).content.decode()
    (uid,) = box.uids()
    do(page, {"m": box.where(uid), "action": "read"})
    assert marks(box, uid) == (flags.SEEN, set())


def test_a_reader_puts_nothing_away(box: Box, bob: Any, browser_of: Any) -> None:
    from accounts.models import Account, Membership

    shared = Account.objects.get(pk=box.account_id)
    Membership.objects.create(account=shared, user=bob, read=True, write=False)
    uid = box.put()
    for action in ("snooze:tomorrow", "mute"):
        form = {"m": box.where(uid), "action": action}
        assert browser_of(bob).post("/do/", form).status_code == 403, action
    assert box.uids() == [uid]


@pytest.mark.engines
def test_mute_archives_and_is_undone(box: Box, page: Client) -> None:
    uid = box.put(octets(1))
    box.put(answer(2, 1), name="Sent", flags=flags.SEEN)
    told = do(page, {"m": box.where(uid), "action": "mute"})
    assert box.uids() == []
    assert deliver(box, answer(3, 1)).folder_id == box.folder("Archive")
    hits = page.get("/search/?q=is:muted").content.decode()
    assert hits.count('class="row ') + hits.count('class="row"') == 3
    assert undo(page, told) == 204
    assert len(box.uids()) == 1
    assert deliver(box, answer(4, 1)).folder_id == box.folder()


def test_unmute_leaves_them_where_they_are(box: Box, page: Client) -> None:
    do(page, {"m": box.where(box.put(octets(1))), "action": "mute"})
    (uid,) = box.uids("Archive")
    do(page, {"m": box.where(uid, "Archive"), "action": "unmute"})
    assert box.uids("Archive") == [uid]
    assert not read.listed(box.folder("Archive"), uid).keywords
    assert deliver(box, answer(3, 1)).folder_id == box.folder()


def test_importance_is_shown(box: Box, page: Client) -> None:
    box.put(octets(1, "Subject: a", "Importance: high"))
    box.put(octets(2, "Subject: b", "X-Priority: 5"))
    shown = page.get(box.url()).content.decode()
    assert shown.count('class="mark high"') == 1
    assert shown.count("Not urgent") == 2  # as a title, and for who hears it
