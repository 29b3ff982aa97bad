"""Counts of an hour, and who is looked at."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from mailhost.screening import strangers
from mailhost.screening.models import StrangerCount
from mailhost.screening.networks import is_looked_at, network_of


@pytest.fixture(autouse=True)
def nobody_was_here() -> Iterator[None]:
    strangers.strangers.clear()
    yield
    strangers.strangers.clear()


def test_guessing_takes_longer_and_longer(settings: Settings) -> None:
    settings.MAILHOST_MAX_UNKNOWN_RECIPIENTS = 10
    settings.MAILHOST_TARPIT_SECONDS = 6
    delays = [strangers.guessed("192.0.2.1") for _ in range(10)]
    assert delays == [0, 0, 0, 1, 2, 4, 6, 6, 6, None]
    assert strangers.has_guessed_enough("192.0.2.1")
    assert not strangers.has_guessed_enough("192.0.2.2")


def test_an_ipv6_neighbour_is_the_same_guesser(settings: Settings) -> None:
    settings.MAILHOST_MAX_UNKNOWN_RECIPIENTS = 2
    strangers.guessed("2001:db8::1")
    assert strangers.guessed("2001:db8::2") is None


def test_messages_are_counted_by_address_and_network(settings: Settings) -> None:
    settings.MAILHOST_MAX_MESSAGES_PER_ADDRESS = 2
    settings.MAILHOST_MAX_MESSAGES_PER_NETWORK = 3
    assert [strangers.may_send("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert not strangers.may_send("192.0.2.2")
    assert strangers.may_send("198.51.100.1")


def test_an_hour_ends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAILHOST_MAX_MESSAGES_PER_ADDRESS = 1
    assert strangers.may_send("192.0.2.1")
    assert not strangers.may_send("192.0.2.1")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 3601)
    assert strangers.may_send("192.0.2.1")


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "MOST_KEYS", 10)
    found = strangers.Strangers()
    for n in range(50):
        found.note("guesses", str(n))
    assert found.count("guesses", "49") == 1
    assert found.count("guesses", "0") == 0
    assert len(found._counts) == 10


def asked(found: strangers.Strangers, times: int, most: int = 80) -> int:
    return [found.note("guesses", "192.0.2.1", most) for _ in range(times)][-1]


@pytest.mark.engines
@pytest.mark.django_db(transaction=True)
def test_all_processes_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = strangers.Strangers(), strangers.Strangers()
    assert asked(one, 9) == 9
    one.share()
    assert not StrangerCount.objects.exists()  # less than an eighth: nobody is told
    assert (asked(one, 30), asked(two, 10)) == (39, 10)
    one.share()
    assert two.count("guesses", "192.0.2.1") == 10
    two.share()
    assert two.count("guesses", "192.0.2.1") == 49
    asked(one, 12)
    one.share()
    assert one.count("guesses", "192.0.2.1") == 61
    assert StrangerCount.objects.get().count == 61
    # What is counted while the row is written is neither lost nor counted twice.
    asked(one, 11)
    real = strangers._together

    def late(added: Any) -> Any:
        asked(one, 3)
        return real(added)

    monkeypatch.setattr(strangers, "_together", late)
    one.share()
    assert one.count("guesses", "192.0.2.1") == 75
    monkeypatch.undo()
    # The hour of all ends for all.
    StrangerCount.objects.update(until=timezone.now())
    asked(one, 8)
    one.share()
    assert StrangerCount.objects.get().count == 11
    assert one.count("guesses", "192.0.2.1") == 11
    StrangerCount.objects.update(until=timezone.now())
    strangers.prune()
    assert not StrangerCount.objects.exists()


@pytest.mark.parametrize(
    ("peer", "looked_at"),
    [
        ("192.0.2.1", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("2001:db8::1", True),
        ("", False),
    ],
)
def test_who_is_looked_at(peer: str, *, looked_at: bool) -> None:
    assert is_looked_at(peer) is looked_at


def test_neighbourhoods() -> None:
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("::ffff:192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
