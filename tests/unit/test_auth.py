"""accounts.auth: one door for every protocol."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.contrib.auth import authenticate as django_authenticate
from django.contrib.auth import hashers
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import afterwards, apppasswords, auth, signals, throttle
from accounts.models import Account, AppPassword, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.engines


def login(name: str, password: str, protocol: str = "imap") -> auth.Login:
    return auth.authenticate(name, password, protocol=protocol, address="192.0.2.1")


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    auth.forget()


def test_the_right_password_says_who(alice: User) -> None:
    found = login("ALICE@Example.test", PASSWORD)
    assert found == auth.Login(
        alice.pk, Account.objects.get(owner=alice).pk, "alice@example.test"
    )


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice@example.test", "wrong"),
        ("nobody@example.test", PASSWORD),
        ("", ""),
        ("alice@example.test", ""),
        ("alice@example.test\x00", PASSWORD),
        ("alice@example.test", PASSWORD + "\x00"),
        ("alice@example.test", "x" * 100_000),
        ("\ud800@example.test", "\ud800"),
    ],
)
def test_wrong_credentials_are_one_answer(
    alice: User, name: str, password: str
) -> None:
    with pytest.raises(auth.WrongCredentials, match=r"^Authentication failed$"):
        login(name, password)


def test_an_unknown_login_costs_a_hash(alice: User) -> None:
    with (
        patch.object(hashers, "check_password", return_value=False) as check,
        pytest.raises(auth.WrongCredentials),
    ):
        login("nobody@example.test", "x")
    assert check.call_count == 1


def test_a_verified_password_is_not_hashed_again(alice: User) -> None:
    login(alice.email, PASSWORD)
    with patch.object(hashers, "verify_password") as verify:
        login(alice.email, PASSWORD)
    assert not verify.called


def test_a_changed_password_voids_what_was_remembered(alice: User) -> None:
    login(alice.email, PASSWORD)
    alice.set_password("another one")
    alice.save(update_fields=["password"])
    with pytest.raises(auth.WrongCredentials):
        login(alice.email, PASSWORD)
    assert login(alice.email, "another one").user_id == alice.pk
    alice.refresh_from_db()
    assert alice.credential_version == 2


def test_other_changes_revoke_nothing(alice: User) -> None:
    alice.name = "Alice A."
    alice.save()
    alice.refresh_from_db()
    assert alice.credential_version == 1


@pytest.mark.parametrize(
    "what", ["password", "is_active", "delete", "account", "second_factor"]
)
def test_open_sessions_hear_of_it(
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    what: str,
) -> None:
    heard: list[int] = []

    def hear(user_id: int, **_: object) -> None:
        heard.append(user_id)

    pk = alice.pk
    signals.credential_revoked.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        if what == "password":
            alice.set_password("x")
            alice.save()
        elif what == "is_active":
            alice.is_active = False
            alice.save()
        elif what == "second_factor":
            alice.second_factor = True
            alice.save()
        elif what == "delete":
            alice.delete()
        else:
            alice.account.active = False
            alice.account.save()
    signals.credential_revoked.disconnect(hear)
    assert heard == [pk]


@pytest.mark.parametrize("whose", ["user", "account"])
def test_the_disabled_are_refused_only_with_the_right_password(
    alice: User, whose: str
) -> None:
    if whose == "user":
        alice.is_active = False
        alice.save()
    else:
        Account.objects.filter(owner=alice).update(active=False)
    with pytest.raises(auth.NotAllowed, match="disabled"):
        login(alice.email, PASSWORD)
    with pytest.raises(auth.WrongCredentials):
        login(alice.email, "wrong")


def test_an_app_password_logs_in_and_notes_its_use(alice: User) -> None:
    row, text = apppasswords.create(alice.pk, "phone", ["imap"])
    assert login(alice.email, text).app_password_id == row.pk
    assert login(alice.email, text.upper().replace("-", " ")).app_password_id == row.pk
    afterwards.run_waiting()
    row.refresh_from_db()
    assert (row.last_address, row.last_protocol) == ("192.0.2.1", "imap")


def test_an_app_password_keeps_to_its_scopes(alice: User) -> None:
    _, text = apppasswords.create(alice.pk, "phone", ["imap"])
    with pytest.raises(auth.NotAllowed, match="not for this protocol"):
        login(alice.email, text, "smtp")


def test_an_app_password_expires(alice: User) -> None:
    past = timezone.now() - timedelta(seconds=1)
    _, text = apppasswords.create(alice.pk, "phone", expires_at=past)
    with pytest.raises(auth.NotAllowed, match="expired"):
        login(alice.email, text)


def test_an_app_password_is_its_owners_alone(alice: User, bob: User) -> None:
    _, text = apppasswords.create(alice.pk, "phone")
    with pytest.raises(auth.WrongCredentials):
        login(bob.email, text)


def test_an_app_password_is_not_kept(alice: User) -> None:
    row, text = apppasswords.create(alice.pk, "phone")
    letters = text.replace("-", "")
    assert len(letters) * 5 >= 128
    assert letters not in repr(AppPassword.objects.filter(pk=row.pk).values().get())


def test_an_old_hash_is_renewed(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(
        password=hashers.make_password(PASSWORD, hasher="pbkdf2_sha256")
    )
    login(alice.email, PASSWORD)
    afterwards.run_waiting()
    alice.refresh_from_db()
    assert not alice.password.startswith("pbkdf2")
    assert alice.credential_version == 1


def test_the_web_goes_through_the_same_door(alice: User) -> None:
    assert django_authenticate(username=alice.email, password=PASSWORD) == alice
    assert django_authenticate(username=alice.email, password="no") is None


def test_argon2_is_what_new_passwords_get(alice: User) -> None:
    assert hashers.make_password("x", hasher="argon2").startswith("argon2$argon2id$")


def test_who_fails_too_often_is_refused(alice: User) -> None:
    for _ in range(20):
        with pytest.raises(auth.WrongCredentials):
            login(alice.email, "wrong")
    with pytest.raises(auth.TooManyFailures):
        login(alice.email, PASSWORD)
    elsewhere = auth.authenticate(
        alice.email, PASSWORD, protocol="imap", address="192.0.2.2"
    )
    assert elsewhere.user_id == alice.pk


def test_an_address_that_tries_many_logins_is_refused(alice: User) -> None:
    for number in range(100):
        with pytest.raises(auth.WrongCredentials):
            login(f"guess{number}@example.test", "wrong")
    with pytest.raises(auth.TooManyFailures):
        login(alice.email, PASSWORD)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert throttle.network_of(address) == network


def test_a_success_forgives(alice: User) -> None:
    for _ in range(3):
        for _ in range(19):
            with pytest.raises(auth.WrongCredentials):
                login(alice.email, "wrong")
        login(alice.email, PASSWORD)
