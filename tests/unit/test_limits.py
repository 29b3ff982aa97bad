"""What a domain may hold, whoever makes it and however many at once."""

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import aliases, csvusers, limits, renaming, standing
from accounts.limits import DomainFull
from accounts.models import Account, Address, Domain, User
from mailhost.store import quota
from mailhost.store.errors import NotPermitted
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
MB = 1 << 20


@pytest.fixture
def domain(alice: User, bob: User) -> Domain:
    """example.test, with alice and bob."""
    return Domain.objects.get(name="example.test")


def limit(domain: Domain, **most: int | None) -> Domain:
    for name, value in most.items():
        setattr(domain, f"most_{name}", value)
    domain.save()
    return domain


def new(name: str, domain: str = "example.test") -> User:
    return User.objects.create_user(f"{name}@{domain}", PASSWORD)


def test_no_more_accounts_than_that(domain: Domain, stranger: User) -> None:
    limit(domain, accounts=3)
    carl = new("carl")
    with pytest.raises(DomainFull, match="no more accounts"):
        new("dora")
    assert not User.objects.filter(email="dora@example.test").exists()
    with pytest.raises(DomainFull):
        Account.objects.create(kind="shared", name="team", domain=domain)
    # Others have room, and what is there goes on.
    new("dora", "other.test")
    carl.name = "Carl"
    carl.save()
    standing.suspend(carl)
    standing.delete(Account.objects.get(owner=carl))
    with pytest.raises(DomainFull):  # it may come back
        new("dora")
    standing.resume(carl)
    carl.delete()
    new("dora")


def test_a_limit_below_what_is_there_stops_growth_alone(domain: Domain) -> None:
    Account.objects.update(quota_bytes=MB)
    limit(domain, accounts=1, aliases=0, quota_bytes=MB)
    account = Account.objects.first()
    assert account is not None
    account.quota_bytes = 5 * MB
    with pytest.raises(DomainFull):
        account.save()
    account.quota_bytes = MB
    account.save()
    account.name = "renamed"
    account.save()
    Address.objects.first().save()  # type: ignore[union-attr]  # there is one


def test_aliases_are_what_is_nobodys_login(domain: Domain, alice: User) -> None:
    limit(domain, aliases=2, accounts=3)
    aliases.add_alias("sales@example.test", alice.account)
    new("carl")  # whose own address is no alias
    domain.own_aliases = 5
    domain.save()
    aliases.make_own_alias(alice, "al")
    with pytest.raises(DomainFull, match="no more aliases"):
        aliases.make_own_alias(alice, "ally")
    with pytest.raises(CommandError, match="no more aliases"):
        call_command("addalias", "info@example.test", alice.email)
    assert not Address.objects.filter(local_part__in=["ally", "info"]).exists()
    with pytest.raises(DomainFull):
        renaming.rename(User.objects.get(pk=alice.pk), "alicia@example.test")
    # An alias that becomes the login leaves room for the old one.
    renaming.rename(User.objects.get(pk=alice.pk), "al@example.test")


def test_another_domain_has_to_have_room(domain: Domain, stranger: User) -> None:
    limit(domain, accounts=2)
    with pytest.raises(DomainFull):
        renaming.rename(stranger, "stranger@example.test")
    assert User.objects.get(pk=stranger.pk).email == "stranger@other.test"


def test_all_quotas_together(domain: Domain, alice: User, settings: Settings) -> None:
    settings.MAILHOST_DEFAULT_QUOTA_BYTES = 10 * MB
    limit(domain, quota_bytes=35 * MB)
    new("carl")
    with pytest.raises(DomainFull, match="5 MiB are left"):
        new("dora")
    domain.default_quota_bytes = 4 * MB
    domain.save()
    assert new("dora").account.quota_bytes == 4 * MB
    account = alice.account
    account.quota_bytes = 11 * MB
    account.save()
    account.quota_bytes = 12 * MB
    with pytest.raises(DomainFull):
        account.save()
    settings.MAILHOST_DEFAULT_QUOTA_BYTES = 0
    account.quota_bytes = None
    with pytest.raises(DomainFull, match="Say a quota"):
        account.save()


def test_the_default_of_the_domain_is_a_new_accounts(domain: Domain) -> None:
    domain.default_quota_bytes = 3 * MB
    domain.save()
    assert new("carl").account.quota_bytes == 3 * MB
    shared = Account.objects.create(kind="shared", name="team", domain=domain)
    assert shared.quota_bytes == 3 * MB


