"""Logins off the event loop: what is slow holds up neither it nor reads."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_django import Settings

from accounts import apppasswords, auth, passwords
from accounts.auth import Attempt, TooManyFailures
from accounts.claims import Password
from accounts.models import User
from mailhost.store.gate import gate
from protocols.common import logins
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.engines, pytest.mark.django_db(transaction=True)]
AT = Attempt("imap", "192.0.2.1")


@pytest.fixture(autouse=True)
async def threads(transactional_db: None) -> AsyncIterator[None]:
    yield
    await asyncio.to_thread(logins.slowly.stop)
    await gate.close()


class Held:
    """Argon2 that takes until a test says so."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.end = threading.Event()

    def __call__(self, standing: Any, password: str) -> bool:
        self.begun.release()
        assert self.end.wait(20)
        return password == PASSWORD


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    monkeypatch.setattr(passwords, "matches", made)
    return made


@pytest.fixture
def phone(alice: User) -> str:
    return apppasswords.create(alice.pk, "phone")[1]


async def test_while_passwords_are_checked_reads_go_on(
    alice: User, phone: str, held: Held
) -> None:
    many = [
        asyncio.create_task(logins.ask(Password(alice.email, PASSWORD), AT))
        for _ in range(20)
    ]
    await asyncio.to_thread(held.begun.acquire)
    assert await gate.read(User.objects.count) == 1
    by_app_password = await logins.ask(Password(alice.email, phone), AT)
    assert by_app_password.app_password_id is not None
    held.end.set()
    assert {found.user_id for found in await asyncio.gather(*many)} == {alice.pk}


async def test_the_queue_is_bounded(
    alice: User, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "MOST_WAITING", 3)
    claim = Password(alice.email, PASSWORD)
    some = [asyncio.create_task(logins.slowly.check(claim, AT)) for _ in range(3)]
    await asyncio.sleep(0)  # each is queued
    with pytest.raises(logins.Busy):
        await logins.ask(claim, AT)
    held.end.set()
    await asyncio.gather(*some)
    assert (await logins.ask(claim, AT)).user_id == alice.pk


async def test_what_was_verified_needs_no_slow_thread(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Password(alice.email, PASSWORD)
    await logins.ask(claim, AT)
    monkeypatch.setattr(logins, "MOST_WAITING", 0)
    assert (await logins.ask(claim, AT)).user_id == alice.pk


async def test_a_guess_that_has_to_wait_holds_no_thread(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAILHOST_LOGIN_FAILURES = 1
    slept: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        assert logins.slowly._waiting == 0
        slept.append(seconds)
        await sleep(seconds)

    with pytest.raises(auth.WrongCredentials):
        await logins.ask(Password(alice.email, "wrong"), AT)
    monkeypatch.setattr(asyncio, "sleep", note)
    found = await logins.ask(Password(alice.email, PASSWORD), AT)
    assert found.user_id == alice.pk
    assert 0 < slept[0] <= 1
    monkeypatch.setattr(logins, "PATIENCE_SECONDS", 0)
    with pytest.raises(auth.WrongCredentials):
        await logins.ask(Password(alice.email, "wrong"), Attempt("imap", "192.0.2.9"))
    with pytest.raises(TooManyFailures):
        await logins.ask(Password(alice.email, PASSWORD), Attempt("imap", "192.0.2.9"))
