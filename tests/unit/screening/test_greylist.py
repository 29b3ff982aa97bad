"""Greylisting's rows, on both engines."""

from contextlib import AbstractContextManager
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone
from pytest_django import Settings

from mailhost.screening import greylist
from mailhost.screening.models import GreylistTry, KnownNetwork
from mailhost.screening.strangers import strangers
from mailhost.store.gate import gate

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
NETWORK = "192.0.2.0/24"


def later(**given: float) -> AbstractContextManager[object]:
    now = timezone.now() + timedelta(**given)
    return patch.object(timezone, "now", return_value=now)


def test_who_comes_again_in_time_is_known(settings: Settings) -> None:
    settings.MAILHOST_GREYLIST_SECONDS = 300
    assert greylist.meet(NETWORK, "a")
    assert greylist.meet(NETWORK, "a")  # too early
    with later(minutes=6):
        assert not greylist.meet(NETWORK, "a")
        assert not greylist.meet(NETWORK, "another sender")
        assert greylist.is_known(NETWORK)
        assert greylist.meet("198.51.100.0/24", "a sender of another network")
    assert GreylistTry.objects.count() == 1


def test_who_comes_again_after_days_is_unknown() -> None:
    assert greylist.meet(NETWORK, "a")
    with later(days=3):
        assert greylist.meet(NETWORK, "a")
    with later(days=3, minutes=6):
        assert not greylist.meet(NETWORK, "a")


def test_with_no_wait_coming_twice_is_enough(settings: Settings) -> None:
    settings.MAILHOST_GREYLIST_SECONDS = 0
    assert greylist.meet(NETWORK, "a")
    assert not greylist.meet(NETWORK, "a")


def test_a_known_network_is_noted_once_a_day(settings: Settings) -> None:
    settings.MAILHOST_GREYLIST_DAYS = 36
    KnownNetwork.objects.create(network=NETWORK, last_at=timezone.now())
    assert greylist.is_known(NETWORK)
    with later(days=2):
        assert not greylist.is_known(NETWORK)  # that is: note it
        assert not greylist.meet(NETWORK, "a")
        assert greylist.is_known(NETWORK)
    with later(days=50):
        assert greylist.meet(NETWORK, "a")


def test_what_is_old_is_forgotten() -> None:
    greylist.meet(NETWORK, "a")
    KnownNetwork.objects.create(network=NETWORK, last_at=timezone.now())
    now = timezone.now()
    assert greylist.prune(now + timedelta(days=1)) == 0
    assert greylist.prune(now + timedelta(days=3)) == 1
    assert greylist.prune(now + timedelta(days=60)) == 1


@pytest.mark.django_db(transaction=True)
async def test_inventing_senders_fills_no_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strangers.clear()
    monkeypatch.setattr(greylist, "MOST_TRIES", 3)
    try:
        for n in range(6):
            assert await greylist.must_wait("192.0.2.1", f"{n}@x.example", "a@b")
    finally:
        await gate.close()
        strangers.clear()
    assert await GreylistTry.objects.acount() == 3
