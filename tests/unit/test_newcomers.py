"""Creating a user makes what the user needs."""

from accounts.models import Account, Address, User


def test_a_new_user_gets_an_account_and_an_address(alice: User) -> None:
    account = Account.objects.get(owner=alice)
    address = Address.objects.get(domain__name="example.test", local_part="alice")
    assert account.kind == Account.Kind.PERSONAL
    assert list(address.accounts.all()) == [account]


def test_outside_our_domains_there_is_no_address(db: None) -> None:
    user = User.objects.create_user("carol@elsewhere.test", "x")
    assert Account.objects.filter(owner=user).exists()
    assert not Address.objects.filter(local_part="carol").exists()
