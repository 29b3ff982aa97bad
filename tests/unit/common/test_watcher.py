"""Which sessions a row of another process ends."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from typing_extensions import override

from accounts import apppasswords, auth, tokens
from accounts.claims import Password
from accounts.known import Login
from accounts.models import Domain, Revocation, User
from accounts.revocation import end_connection
from protocols.common.presence import Entry, sessions
from protocols.common.watcher import Register, Revocations
from protocols.connections import connected, kick
from protocols.models import OpenConnection, ServerProcess
from tests.conftest import PASSWORD

pytestmark = pytest.mark.engines


class Fake:
    """A session, and what its loop would be told."""

    def __init__(self, number: int, login: Login) -> None:
        self.client = "Fake 1"
        self.ended = False
        loop: Any = SimpleNamespace(
            is_closed=lambda: False, call_soon_threadsafe=lambda fn: fn()
        )
        context: Any = SimpleNamespace(
            connection_id=f"c{number}", service="imap", peer="192.0.2.1", tls=True
        )
        entry = Entry(context, login, loop, datetime.now(UTC))
        sessions._entries[self] = entry

    def revoke(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def nobody() -> Any:
    sessions._entries.clear()
    yield
    sessions._entries.clear()


def log_in(user: User, password: str = PASSWORD) -> Login:
    return auth.check(Password(user.email, password), auth.Attempt("imap", "192.0.2.1"))


def test_what_ends(alice: User, bob: User) -> None:
    row, text = apppasswords.create(alice.pk, "phone")
    token, _ = tokens.issue(alice.pk, ["imap"], "program")
    own = Fake(1, log_in(alice))
    phone = Fake(2, log_in(alice, text))
    program = Fake(
        3, Login(alice.pk, 0, alice.email, access_token_id=token.pk, version=1)
    )
    bobs = Fake(4, log_in(bob))
    seen = Revocations()
    seen.look()
    assert not any(s.ended for s in (own, phone, program, bobs))
    row.delete()
    seen.look()
    assert [s.ended for s in (own, phone, program, bobs)] == [False, True, False, False]
    token.delete()
    seen.look()
    assert [s.ended for s in (own, program, bobs)] == [False, True, False]
    alice.set_password("another one")
    alice.save()
    late = Fake(5, log_in(alice, "another one"))
    seen.look()
    assert [s.ended for s in (own, late, bobs)] == [True, False, False]
    end_connection("c4")
    seen.look()
    assert [s.ended for s in (late, bobs)] == [False, True]
    bob.account.active = False
    bob.account.save()
    again = Fake(6, Login(bob.pk, 0, bob.email, version=1))
    Revocations().look()  # of a process that has only just begun to look
    assert again.ended


def test_a_login_that_was_checked_before_and_comes_after(alice: User) -> None:
    row, text = apppasswords.create(alice.pk, "phone")
    by_phone, by_password = log_in(alice, text), log_in(alice)
    row.delete()
    alice.set_password("another one")
    alice.save()
    seen = Revocations()
    seen.look()
    phone, own = Fake(1, by_phone), Fake(2, by_password)
    seen.look()
    assert (phone.ended, own.ended) == (True, True)


def test_a_domain_that_begins_to_need_a_second_factor(
    alice: User, stranger: User
) -> None:
    seen = Revocations()
    mine, other = Fake(1, log_in(alice)), Fake(2, log_in(stranger))
    domain = Domain.objects.get(name="example.test")
    domain.own_aliases = 1
    domain.save()
    seen.look()
    assert not mine.ended
    domain.second_factor = True
    domain.save()
    seen.look()
    assert (mine.ended, other.ended) == (True, False)
    again = Fake(3, Login(alice.pk, 0, alice.email, version=2))
    domain.save()
    seen.look()
    assert not again.ended


async def test_a_session_ends_with_what_it_logged_in_with() -> None:
    def login(seconds: float) -> Login:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        return Login(1, 1, "alice@example.test", expires_at=until)

    context: Any = SimpleNamespace(connection_id="c1")

    class Waited(Fake):
        over = asyncio.Event()

        @override
        def revoke(self) -> None:
            self.over.set()

    short, gone, long = (kind(1, login(1)) for kind in (Waited, Fake, Fake))
    sessions.add(long, context, login(3600))
    sessions.add(gone, context, login(-1))
    sessions.remove(gone)
    sessions.add(short, context, login(0.01))
    await asyncio.wait_for(Waited.over.wait(), 10)
    assert (long.ended, gone.ended) == (False, False)
    sessions.remove(long)


def test_a_row_that_is_committed_late_is_heard(alice: User, bob: User) -> None:
    seen = Revocations()
    first, second = Fake(1, log_in(alice)), Fake(2, log_in(bob))
    Revocation.objects.create(pk=1001, connection_id="c2")
    seen.look()
    assert (first.ended, second.ended) == (False, True)
    Revocation.objects.create(pk=1000, connection_id="c1")
    seen.look()
    assert first.ended


def test_a_process_writes_who_is_there(alice: User, admin_client: Client) -> None:
    register = Register()
    register.write()
    fake = Fake(1, log_in(alice))
    register.write()
    (row,) = connected()
    assert (row.login, row.client, row.tls) == (alice.email, "Fake 1", True)
    fake.client = "Fake 2"
    register.write()
    assert connected().get().client == "Fake 2"
    page = admin_client.get("/admin/protocols/openconnection/").content.decode()
    assert "Fake 2" in page
    assert [r.connection_id for r in kick("ALICE@example.test")] == ["c1"]
    Revocations().look()
    assert fake.ended
    sessions._entries.clear()
    register.write()
    assert not OpenConnection.objects.exists()
    register.clear()
    assert not ServerProcess.objects.exists()


def test_an_administrator_ends_a_connection(
    alice: User, bob: User, admin_client: Client, client: Client
) -> None:
    mine, other = Fake(1, log_in(alice)), Fake(2, log_in(bob))
    Register().write()
    row = OpenConnection.objects.get(login=alice.email)
    page = "/admin/protocols/openconnection/"
    sent = {"action": "end", "_selected_action": [row.pk]}
    client.force_login(bob)
    assert client.post(page, sent).status_code == 302  # to the login
    Revocations().look()
    assert not mine.ended
    assert admin_client.post(page, sent, follow=True).status_code == 200
    Revocations().look()
    assert (mine.ended, other.ended) == (True, False)


def test_rows_of_a_killed_process_do_not_count(alice: User) -> None:
    dead = Register()
    Fake(1, log_in(alice))
    dead.write()
    ServerProcess.objects.update(seen_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert not connected().exists()
    sessions._entries.clear()
    Register().write()
    assert not OpenConnection.objects.exists()


def test_a_loop_that_is_gone_is_left_alone(alice: User) -> None:
    fake = Fake(1, log_in(alice))
    loop = asyncio.new_event_loop()
    loop.close()
    entry = sessions._entries[fake]
    sessions._entries[fake] = Entry(entry.context, entry.login, loop, entry.since)
    end_connection("c1")
    Revocations().look()
    assert not fake.ended
