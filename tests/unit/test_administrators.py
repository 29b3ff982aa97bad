"""Who administers a domain sees that domain alone, everywhere in the admin."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.idp.oidc.models import Token
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import afterwards, apppasswords, auth, standing, tokens
from accounts.models import (
    Account,
    Address,
    AppPassword,
    Domain,
    ExternalIdentity,
    LoginRecord,
    Membership,
    User,
)
from accounts.newcomers import make_shared_account
from mailhost.mail.models import Folder, Message
from mailhost.store import folders
from mailhost.store.append import append
from mailhost.store.content import prepare
from protocols.models import OpenConnection, ServerProcess
from tests.conftest import PASSWORD, person

pytestmark = pytest.mark.django_db
OURS, THEIRS = "example.test", "other.test"
MANAGEMENT = {"totals": "memberships-TOTAL_FORMS", "first": "memberships-INITIAL_FORMS"}


def logged_in(user: User) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


def shared(name: str, domain: str) -> Account:
    account = make_shared_account(name)
    Account.objects.filter(pk=account.pk).update(domain=Domain.objects.get(name=domain))
    account.refresh_from_db()
    return account


@pytest.fixture
def keeper(alice: User, bob: User, stranger: User) -> User:
    """alice, who administers example.test; the stranger's domain is not hers."""
    Domain.objects.get(name=OURS).administrators.add(alice)
    for user, domain in ((bob, OURS), (stranger, THEIRS)):
        apppasswords.create(user.pk, "phone", ["imap"])
        tokens.issue(user.pk, ["imap"], f"program of {user.email}")
        with pytest.raises(auth.WrongCredentials):
            auth.authenticate(user.email, "x", protocol="imap", address="192.0.2.1")
        ExternalIdentity.objects.create(user=user, issuer="i", subject=user.email)
        OpenConnection.objects.create(
            connection_id=user.email, worker="w", user_id=user.pk, login=user.email,
            service="imap", since=timezone.now(),
        )  # fmt: skip
        team = shared(f"team of {domain}", domain)
        Membership.objects.create(account=team, user=user)
        inbox = folders.open_folder(user.account.pk, "INBOX")
        append(user.account.pk, inbox.id, prepare(b"Subject: secret\r\n\r\n"))
    ServerProcess.objects.create(name="w", seen_at=timezone.now())
    afterwards.run_waiting()
    return alice


@pytest.fixture
def client(keeper: User) -> Client:
    return logged_in(keeper)


def rows_of(domain: str) -> Iterator[Any]:
    """Yield a row of each model that belongs to a domain."""
    yield Domain.objects.get(name=domain)
    yield User.objects.exclude(email__startswith="alice").get(email__endswith=domain)
    yield from Account.objects.filter(domain__name=domain)
    yield Account.objects.exclude(name__startswith="alice").get(
        owner__email__endswith=domain
    )
    yield from Address.objects.filter(domain__name=domain)
    for model in (AppPassword, Token):
        yield model.objects.get(user__email__endswith=domain)
    yield LoginRecord.objects.get(user__email__endswith=domain, result="wrong")


def address_of(row: Any, page: str) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=[row.pk])


def shows_nothing(answer: Any) -> bool:
    if answer.status_code in {403, 404}:
        return True
    # Django's own word for a row that is not there: back to the start.
    home = reverse("admin:index")
    return bool(answer.status_code == 302 and answer["Location"] == home)


def test_every_page_of_their_own_domain_opens(client: Client) -> None:
    for row in rows_of(OURS):
        assert client.get(address_of(row, "change")).status_code == 200, row
        assert client.get(address_of(row, "history")).status_code == 200, row


def test_no_page_of_another_domain_opens(client: Client) -> None:
    for row in rows_of(THEIRS):
        for page in ("change", "history", "delete"):
            for ask in (client.get, client.post):
                assert shows_nothing(ask(address_of(row, page))), (row, page)
    assert User.objects.get(email=f"stranger@{THEIRS}").is_active


