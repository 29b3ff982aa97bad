"""What accounts can still take, as RCPT asks."""

import pytest

from accounts.models import Account, User
from mailhost.mail.models import AccountState
from mailhost.store.quota import MOST, rooms

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def limit(user: User, octets: int | None, messages: int | None = None) -> int:
    Account.objects.filter(pk=user.account.pk).update(
        quota_bytes=octets, quota_messages=messages
    )
    return user.account.pk


def test_rooms(alice: User, bob: User, stranger: User, settings: object) -> None:
    everybody = [u.account.pk for u in (alice, bob, stranger)]
    assert rooms(everybody) == {}
    AccountState.objects.update(bytes=60, messages=3)
    first, second, third = (
        *(limit(alice, 100), limit(bob, None, 3), limit(stranger, 50, 9)),
    )
    assert rooms([*everybody, 10**9]) == {
        first: (40, 100),
        second: (0, MOST),
        third: (-10, 50),
    }
    assert rooms([]) == {}


def test_the_servers_default_counts(alice: User, settings: object) -> None:
    settings.MAILHOST_DEFAULT_QUOTA_BYTES = 70  # type: ignore[attr-defined]
    AccountState.objects.update(bytes=60)
    assert rooms([alice.account.pk]) == {alice.account.pk: (10, 70)}
    limit(alice, 0)
    assert rooms([alice.account.pk]) == {alice.account.pk: (-60, 0)}
