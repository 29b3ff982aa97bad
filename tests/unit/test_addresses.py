"""accounts.addresses: where an address leads, who may write in its name."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts import addresses
from accounts.models import Account, Address, Domain, Membership, User
from accounts.names import split_address
from accounts.newcomers import make_shared_account

pytestmark = pytest.mark.engines


@pytest.fixture
def account(alice: User) -> Account:
    return Account.objects.get(owner=alice)


@pytest.mark.parametrize(
    ("written", "detail"),
    [
        ("alice@example.test", ""),
        ("ALICE@EXAMPLE.TEST.", ""),
        ('"alice"@example.test', ""),
        ("alice+shop@example.test", "shop"),
        ("alice+shop+x@example.test", "shop+x"),
    ],
)
def test_ways_to_write_to_alice(account: Account, written: str, detail: str) -> None:
    found = addresses.resolve(written)
    assert found.known
    assert found.account_ids == (account.pk,)
    assert (found.detail, found.canonical) == (detail, "alice@example.test")


@pytest.mark.parametrize(
    "written",
    ["nobody@example.test", "+x@example.test", "@example.test", "alice", "", "a@b@c"],
)
def test_nobody(account: Account, written: str) -> None:
    assert addresses.resolve(written) == addresses.UNKNOWN


def test_the_inactive_are_unknown(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(active=False)
    assert not addresses.resolve("alice@example.test").known


def test_a_catch_all_gets_the_rest(account: Account) -> None:
    domain = Domain.objects.get(name="example.test")
    domain.catch_all = Address.objects.get(local_part="alice")
    domain.save()
    found = addresses.resolve("whoever@example.test")
    assert found.account_ids == (account.pk,)
    assert not addresses.sends_as(account.owner_id or 0, "whoever@example.test")


def test_postmaster_reaches_the_administrators(alice: User, account: Account) -> None:
    assert not addresses.resolve("postmaster").known
    alice.is_superuser = True
    alice.save()
    for written in ("postmaster", "Postmaster@example.test"):
        assert addresses.resolve(written).account_ids == (account.pk,)


def test_an_alias_leads_to_many_and_outside(
    account: Account, bob: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    domain = Domain.objects.get(name="example.test")
    alias = Address.objects.create(
        domain=domain, local_part="Team", forward_to=["x@outside.test"]
    )
    alias.accounts.add(account, Account.objects.get(owner=bob))
    with django_assert_max_num_queries(2):
        found = addresses.resolve("team@example.test")
    assert len(found.account_ids) == 2
    assert found.forward_to == ("x@outside.test",)


def test_domains_in_other_scripts(db: None) -> None:
    Domain.objects.create(name="BÜCHER.test")
    assert addresses.is_local_domain("xn--bcher-kva.test")
    assert addresses.is_local_domain("bücher.test")
    assert not addresses.is_local_domain("outside.test")
    assert split_address("Ö@bücher.test") == ("ö", "xn--bcher-kva.test")


def test_who_sends_as_whom(alice: User, bob: User, stranger: User) -> None:
    assert addresses.sends_as(alice.pk, "alice@example.test")
    assert addresses.sends_as(alice.pk, "Alice+x@example.test")
    assert not addresses.sends_as(bob.pk, "alice@example.test")
    assert not addresses.sends_as(stranger.pk, "alice@example.test")
    assert not addresses.sends_as(alice.pk, "alice@other.test")
    assert not addresses.sends_as(0, "alice@example.test")


def test_a_team_member_sends_as_the_team(alice: User, bob: User) -> None:
    support = make_shared_account("support")
    domain = Domain.objects.get(name="example.test")
    Address.objects.create(domain=domain, local_part="support").accounts.add(support)
    Membership.objects.create(account=support, user=alice, send_as=True)
    Membership.objects.create(account=support, user=bob, write=True)
    assert addresses.sends_as(alice.pk, "support@example.test")
    assert not addresses.sends_as(bob.pk, "support@example.test")
    assert addresses.addresses_of(alice.pk) == [
        "alice@example.test",
        "support@example.test",
    ]


def test_a_longer_address_is_somebody_elses(alice: User, bob: User) -> None:
    domain = Domain.objects.get(name="example.test")
    special = Address.objects.create(domain=domain, local_part="alice+shop")
    special.accounts.add(Account.objects.get(owner=bob))
    assert not addresses.sends_as(alice.pk, "alice+shop@example.test")
    assert addresses.sends_as(bob.pk, "alice+shop@example.test")
