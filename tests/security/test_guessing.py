"""Guesses wait longer and longer; users get in; nothing tells who exists."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from accounts import afterwards, apppasswords, auth, housekeeping, loginlog, throttle
from accounts.claims import Password
from accounts.models import LoginFailures, LoginRecord, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.engines


class Clock:
    """The throttle's time."""

    now_ = datetime.now(UTC)

    @classmethod
    def now(cls, _: object) -> datetime:
        return cls.now_

    @classmethod
    def wait(cls, seconds: float) -> None:
        cls.now_ += timedelta(seconds=seconds)

    fromisoformat = datetime.fromisoformat


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    Clock.now_ = datetime.now(UTC)
    monkeypatch.setattr(throttle, "datetime", Clock)
    return Clock


def at(address: str = "192.0.2.1", protocol: str = "imap") -> auth.Attempt:
    return auth.Attempt(protocol, address, "Pine")


def enters(name: str, password: str, attempt: auth.Attempt) -> bool:
    return auth.check(Password(name, password), attempt).email == name


def guess(name: str, times: int, address: str = "192.0.2.1") -> None:
    for _ in range(times):
        with pytest.raises(auth.WrongCredentials):
            auth.check(Password(name, "wrong"), at(address))


def another_process() -> None:
    """What this process had counted is in the rows, and nowhere else."""
    afterwards.run_waiting()
    auth.forget()


def test_other_processes_hear_of_failures(alice: User) -> None:
    guess(alice.email, 20)
    another_process()
    with pytest.raises(auth.TooManyFailures):
        auth.check(Password(alice.email, PASSWORD), at())
    assert (
        auth.check(Password(alice.email, PASSWORD), at("198.51.100.1")).user_id
        == alice.pk
    )


def test_each_failure_doubles_the_wait(alice: User, clock: type[Clock]) -> None:
    guess(alice.email, 20)
    waits = []
    for _ in range(12):
        another_process()
        with pytest.raises(auth.TooManyFailures) as refused:
            auth.check(Password(alice.email, "wrong"), at())
        waits.append(round(refused.value.seconds))
        clock.wait(refused.value.seconds + 0.001)
        guess(alice.email, 1)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    clock.wait(3601)
    guess(alice.email, 19)  # an hour without any starts over


