"""The admin: every page opens; actions go through the store; reading is on record."""

import json

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Address, Membership, User
from mailhost.mail.models import Arrival, Folder, Message, ReadingAudit
from mailhost.screening.models import SenderPolicy
from mailhost.store import flags, folders
from mailhost.store.append import append
from mailhost.store.content import prepare
from tests.conftest import PASSWORD

OCTETS = b"From: x@y\r\nSubject: <script>hi\r\n\r\nthe secret text\r\n"


@pytest.fixture
def chief(alice: User) -> Client:
    """alice with every right, logged in."""
    alice.is_staff = alice.is_superuser = True
    alice.save()
    return logged_in(alice)


def logged_in(user: User) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


@pytest.fixture
def message(bob: User) -> Message:
    account = Account.objects.get(owner=bob)
    inbox = folders.open_folder(account.pk, "INBOX")
    append(account.pk, inbox.id, prepare(OCTETS))
    return Message.objects.get()


def test_every_list_and_form_opens(chief: Client, message: Message) -> None:
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert chief.get(reverse(f"{name}_changelist")).status_code == 200
        assert chief.get(reverse(f"{name}_changelist"), {"q": "x"}).status_code == 200
        assert chief.get(reverse(f"{name}_add")).status_code in {200, 403}
        for row in model._default_manager.all()[:1]:
            page = chief.get(reverse(f"{name}_change", args=[row.pk]))
            assert page.status_code == 200


def test_staff_come_in_by_the_one_login(chief: Client, alice: User, bob: User) -> None:
    assert Client().get("/admin/login/")["Location"] == "/login/?next=/admin/"
    for user, status in ((alice, 200), (bob, 403)):
        client = Client()
        form = {"login": user.email, "password": PASSWORD, "next": "/admin/"}
        answer = client.post("/login/", form, follow=True)
        assert answer.status_code == status


def test_a_page_shows_headers_but_not_the_text(chief: Client, message: Message) -> None:
    page = chief.get(reverse("admin:mail_message_change", args=[message.pk]))
    assert "&lt;script&gt;hi" in page.text
    assert "<script>hi" not in page.text
    assert "text/plain" in page.text
    assert "the secret text" not in page.text
    assert not ReadingAudit.objects.exists()


def test_a_page_shows_what_was_found_when_it_came(
    chief: Client, message: Message
) -> None:
    address = reverse("admin:mail_message_change", args=[message.pk])
    assert "how it came" in chief.get(address).text.lower()
    kept = {
        "action": "junk",
        "score": 6,
        "findings": [["dmarc", 2.0, "<i>far.test</i> did not send it"]],
        "results": [["spf", "fail", {}, "no"]],
    }
    Arrival.objects.create(
        account=message.account,
        email_id=message.email_id,
        delivered_to="bob@example.test",
        mail_from="x@far.test",
        peer="far.test [192.0.2.1]",
        verdict=json.dumps(kept),
    )
    text = chief.get(address).text
    assert "from &lt;x@far.test&gt; by far.test [192.0.2.1]" in text
    assert "junk, score 6" in text
    assert "dmarc +2: &lt;i&gt;far.test&lt;/i&gt; did not send it" in text
    assert "spf=fail no" in text


def test_a_senders_policy_is_set_here(chief: Client) -> None:
    form = {"domain": "Bücher.Example.", "dmarc": "junk", "note": ""}
    chief.post(reverse("admin:screening_senderpolicy_add"), form)
    assert SenderPolicy.objects.get().domain == "xn--bcher-kva.example"


def test_reading_the_text_is_on_record(
    chief: Client, alice: User, message: Message
) -> None:
    page = chief.get(reverse("admin:mail_message_text", args=[message.pk]))
    assert page.content == OCTETS
    assert page["Content-Type"].startswith("text/plain")
    audit = ReadingAudit.objects.get()
    assert (audit.staff, audit.email_id) == (alice, message.email_id)


def test_staff_without_the_permission_do_not_read(bob: User, message: Message) -> None:
    bob.is_staff = True
    bob.save()
    bob.user_permissions.set(Permission.objects.filter(codename="view_message"))
    client = logged_in(bob)
    address = reverse("admin:mail_message_change", args=[message.pk])
    assert client.get(address).status_code == 200
    address = reverse("admin:mail_message_text", args=[message.pk])
    assert client.get(address).status_code == 403
    assert not ReadingAudit.objects.exists()


def act(client: Client, name: str, message: Message) -> None:
    form = {"action": name, "_selected_action": [message.pk]}
    client.post(reverse("admin:mail_message_changelist"), form)


@pytest.mark.parametrize(
    ("action", "bits"),
    [("mark_seen", flags.SEEN), ("flag", flags.FLAGGED), ("mark_unseen", 0)],
)
def test_actions_flag_through_the_store(
    chief: Client, message: Message, action: str, bits: int
) -> None:
    before = message.folder.state.modseq
    act(chief, action, message)
    message.refresh_from_db()
    assert message.flags == bits
    message.folder.state.refresh_from_db()
    assert (message.folder.state.modseq > before) == bool(bits)


@pytest.mark.parametrize("role", ["junk", "trash"])
def test_actions_move_through_the_store(
    chief: Client, message: Message, role: str
) -> None:
    act(chief, f"to_{role}", message)
    assert Message.objects.get().folder.role == role
    assert Folder.objects.get(pk=message.folder_id).state.messages == 0


def test_delete_expunges(chief: Client, message: Message) -> None:
    act(chief, "remove", message)
    assert not Message.objects.exists()
    assert Folder.objects.get(pk=message.folder_id).state.messages == 0


def test_a_new_user_by_the_admin_has_everything(chief: Client) -> None:
    form = {"email": "Dora@Example.test", "name": "Dora", "usable_password": "true"}
    form |= {"password1": PASSWORD, "password2": PASSWORD}
    chief.post(reverse("admin:accounts_user_add"), form)
    user = User.objects.get(email="dora@example.test")
    assert Folder.objects.filter(account__owner=user).count() > 4
    assert Address.objects.filter(local_part="dora").exists()
    assert Client().login(username=user.email, password=PASSWORD)


def test_a_new_account_by_the_admin_is_shared(chief: Client, bob: User) -> None:
    form = {"name": "support", "active": "on"}
    form |= {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0"}
    form |= {"memberships-0-user": str(bob.pk), "memberships-0-read": "on"}
    chief.post(reverse("admin:accounts_account_add"), form)
    account = Account.objects.get(name="support")
    assert account.kind == Account.Kind.SHARED
    assert Membership.objects.get(account=account).user == bob
    assert Folder.objects.filter(account=account, role="inbox").exists()


def test_suspend_and_resume(chief: Client, alice: User, bob: User) -> None:
    address = reverse("admin:accounts_user_changelist")
    form = {"action": "suspend", "_selected_action": [alice.pk, bob.pk]}
    chief.post(address, form)
    bob.refresh_from_db()
    alice.refresh_from_db()
    assert (bob.is_active, alice.is_active) == (False, True)
    assert not Account.objects.get(owner=bob).active
    chief.post(address, {**form, "action": "resume"})
    assert Client().login(username=bob.email, password=PASSWORD)
