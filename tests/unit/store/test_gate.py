"""The gate: one commit for many, and nobody pays for another's fault."""

import asyncio
import contextlib
import functools
import threading
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts.models import User
from mailhost.mail.models import Annotation, Message
from mailhost.store import append, changes, folders
from mailhost.store.content import CHUNK, prepare
from mailhost.store.feed import feed
from mailhost.store.gate import Gate
from mailhost.store.values import Target

pytestmark = [pytest.mark.engines, pytest.mark.django_db(transaction=True)]
LETTER = b"Subject: hi\r\n\r\nbody\r\n"


def on_gate(work: Any) -> Any:
    """Run a coroutine function with a gate of its own, which it must not outlive."""

    async def run() -> Any:
        gate = Gate()
        try:
            return await work(gate)
        finally:
            await gate.close()
            await asyncio.to_thread(feed.stop)

    def thread() -> None:
        try:
            results.append(asyncio.run(run()))
        except BaseException as error:  # noqa: BLE001 - raised again below
            results.append(error)
        finally:
            connections.close_all()

    results: list[Any] = []
    worker = threading.Thread(target=thread)
    worker.start()
    worker.join(30)
    assert results, "the gate hangs"
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


def note(account: int, entry: str) -> None:
    Annotation.objects.create(account_id=account, entry=entry, value=b"")


def note_and_fail(account: int) -> None:
    note(account, "/never")
    raise ValueError("mine alone")


def test_many_deliveries_are_all_there(alice: User) -> None:
    target = Target(alice.account.pk, delivered_to="alice@example.test")

    async def work(gate: Gate) -> list[int]:
        jobs = [gate.deliver(prepare(LETTER), [target]) for _ in range(120)]
        return sorted(stored[0].uid for stored in await asyncio.gather(*jobs))

    assert on_gate(work) == list(range(1, 121))
    assert Message.objects.count() == 120


def test_only_the_culprit_fails(alice: User) -> None:
    account = alice.account.pk

    async def work(gate: Gate) -> list[Any]:
        jobs = [gate.write([account], note, account, f"/{n}") for n in range(20)]
        jobs.insert(7, gate.write([account], note_and_fail, account))
        return await asyncio.gather(*jobs, return_exceptions=True)

    answers = on_gate(work)
    assert [type(a) for a in answers if a is not None] == [ValueError]
    assert Annotation.objects.count() == 20


def test_a_full_recipient_does_not_hold_up_the_others(alice: User, bob: User) -> None:
    alice.account.quota_bytes = 0
    alice.account.save(update_fields=["quota_bytes"])

    async def work(gate: Gate) -> list[Any]:
        targets = [Target(u.account.pk) for u in (bob, alice, bob, bob)]
        jobs = [gate.deliver(prepare(LETTER), [t]) for t in targets]
        return await asyncio.gather(*jobs, return_exceptions=True)

    answers = on_gate(work)
    assert [type(a).__name__ for a in answers] == ["list", "OverQuota", "list", "list"]
    assert Message.objects.count() == 3


def test_a_lost_connection_answers_and_the_next_write_passes(alice: User) -> None:
    account = alice.account.pk

    def break_connection() -> None:
        raw = connection.connection
        raw.close()
        note(account, "/broken")

    async def work(gate: Gate) -> list[Any]:
        first = gate.write([account], break_connection)
        second = gate.write([account], note, account, "/fine")
        return list(await asyncio.gather(first, second, return_exceptions=True))

    broken, fine = on_gate(work)
    assert isinstance(broken, Exception)
    assert fine is None
    assert [a.entry for a in Annotation.objects.all()] == ["/fine"]


def test_a_big_message_is_staged(alice: User) -> None:
    octets = LETTER + bytes(5 * CHUNK)

    async def work(gate: Gate) -> int:
        prepared = await gate.prepare(octets)
        assert prepared.octets == b""
        (stored,) = await gate.deliver(prepared, [Target(alice.account.pk)])
        return stored.uid

    assert on_gate(work) == 1


def test_a_watcher_hears_of_a_commit_here_and_elsewhere(alice: User) -> None:
    account = alice.account.pk
    inbox = folders.open_folder(account, "INBOX").id

    def elsewhere() -> None:
        # A plain connection, as another process would have it: no hub is told.
        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE mail_accountstate SET modseq = modseq + 1"
                    " WHERE account_id = %s",
                    [account],
                )
                if other.vendor == "postgresql":
                    cursor.execute(
                        "SELECT pg_notify('mailhost_changes',"
                        " (SELECT account_id || ':' || modseq FROM mail_accountstate"
                        " WHERE account_id = %s))",
                        [account],
                    )
        finally:
            other.close()

    async def work(gate: Gate) -> list[int]:
        heard: asyncio.Queue[int] = asyncio.Queue()
        watch = changes.watch(account, lambda _, modseq: heard.put_nowait(modseq))
        try:
            await asyncio.sleep(0.3)  # the listener connects
            await gate.write([account], append.append, account, inbox, prepare(LETTER))
            first = await asyncio.wait_for(heard.get(), 5)
            await asyncio.to_thread(elsewhere)
            while (second := await asyncio.wait_for(heard.get(), 5)) == first:
                pass
            return [first, second]
        finally:
            watch.close()

    first, second = on_gate(work)
    assert second == first + 1


def test_who_fails_leaves_no_row_and_no_news(alice: User) -> None:
    account = alice.account.pk
    heard: list[str] = []

    def write(name: str, *, fails: bool) -> None:
        note(account, name)
        transaction.on_commit(lambda: heard.append(name))
        with contextlib.suppress(ValueError), transaction.atomic():
            note_and_fail(account)
        if fails:
            Annotation.objects.filter(account_id=account).update(value=None)

    async def work(gate: Gate) -> list[Any]:
        jobs = [
            gate.write([account], functools.partial(write, f"/{n}", fails=n % 2 == 1))
            for n in range(6)
        ]
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    answers = on_gate(work)
    assert [type(a).__name__ for a in answers] == ["NoneType", "IntegrityError"] * 3
    assert heard == ["/0", "/2", "/4"]
    entries = Annotation.objects.order_by("entry").values_list("entry", flat=True)
    assert list(entries) == heard