def test_staff_set_no_quota_beyond_it_by_imap(domain: Domain, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    Account.objects.update(quota_bytes=MB)
    limit(domain, quota_bytes=3 * MB)
    number = alice.account.pk
    assert quota.set_limits(alice.pk, number, 2 * MB, None).most_bytes == 2 * MB
    with pytest.raises(NotPermitted, match="used up"):
        quota.set_limits(alice.pk, number, 3 * MB, None)
    assert quota.usage(number).most_bytes == 2 * MB


def test_the_command_says_it(domain: Domain) -> None:
    limit(domain, accounts=2)
    with pytest.raises(CommandError, match="no more accounts"):
        call_command("adduser", "c@example.test", "--random", stdout=StringIO())
    limit(domain, accounts=3)
    more = {"stdout": StringIO(), "quota_mb": 7}
    call_command("adduser", "c@example.test", "--random", **more)
    made = Account.objects.get(owner__email="c@example.test")
    assert made.quota_bytes == 7 * MB


def test_csv_says_it_before_anything_is_done(domain: Domain) -> None:
    Account.objects.update(quota_bytes=MB)
    limit(domain, accounts=4, aliases=1, quota_bytes=10 * MB)
    text = (
        "email,quota_mb,aliases\nc@example.test,2,x@example.test\n"
        "d@example.test,2,y@example.test\ne@example.test,7,\nbob@example.test,9,\n"
    )
    lines = csvusers.read(text, None)
    assert [bool(line.errors) for line in lines] == [False, True, True, True]
    # Somebody was faster than who looked.
    good = csvusers.read("email,quota_mb\nc@example.test,1\nd@example.test,1\n", None)
    assert not any(line.errors for line in good)
    limit(domain, accounts=3)
    with pytest.raises(DomainFull):
        csvusers.apply(good)
    assert not User.objects.filter(email="c@example.test").exists()


@pytest.fixture
def keeper(domain: Domain, alice: User) -> Client:
    """alice, who administers the domain and sets none of its limits."""
    domain.administrators.add(alice)
    client = Client()
    assert client.login(username=alice.email, password=PASSWORD)
    return client


def test_administrators_of_a_domain_see_it_and_raise_nothing(
    domain: Domain, keeper: Client
) -> None:
    limit(domain, accounts=3, quota_bytes=20 * MB)
    path = reverse("admin:accounts_domain_change", args=[domain.pk])
    assert "2 of 3 accounts" in keeper.get(path).text
    form = {"plus_separators": "+", "own_aliases": "0", "most_accounts": "99"}
    assert keeper.post(path, form).status_code == 302
    domain.refresh_from_db()
    assert (domain.most_accounts, domain.most_quota_bytes) == (3, 20 * MB)


def test_the_admin_says_it_in_the_form(domain: Domain, keeper: Client) -> None:
    Account.objects.update(quota_bytes=MB)
    limit(domain, accounts=3, aliases=1, quota_bytes=5 * MB)
    path = reverse("admin:accounts_user_add")
    form: dict[str, Any] = {"email": "c@example.test", "name": "", "invite": "on"}
    for more in (
        {"quota_mb": "4"},
        {"quota_mb": "1", "aliases": "x@example.test y@example.test"},
    ):
        answer = keeper.post(path, form | more)
        assert answer.status_code == 200
        assert "example.test" in str(answer.context["adminform"].form.errors)
    assert keeper.post(path, form | {"quota_mb": "2"}).status_code == 302
    answer = keeper.post(path, form | {"email": "d@example.test", "quota_mb": "1"})
    assert "no more accounts" in str(answer.context["adminform"].form.errors)
    path = reverse("admin:accounts_address_add")
    form = {"domain": domain.pk, "forward_to": "[]", "active": "on"}
    assert keeper.post(path, form | {"local_part": "x"}).status_code == 302
    answer = keeper.post(path, form | {"local_part": "y"})
    assert "no more aliases" in str(answer.context["adminform"].form.errors)
    personal = Account.objects.get(owner__email="bob@example.test")
    path = reverse("admin:accounts_account_change", args=[personal.pk])
    answer = keeper.post(path, {"name": "bob", "quota_bytes": str(9 * MB)})
    assert "used up" in str(answer.context["adminform"].form.errors)


def test_what_the_form_did_not_foresee_is_told(
    domain: Domain, keeper: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(domain, accounts=2)
    monkeypatch.setattr(limits.Rooms, "take", lambda *_: None)
    path = reverse("admin:accounts_user_add")
    form = {"email": "c@example.test", "name": "", "invite": "on"}
    answer: Any = keeper.post(path, form, follow=True)
    assert "no more accounts" in answer.text
    assert not User.objects.filter(email="c@example.test").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_has_the_last_place(domain: Domain) -> None:
    limit(domain, accounts=3)
    start, refused = threading.Barrier(2), []

    def make(name: str) -> None:
        try:
            start.wait(10)
            new(name)
        except DomainFull as full:
            refused.append(full)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make, args=(name,)) for name in ("c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1
    assert limits.held(domain).accounts == 3