def test_no_list_shows_another_domain(client: Client) -> None:
    opened = 0
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for query in ({}, {"q": "other"}, {"q": "stranger"}):
            page = client.get(reverse(f"{name}_changelist"), query)
            assert page.status_code in {200, 403}
            opened += page.status_code == 200
            text = page.text.replace('value="other"', "").replace("“other”", "")
            text = text.replace('value="stranger"', "")
            assert "other.test" not in text, model
            assert "stranger@" not in text, model
    assert opened == 3 * 7


def test_no_choice_names_another_domain(client: Client) -> None:
    for model in (User, Account, Address):
        page = client.get(reverse(f"admin:accounts_{model._meta.model_name}_add"))
        assert page.status_code == 200
        assert "other.test" not in page.text
    for row in rows_of(OURS):
        assert "other.test" not in client.get(address_of(row, "change")).text


def test_no_completion_names_another_domain(client: Client) -> None:
    fields = [
        ("account", "domain"), ("address", "accounts"), ("membership", "user"),
        ("domain", "catch_all"), ("domain", "administrators"),
    ]  # fmt: skip
    asked = 0
    for model, name in fields:
        query = {"app_label": "accounts", "model_name": model, "field_name": name}
        answer = client.get(reverse("admin:autocomplete"), query)
        assert answer.status_code in {200, 403}
        asked += answer.status_code == 200
        assert "other" not in answer.text
        assert "stranger" not in answer.text
    assert asked >= 4


@pytest.mark.parametrize(
    "action",
    ["suspend", "suspend_taking_mail", "resume", "delete_later", "invite", "export"],
)
def test_no_action_reaches_another_domain(client: Client, action: str) -> None:
    other = User.objects.get(email=f"stranger@{THEIRS}")
    form = {"action": action, "_selected_action": [other.pk]}
    address = reverse("admin:accounts_user_changelist")
    answer: Any = client.post(address, form, follow=True)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert b"stranger@" not in content
    other.refresh_from_db()
    assert other.is_active
    assert other.account.active
    assert not LogEntry.objects.exists()


def test_they_read_no_mail(client: Client) -> None:
    message = Message.objects.get(account__owner__email=f"bob@{OURS}")
    for name in ("change", "text"):
        address = reverse(f"admin:mail_message_{name}", args=[message.pk])
        assert client.get(address).status_code in {403, 404}
    folder = Folder.objects.filter(account=message.account)[0]
    assert client.get(address_of(folder, "change")).status_code in {403, 404}


def test_they_make_no_superuser_and_give_no_rights(client: Client) -> None:
    bob = User.objects.get(email=f"bob@{OURS}")
    form = {"email": bob.email, "name": "Bob", "is_superuser": "on", "is_staff": "on"}
    client.post(address_of(bob, "change"), form)
    bob.refresh_from_db()
    assert (bob.name, bob.is_superuser, bob.is_staff) == ("Bob", False, False)
    domain = Domain.objects.get(name=OURS)
    more = {"administrators": [bob.pk], "plus_separators": "-", "own_aliases": "2"}
    client.post(address_of(domain, "change"), more)
    domain.refresh_from_db()
    assert domain.plus_separators == "-"
    assert bob not in domain.administrators.all()


def test_they_manage_nobody_with_more_rights(keeper: User, client: Client) -> None:
    bob = User.objects.get(email=f"bob@{OURS}")
    Domain.objects.get(name=THEIRS).administrators.add(bob)
    assert shows_nothing(client.get(address_of(bob, "change")))
    Domain.objects.get(name=THEIRS).administrators.clear()
    User.objects.filter(pk=bob.pk).update(is_superuser=True)
    assert shows_nothing(client.get(address_of(bob, "change")))