def test_one_guess_at_a_time_of_all_processes(
    alice: User, clock: type[Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    guess(alice.email, 20)
    another_process()
    clock.wait(1.5)
    keys = throttle.keys_of("192.0.2.1", alice.email)
    both_have_read = throttle._rows(keys)
    assert throttle.Failures().claim("192.0.2.1", alice.email)
    assert throttle.Failures().look("192.0.2.1", alice.email).seconds > 0
    monkeypatch.setattr(throttle, "_rows", lambda _: both_have_read)
    assert not throttle.Failures().claim("192.0.2.1", alice.email)


def test_nobody_is_locked_out_by_strangers(alice: User) -> None:
    _, text = apppasswords.create(alice.pk, "phone")
    home = at("203.0.113.7")
    auth.check(Password(alice.email, PASSWORD), home)
    another_process()
    for number in range(100):
        guess(alice.email, 1, f"198.51.{number}.1")
    another_process()
    elsewhere = at("192.0.2.200")
    with pytest.raises(auth.TooManyFailures):
        auth.check(Password(alice.email, PASSWORD), elsewhere)
    assert (
        auth.check(Password(alice.email, text), elsewhere).user_id == alice.pk
    )  # no guess finds it
    assert (
        auth.check(Password(alice.email, PASSWORD), home).user_id == alice.pk
    )  # known from there
    with pytest.raises(auth.WrongCredentials):
        auth.check(Password(alice.email, "wrong"), home)


def test_a_network_is_one_guesser(alice: User) -> None:
    for number in range(250):
        guess(f"guess{number}@example.test", 2, f"198.51.100.{number}")
    another_process()
    with pytest.raises(auth.TooManyFailures):
        auth.check(Password(alice.email, PASSWORD), at("198.51.100.251"))
    assert (
        auth.check(Password(alice.email, PASSWORD), at("198.51.101.1")).user_id
        == alice.pk
    )


@pytest.mark.parametrize("name", ["alice@example.test", "nobody@example.test"])
def test_who_does_not_exist_is_slowed_alike(alice: User, name: str) -> None:
    guess(name, 20)
    another_process()
    with pytest.raises(
        auth.TooManyFailures, match=r"^Too many failed logins, try again"
    ):
        auth.check(Password(name, "wrong"), at())
    rows = LoginFailures.objects.order_by("kind").values_list("kind", "failures")
    assert list(rows) == [(k, 20) for k in ("account", "address", "network", "pair")]


def test_what_was_verified_lately_helps_no_guesser(alice: User) -> None:
    auth.check(Password(alice.email, PASSWORD), at())
    guess(alice.email, 20)
    with pytest.raises(auth.TooManyFailures):
        auth.check(Password(alice.email, PASSWORD), at())


def test_lifting_a_ban(alice: User, admin_client: Client) -> None:
    guess(alice.email, 20)
    another_process()
    page = admin_client.get("/admin/accounts/loginfailures/")
    assert "192.0.2.1" in page.content.decode()
    rows = LoginFailures.objects.values_list("pk", flat=True)
    done = admin_client.post(
        "/admin/accounts/loginfailures/",
        {"action": "delete_selected", "_selected_action": list(rows), "post": "yes"},
    )
    assert done.status_code == 302
    assert enters(alice.email, PASSWORD, at())


def test_a_password_in_the_wrong_field_is_not_kept(db: None) -> None:
    guess("hunter2 is my secret", 1)
    afterwards.run_waiting()
    assert "hunter2" not in repr(list(LoginFailures.objects.values()))


def test_the_log_of_a_user(alice: User, bob: User, admin_client: Client) -> None:
    _, text = apppasswords.create(alice.pk, "phone", ["imap"])
    guess(alice.email, 3)
    for _ in range(2):
        auth.check(Password(alice.email, PASSWORD), at())
    with pytest.raises(auth.NotAllowed):
        auth.check(Password(alice.email, text), at(protocol="smtp"))
    afterwards.run_waiting()
    log = [
        (r.protocol, r.result, r.reason, r.times, r.client)
        for r in loginlog.recent(alice.pk)
    ]
    assert sorted(log) == [
        ("imap", "in", "password", 2, "Pine"),
        ("imap", "wrong", "", 3, "Pine"),
        ("smtp", "refused", "This app password is not for this protocol", 1, "Pine"),
    ]
    assert not loginlog.recent(bob.pk)
    page = admin_client.get("/admin/accounts/loginrecord/").content.decode()
    assert "Pine" in page
    assert alice.email in page


def test_alike_logins_of_a_day_are_one_row(alice: User) -> None:
    for _ in range(3):
        guess(alice.email, 2)
        another_process()
    row = LoginRecord.objects.get(user=alice)
    assert row.times == 6


def test_what_programs_call_themselves_is_bounded(alice: User) -> None:
    odd = auth.Attempt("imap", "192.0.2.1", "x\x00\r\n\ud800" + "y" * 5000)
    auth.check(Password(alice.email, PASSWORD), odd)
    afterwards.run_waiting()
    assert len(LoginRecord.objects.get().client) == 100


def test_old_rows_go(alice: User) -> None:
    now = datetime.now(UTC)
    for number in range(loginlog.MOST_KEPT + 30):
        LoginRecord.objects.create(
            user=alice, protocol="imap", result="wrong", address=f"a{number}",
            day=now.date(), last_at=now - timedelta(minutes=number),
        )  # fmt: skip
    LoginRecord.objects.create(
        user=alice, protocol="imap", result="in", day=now.date(),
        last_at=now - timedelta(days=91),
    )  # fmt: skip
    known = LoginRecord.objects.create(
        user=alice, protocol="imap", result="in", address="home", day=now.date(),
        last_at=now - timedelta(days=29),
    )  # fmt: skip
    LoginFailures.objects.create(
        key="k", kind="address", last_at=now - timedelta(hours=2), wait_until=now
    )
    housekeeping.prune()
    kept = LoginRecord.objects.filter(result="wrong")
    assert kept.count() == loginlog.MOST_KEPT
    assert kept.filter(address="a0").exists()
    # Failures never push out what an address is known by.
    assert LoginRecord.objects.get(result="in") == known
    assert loginlog.is_known(alice.pk, "home")
    assert not LoginFailures.objects.exists()


def test_a_user_who_is_gone_takes_no_others_notes_along(alice: User, bob: User) -> None:
    auth.check(Password(alice.email, PASSWORD), at())
    auth.check(Password(bob.email, PASSWORD), at())
    alice.delete()
    afterwards.run_waiting()
    assert LoginRecord.objects.get().user == bob
