"""Reads on the event loop itself: brief ones, of SQLite, past Django."""

import asyncio
import threading
import time
from typing import Any

import pytest
from django.db import connection, connections

from accounts.models import User
from mailhost.mail.models import Message
from mailhost.store import append, change, folders, patch, sql
from mailhost.store.content import prepare
from mailhost.store.gate import Gate
from mailhost.store.reading import Glance, NotBrief
from mailhost.store.view import BRIEF_ROWS, views

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite alone"),
]
SECONDS = 10


def opened() -> Glance:
    """Return one that was opened as the gate does: in a thread."""
    glance = Glance()

    def open_() -> None:
        glance.open()
        connections.close_all()

    thread = threading.Thread(target=open_)
    thread.start()
    thread.join()
    return glance


def count() -> Any:
    return sql.rows("SELECT count(*) FROM mail_message WHERE uid > %s", [0])[0][0]


def fill(user: User, messages: int) -> int:
    box = folders.open_folder(user.account.pk, "INBOX")
    for _ in range(messages):
        append.append(box.account_id, box.id, prepare(b"Subject: hi\r\n\r\nhi\r\n"))
    return box.id


def test_it_reads_on_a_running_loop_what_is_committed(alice: User) -> None:
    glance = opened()

    async def work() -> Any:
        return glance.read(count, ())

    assert asyncio.run(work()) == 0
    fill(alice, 2)
    assert asyncio.run(work()) == 2
    glance.close()


def test_it_refuses_to_write(alice: User) -> None:
    fill(alice, 1)
    glance = opened()
    with pytest.raises(NotBrief):
        glance.read(sql.rows, ("DELETE FROM mail_message WHERE uid > %s", [0]))
    assert Message.objects.count() == 1
    assert glance.read(count, ()) == 1
    glance.close()


def test_it_is_refused_before_it_is_open_and_after_it_is_closed() -> None:
    glance = Glance()
    with pytest.raises(NotBrief):
        glance.read(count, ())
    glance = opened()
    glance.close()
    with pytest.raises(NotBrief):
        glance.read(count, ())


def test_an_error_of_the_read_is_told_and_the_next_one_passes() -> None:
    glance = opened()
    with pytest.raises(ZeroDivisionError):
        glance.read(lambda: 1 // 0, ())
    assert glance.read(count, ()) == 0
    glance.close()


def test_a_view_takes_a_few_changes_and_refuses_many(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if another process wrote, which cannot bring our view up.
    monkeypatch.setattr(patch, "newest", lambda _: None)
    folder_id = fill(alice, BRIEF_ROWS + 10)
    glance = opened()
    views.forget(folder_id)
    with pytest.raises(NotBrief):  # it is to be built
        glance.read(views.get, (folder_id,))
    held = views.get(folder_id)
    account = alice.account.pk
    change.add_flags(account, folder_id, [1, 2, 3], 1)
    now = glance.read(views.get, (folder_id,))
    assert list(now.flags[:4]) == [1, 1, 1, 0]
    assert now.uids is held.uids
    assert list(held.flags[:4]) == [0, 0, 0, 0]
    change.add_flags(account, folder_id, list(held.uids), 4)
    with pytest.raises(NotBrief):
        glance.read(views.get, (folder_id,))
    assert set(views.get(folder_id).flags) == {4, 5}
    glance.close()


def test_the_gate_opens_it(alice: User) -> None:
    async def work() -> Any:
        gate = Gate()
        until = time.monotonic() + SECONDS
        try:
            while time.monotonic() < until:
                try:
                    return gate.glance(count)
                except NotBrief:
                    await asyncio.sleep(0.01)
            raise TimeoutError
        finally:
            await gate.close()

    assert fill(alice, 3)
    assert asyncio.run(work()) == 3
    assert connection.vendor == "sqlite"
