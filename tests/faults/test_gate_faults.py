"""Faults under the gate: a full disk, a connection lost around COMMIT."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from accounts.models import User
from mailhost.mail.models import Annotation
from mailhost.store.gate import Gate
from tests.unit.store.test_gate import note, on_gate

pytestmark = [pytest.mark.engines, pytest.mark.django_db(transaction=True)]


def fill_the_disk(account: int) -> None:
    if connection.vendor != "sqlite":
        raise OperationalError("could not extend file: no space left on device")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        # What earlier tests freed would be room.
        cursor.execute("PRAGMA freelist_count")
        (free,) = cursor.fetchone()
    try:
        big = bytes((free << 12) + (1 << 20))
        Annotation.objects.create(account_id=account, entry="/big", value=big)
    finally:
        # Past Django, which lets no statement through after an error.
        connection.connection.execute("PRAGMA max_page_count = 1073741823")


def test_a_full_disk_fails_only_what_filled_it(alice: User) -> None:
    account = alice.account.pk

    async def work(gate: Gate) -> list[Any]:
        jobs = [
            gate.write([account], note, account, "/before"),
            gate.write([account], fill_the_disk, account),
            gate.write([account], note, account, "/after"),
        ]
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    before, full, after = on_gate(work)
    assert (before, after) == (None, None)
    assert isinstance(full, OperationalError)
    entries = Annotation.objects.order_by("entry").values_list("entry", flat=True)
    assert list(entries) == ["/after", "/before"]


class LostOnce:
    """Stands in for COMMIT; in the writer, the connection is lost at the first one."""

    def __init__(self, real: Callable[[Any], None], *, after: bool) -> None:
        self.real = real
        self.after = after
        self.lost = False

    def __call__(self, wrapper: Any) -> None:
        if self.lost or "mailhost-write" not in threading.current_thread().name:
            self.real(wrapper)
            return
        self.lost = True
        if self.after:
            self.real(wrapper)
        wrapper.connection.close()
        lost = psycopg.errors.ConnectionFailure("server closed the connection")
        raise OperationalError(str(lost)) from lost


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_lost_around_commit_writes_once(
    alice: User, *, after: bool
) -> None:
    if after and connection.vendor == "sqlite":
        return  # it commits in this process: there is nothing to lose in between
    account = alice.account.pk
    wrapper_class: Any = type(connections["default"])
    lost = LostOnce(wrapper_class._commit, after=after)

    async def work(gate: Gate) -> list[Any]:
        jobs = [gate.write([account], note, account, f"/{n}") for n in range(3)]
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    with mock.patch.object(wrapper_class, "_commit", lambda wrapper: lost(wrapper)):
        answers = on_gate(work)
    assert lost.lost
    entries = list(Annotation.objects.order_by("entry").values_list("entry", flat=True))
    written = [f"/{n}" for n, answer in enumerate(answers) if answer is None]
    if connection.vendor == "postgresql":
        # The batch's row settles it: nobody is refused, nothing is written twice.
        assert written == ["/0", "/1", "/2"]
    assert sorted(set(entries)) == sorted(entries)
    assert set(written) <= set(entries)
