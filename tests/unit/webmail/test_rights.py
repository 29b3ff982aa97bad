"""Who may see what: the owner, a friend with a membership, a stranger."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests.unit.webmail.conftest import PLAIN, Box

if TYPE_CHECKING:
    from accounts.models import User

BrowserOf = Callable[["User"], Client]
GETS = [
    "",
    "{uid}/",
    "{uid}/letter/",
    "{uid}/source/",
    "{uid}/html/1/",
    "{uid}/part/1/a.txt",
]


@pytest.fixture
def shared(alice: "User", bob: "User") -> Box:
    """support@: alice writes in it, bob reads."""
    from accounts.models import Account, Membership
    from mailhost.store.folders import make_default_folders

    account = Account.objects.create(kind="shared", name="support")
    if not account.folders.exists():
        make_default_folders(account.pk)
    Membership.objects.create(account=account, user=alice, write=True)
    Membership.objects.create(account=account, user=bob, read=True)
    return Box(alice, account.pk)


def paths(box: Box, uid: int) -> list[str]:
    found = [box.url(more=more.format(uid=uid)) for more in GETS]
    where = f"{box.account_id}.{box.folder()}.{uid}"
    return [*found, *(f"/compose/?{k}={where}" for k in ("reply", "all", "forward"))]


def test_the_owner_sees_it(box: Box, page: Client) -> None:
    uid = box.put()
    for path in paths(box, uid):
        expected = 404 if "/html/" in path else 200  # it has no HTML
        assert page.get(path).status_code == expected, path


def test_a_stranger_and_a_colleague_do_not(
    box: Box, browser_of: BrowserOf, stranger: "User", bob: "User"
) -> None:
    uid = box.put()
    for user in (stranger, bob):
        client = browser_of(user)
        for path in paths(box, uid):
            assert client.get(path).status_code == 404, path
        for action in ("read", "delete", "move", "flag"):
            answer = client.post("/do/", {"m": box.where(uid), "action": action})
            assert answer.status_code == 404
    assert box.uids() == [uid]


def test_absent_and_forbidden_look_the_same(
    box: Box, browser_of: BrowserOf, stranger: "User"
) -> None:
    uid = box.put()
    client = browser_of(stranger)
    forbidden = client.get(box.url(uid))
    absent = client.get("/mail/99999/99999/1/")
    assert forbidden.status_code == absent.status_code == 404
    assert forbidden.content == absent.content


@pytest.mark.parametrize("path", ["/mail/2/{}/", "/mail/{}/1/2/", "/undo/{}/"])
def test_a_number_that_no_row_has_is_nowhere(page: Client, path: str) -> None:
    for number in ("999999999999999999", "99999999999999999999"):
        assert page.get(path.format(number)).status_code in {404, 405}


def test_a_folder_is_not_reached_through_another_account(
    box: Box, browser_of: BrowserOf, stranger: "User"
) -> None:
    from accounts.models import Account

    uid = box.put()
    own = Account.objects.get(owner=stranger).pk
    client = browser_of(stranger)
    assert client.get(f"/mail/{own}/{box.folder()}/{uid}/").status_code == 404


def test_nobody_sees_it_without_logging_in(box: Box) -> None:
    uid = box.put()
    client = Client()
    for path in [*paths(box, uid), "/", "/folders/", "/folders/manage/"]:
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/")


def test_a_reader_reads_and_changes_nothing(
    shared: Box, browser_of: BrowserOf, bob: "User"
) -> None:
    uid = shared.put()
    client = browser_of(bob)
    assert client.get(shared.url(uid)).status_code == 200
    for action in ("flag", "delete", "archive"):
        answer = client.post("/do/", {"m": shared.where(uid), "action": action})
        assert answer.status_code == 403
    answer = client.post(f"/folders/{shared.account_id}/new/", {"name": "X"})
    assert answer.status_code == 403
    assert shared.uids() == [uid]


def test_a_writer_archives_for_the_team(shared: Box, page: Client) -> None:
    uid = shared.put()
    page.post("/do/", {"m": shared.where(uid), "action": "archive"})
    assert shared.uids() == []
    assert len(shared.uids("Archive")) == 1


def test_mail_is_not_moved_into_a_strangers_folder(
    box: Box, page: Client, stranger: "User"
) -> None:
    from accounts.models import Account

    uid = box.put()
    theirs = Box(stranger, Account.objects.get(owner=stranger).pk)
    to = f"{theirs.account_id}.{theirs.folder()}"
    form = {"m": box.where(uid), "action": "move", "to": to}
    assert page.post("/do/", form).status_code == 404
    assert theirs.uids() == []


def test_a_strangers_attachment_is_not_taken_along(
    box: Box, page: Client, stranger: "User"
) -> None:
    from accounts.models import Account

    theirs = Box(stranger, Account.objects.get(owner=stranger).pk)
    uid = theirs.put(PLAIN)
    kept = f"{theirs.account_id}.{theirs.folder()}.{uid}.1"
    for field in ({"kept": kept}, {"origin": kept[:-2]}):
        form = {"sender": "alice@example.test", "to": "a@b.test", "action": "send"}
        assert page.post("/compose/", form | field).status_code == 404


# What names mail in its query or form: (path, query, form). Every URL without an object
# in its path is here, or in HARMLESS, which name nobody's.
HARMLESS = {
    "login", "logout", "home", "manage", "suggest", "save", "waiting", "people",
    "settings", "display", "locale", "zone", "device", "profile", "contacts",
    "contact_keep", "contact_merge", "contact_group", "import_cards",
    "export_cards", "keyboard", "manifest", "carry", "transfers", "senders",
    "worker", "away",
}  # fmt: skip
NAMING: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "export_messages": ({}, {"m": "{m}"}),
    "transfer_begin": ({}, {"account": "{account}", "size": "5"}),
    "search": ({"q": "x", "from": "{folder}"}, {}),
    "mode": ({}, {"folder": "{folder}"}),
    "senders": ({}, {"address": "alice@example.test"}),
    "act": ({}, {"m": "{m}", "action": "delete"}),
    "compose": ({"reply": "{m}"}, {"origin": "{m}"}),
    "folders": ({"current": "{folder}"}, {}),
}


def url_names() -> list[str]:
    from mailhost.webmail.urls import urlpatterns

    return [str(pattern.name) for pattern in urlpatterns]


@pytest.mark.parametrize("name", url_names())
def test_no_url_shows_a_stranger_anything(
    box: Box, browser_of: BrowserOf, stranger: "User", name: str
) -> None:
    from mailhost.webmail import signing
    from mailhost.webmail.urls import urlpatterns

    if name in HARMLESS:
        return
    uid = box.put()
    (pattern,) = [one for one in urlpatterns if one.name == name]
    values = {
        "account_id": box.account_id, "folder_id": box.folder(), "uid": uid,
        "section": "1", "name": "a.txt", **rows_of(box.user),
        "inline.token": signing.token(
            box.user, signing.PARTS, box.account_id, box.folder(), uid, "1"
        ),
        "picture.token": signing.token(box.user, signing.PICTURE, "https://far.test/p"),
    }  # fmt: skip
    wanted = pattern.pattern.converters
    assert wanted or name in NAMING, "a URL without an object is in no table"
    path = f"/{pattern.pattern}"
    for part, converter in wanted.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        kind = {"string": "str"}.get(kind, kind)
        value = values.get(f"{name}.{part}", values.get(part))
        path = path.replace(f"<{kind}:{part}>", str(value))
    query, form = NAMING.get(name, ({}, {}))
    names = {
        "account": box.account_id,
        "folder": f"{box.account_id}.{box.folder()}",
        "m": box.where(uid),
    }
    filled = [{k: v.format(**names) for k, v in one.items()} for one in (query, form)]
    base = {"sender": "stranger@other.test", "to": "a@b.test", "name": "x"}
    client = browser_of(stranger)
    answers = [client.get(path, filled[0]), client.post(path, base | filled[1])]
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {404, 405}, (path, statuses)
    assert 404 in statuses
    assert box.uids() == [uid]


def rows_of(user: "User") -> dict[str, int]:
    """What alice keeps in the webmail itself, under url.parameter."""
    from accounts import apppasswords
    from mailhost.webmail.models import (
        Contact,
        ContactGroup,
        SavedSearch,
        Template,
        Transfer,
        Undo,
    )

    transfer = Transfer.objects.create(
        user=user, account=user.account, name="a", size=5
    ).pk
    template = Template.objects.create(user=user, name="Dear", html="<p>Dear</p>").pk
    return {
        "template.number": template,
        "template_change.number": template,
        "contact_member.number": ContactGroup.objects.create(user=user, name="g").pk,
        "contact_part.number": Contact.objects.create(user=user, address="c@d.test").pk,
        "transfer_piece.number": transfer,
        "transfer_end.number": transfer,
        "transfer_cancel.number": transfer,
        "undo.number": Undo.objects.create(user=user, steps=[]).pk,
        "unsend.number": later(user),
        "revoke.number": apppasswords.create(user.pk, "phone")[0].pk,
        "forget.number": SavedSearch.objects.create(user=user, name="n", query="q").pk,
    }


def later(user: "User") -> int:
    """The number of a message of alice's that waits."""
    from datetime import timedelta

    from django.utils import timezone

    from mailhost import delivery
    from mailhost.outbound.values import Envelope, Recipient

    octets = b"From: alice@example.test\r\nSubject: later\r\n\r\nx\r\n"
    envelope = Envelope("alice@example.test", (Recipient("x@far.test"),))
    due = timezone.now() + timedelta(hours=1)
    return delivery.schedule_sync(user.pk, octets, envelope, due)