def test_a_new_user_is_of_their_domain(client: Client) -> None:
    form = {"name": "Dora", "password1": PASSWORD, "password2": PASSWORD}
    form |= {"quota_mb": "5", "aliases": f"d@{OURS} dd@{OURS}"}
    page = client.post(
        reverse("admin:accounts_user_add"), {**form, "email": f"dora@{THEIRS}"}
    )
    assert "not a domain of yours" in page.text
    alias = {**form, "email": f"dora@{OURS}", "aliases": f"dora@{THEIRS}"}
    page = client.post(reverse("admin:accounts_user_add"), alias)
    assert "is not yours" in page.text
    client.post(reverse("admin:accounts_user_add"), {**form, "email": f"dora@{OURS}"})
    account = Account.objects.get(owner__email=f"dora@{OURS}")
    assert account.quota_bytes == 5 * 1024 * 1024
    assert account.addresses.count() == 3
    assert Client().login(username=f"dora@{OURS}", password=PASSWORD)


def test_a_shared_account_needs_their_domain(client: Client, bob: User) -> None:
    form = {"name": "sales", "active": "on", MANAGEMENT["first"]: "0"}
    form |= {MANAGEMENT["totals"]: "1", "memberships-0-read": "on"}
    form["memberships-0-user"] = str(bob.pk)
    client.post(reverse("admin:accounts_account_add"), form)
    assert not Account.objects.filter(name="sales").exists()
    other = User.objects.get(email=f"stranger@{THEIRS}")
    ours, theirs = (Domain.objects.get(name=name).pk for name in (OURS, THEIRS))
    for domain, user in ((theirs, bob), (ours, other)):
        wrong = {**form, "domain": domain, "memberships-0-user": str(user.pk)}
        client.post(reverse("admin:accounts_account_add"), wrong)
        assert not Account.objects.filter(name="sales").exists()
    client.post(reverse("admin:accounts_account_add"), {**form, "domain": ours})
    assert Account.objects.get(name="sales").memberships.get().user == bob


def test_an_address_keeps_what_others_put_there(client: Client) -> None:
    address = Address.objects.get(local_part="bob")
    foreign = Account.objects.get(owner__email=f"stranger@{THEIRS}")
    address.accounts.add(foreign)
    mine = Account.objects.get(owner__email=f"bob@{OURS}")
    form = {"domain": address.domain_id, "local_part": "bob", "active": "on"}
    form |= {"accounts": [mine.pk, foreign.pk], "forward_to": "[]"}
    assert client.post(address_of(address, "change"), form).status_code == 302
    assert set(address.accounts.all()) == {mine, foreign}
    other = Address.objects.get(local_part="alice")
    form = {**form, "local_part": "alice", "accounts": [foreign.pk]}
    assert client.post(address_of(other, "change"), form).status_code == 200
    assert foreign not in other.accounts.all()


def test_an_address_of_who_has_more_rights_is_not_theirs(
    keeper: User, client: Client
) -> None:
    chief = person("chief", OURS)
    User.objects.filter(pk=chief.pk).update(is_superuser=True)
    row = Address.objects.get(local_part="chief")
    mine = Account.objects.get(owner=keeper)
    form = {"domain": row.domain_id, "local_part": "chief", "active": "on"}
    form |= {"accounts": [mine.pk], "forward_to": "[]"}
    for page in ("change", "delete"):
        assert shows_nothing(client.post(address_of(row, page), {**form, "post": "y"}))
    assert list(row.accounts.values_list("owner", flat=True)) == [chief.pk]
    row.delete()
    for local_part in ("chief", "Chief", "chief+shop"):
        form["local_part"] = local_part
        answer: Any = client.post(reverse("admin:accounts_address_add"), form)
        assert "not yours to give" in answer.text
    own = Address.objects.get(local_part="bob")
    renamed = {**form, "local_part": "chief"}
    assert "not yours" in client.post(address_of(own, "change"), renamed).text
    assert not Address.objects.filter(local_part__startswith="chief").exists()


def test_nobody_is_let_into_a_persons_account(keeper: User, client: Client) -> None:
    bob = Account.objects.get(owner__email=f"bob@{OURS}")
    form = {"name": bob.name, MANAGEMENT["totals"]: "1", MANAGEMENT["first"]: "0"}
    form |= {"memberships-0-user": str(keeper.pk), "memberships-0-read": "on"}
    form["memberships-0-account"] = str(bob.pk)
    client.post(address_of(bob, "change"), form)
    assert not Membership.objects.filter(account=bob).exists()


