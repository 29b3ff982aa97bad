"""The settings of language and time, and the pages in them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from mailhost.store import errors
from mailhost.webmail import refusals
from tests.unit.webmail.conftest import Box

BERLIN = {"language": "de", "time_zone": "Europe/Berlin", "week_start": "0"}


def test_what_is_chosen_is_kept_and_shown(box: Box, page: Client) -> None:
    shown = page.post("/settings/language/", BERLIN, follow=True).content.decode()
    assert '<html lang="de"' in shown
    assert '<option value="Europe/Berlin" selected>' in shown
    box.user.refresh_from_db()
    kept = (box.user.language, box.user.time_zone, box.user.week_start)
    assert kept == ("de", "Europe/Berlin", 0)


@pytest.mark.parametrize(
    "wrong", [{"language": "tlh"}, {"time_zone": "../etc"}, {"week_start": "3"}]
)
def test_what_cannot_be_is_told(box: Box, page: Client, wrong: dict[str, str]) -> None:
    shown = page.post("/settings/language/", BERLIN | wrong).content.decode()
    assert 'role="alert"' in shown
    box.user.refresh_from_db()
    assert (box.user.language, box.user.time_zone) == ("", "")


def test_next_week_begins_on_ones_own_day(box: Box, page: Client) -> None:
    from mailhost.mail.models import Snooze

    found = {}
    for day in ("0", "1", "6"):
        page.post("/settings/language/", BERLIN | {"week_start": day, "language": "en"})
        page.post("/do/", {"m": box.where(box.put()), "action": "snooze:week"})
        found[day] = {
            one.due.astimezone(ZoneInfo("Europe/Berlin")).weekday()
            for one in Snooze.objects.all()
        }
        Snooze.objects.all().delete()
    assert found == {"0": {6}, "1": {0}, "6": {5}}


def test_a_browser_proposes_its_zone_once(box: Box, page: Client) -> None:
    assert "data-zone=" in page.get(box.url()).content.decode()
    for zone in ("Mars/Olympus", "Asia/Tokyo", "Europe/Berlin"):
        assert page.post("/settings/zone/", {"zone": zone}).status_code == 204
    box.user.refresh_from_db()
    assert box.user.time_zone == "Asia/Tokyo"
    assert "data-zone=" not in page.get(box.url()).content.decode()


def test_times_of_the_list_and_the_letter_are_the_readers(
    box: Box, page: Client
) -> None:
    uid = box.put()  # sent on 1 June 2026 at 10:00 UTC
    page.post("/settings/language/", BERLIN | {"time_zone": "Asia/Tokyo"})
    shown = page.get(box.url(uid)).content.decode()
    assert "1. Juni 2026 19:00" in shown


def test_a_day_of_a_search_is_the_readers(box: Box, page: Client) -> None:
    from mailhost.store import append
    from mailhost.store.content import prepare
    from mailhost.store.gate import gate

    # Half past eight in the evening of the 1st in New York.
    late = datetime(2026, 6, 2, 0, 30, tzinfo=UTC)
    gate.write_sync(
        [box.account_id],
        lambda: append.append(
            box.account_id,
            box.folder(),
            prepare(b"Subject: Late\r\n\r\n"),
            internal_date=late,
        ),
    )
    found = {}
    for zone in ("America/New_York", "UTC"):
        page.post("/settings/language/", BERLIN | {"time_zone": zone})
        shown = page.get("/search/?q=before:2026/06/02").content.decode()
        found[zone] = 'class="subject"' in shown
    assert found == {"America/New_York": True, "UTC": False}


def test_later_is_meant_in_the_readers_time(box: Box, page: Client) -> None:
    from mailhost.sending.models import Scheduled

    page.post("/settings/language/", BERLIN)
    form = {
        "action": "send", "sender": "alice@example.test", "to": "carl@far.test",
        "subject": "x", "text": "x",
    }  # fmt: skip
    soon = datetime.now(ZoneInfo("Europe/Berlin")) + timedelta(days=2)
    due = soon.replace(hour=9, minute=0, second=0, microsecond=0)
    page.post("/compose/", form | {"later": f"{due:%Y-%m-%dT%H:%M}"})
    assert Scheduled.objects.get().due == due


def every(kind: Any) -> set[Any]:
    return {kind, *(one for sub in kind.__subclasses__() for one in every(sub))}


def test_every_refusal_of_the_store_has_words() -> None:
    assert set(refusals.WORDS) == every(errors.StoreError) - {errors.StoreError}
    assert refusals.reply("550 5.7.1 This sender address is not yours") != (
        "550 5.7.1 This sender address is not yours"
    )
    assert refusals.reply("550 no") == "550 no"