@pytest.mark.parametrize("name", ["password", "scram_salt", "scram_keys"])
def test_secrets_are_not_read_out_by_questions(client: Client, name: str) -> None:
    query = {f"{name}__startswith": "a"}
    answer = client.get(reverse("admin:accounts_user_changelist"), query)
    assert answer.status_code in {302, 400}
    assert "bob@" not in answer.text


def upload(client: Client, text: str, **more: str) -> Any:
    address = reverse("admin:accounts_user_import")
    if more:
        return client.post(address, {"text": text, **more})
    file = SimpleUploadedFile("users.csv", text.encode())
    return client.post(address, {"file": file})


def test_an_import_shows_first_and_then_does(client: Client) -> None:
    text = f"email,name,quota_mb,aliases\nd@{OURS},Dora,7,dora@{OURS}\nbob@{OURS},B,,\n"
    assert "is made" in upload(client, text).text
    assert not User.objects.filter(email=f"d@{OURS}").exists()
    answer = client.post(
        reverse("admin:accounts_user_import"), {"text": text, "sure": "1"}, follow=True
    )
    assert "/welcome/" in answer.text
    account = Account.objects.get(owner__email=f"d@{OURS}")
    assert account.quota_bytes == 7 * 1024 * 1024
    assert User.objects.get(email=f"bob@{OURS}").name == "B"
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"x@{THEIRS}", "not a domain of yours"),
        (f"stranger@{THEIRS}", "not a domain of yours"),
        ("nonsense", "valid email"),
        (f"x@{OURS},,many", "no number"),
        (f"x@{OURS},,,bob@{OURS}", "is taken"),
        (f"x@{OURS},,,,maybe", "neither yes nor no"),
        (f"x@{OURS},,,,,123", "too short"),
        (f"bob@{OURS}\nbob@{OURS}", "stands twice"),
    ],
)
def test_an_import_says_what_is_wrong(client: Client, line: str, says: str) -> None:
    text = f"email,name,quota_mb,aliases,active,password\n{line}\n"
    before = User.objects.count()
    for more in ({}, {"sure": "1"}):
        assert says in upload(client, text, **more).text
    assert User.objects.count() == before


def test_an_import_leaves_people_with_more_rights_alone(client: Client) -> None:
    person("chief", OURS)
    User.objects.filter(email=f"chief@{OURS}").update(is_superuser=True)
    answer = upload(client, f"email,password\nchief@{OURS},a very new password\n")
    assert "not yours to change" in answer.text


def test_an_export_can_be_imported_again(client: Client) -> None:
    User.objects.filter(email=f"bob@{OURS}").update(name="=cmd()")
    ids = list(User.objects.values_list("pk", flat=True))
    form = {"action": "export", "_selected_action": ids}
    answer: Any = client.post(reverse("admin:accounts_user_changelist"), form)
    text = b"".join(answer.streaming_content).decode()
    assert "'=cmd()" in text
    assert THEIRS not in text
    upload(client, text, sure="1")
    assert User.objects.get(email=f"bob@{OURS}").name == "=cmd()"


def test_a_suspended_domain_administers_nothing(client: Client) -> None:
    Domain.objects.filter(name=OURS).update(active=False)
    assert client.get(reverse("admin:index")).status_code == 302


def test_who_and_from_where_is_in_the_history(client: Client, bob: User) -> None:
    form = {"action": "suspend", "_selected_action": [bob.pk]}
    client.post(
        reverse("admin:accounts_user_changelist"), form, REMOTE_ADDR="192.0.2.7"
    )
    entry = LogEntry.objects.get()
    assert entry.user.email == f"alice@{OURS}"
    assert "suspended [192.0.2.7]" in entry.change_message
    assert "192.0.2.7" in client.get(address_of(bob, "history")).text
    standing.resume(bob)
