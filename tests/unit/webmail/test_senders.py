"""Several senders, templates, importance, receipts; drafts that go on an answer."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailhost.mime.headers import get
from mailhost.mime.message import parse
from mailhost.store import flags, read
from mailhost.webmail.models import Identity, Preferences, Template
from tests.unit.store.test_organising import answer, deliver, late, marks
from tests.unit.webmail.conftest import PLAIN, Box
from tests.unit.webmail.test_writing import FORM, HTMX, octets

SALES = "sales@example.test"


@pytest.fixture
def sales(box: Box) -> str:
    """Another address of alice's."""
    from accounts.models import Address, Domain

    domain = Domain.objects.get(name="example.test")
    row = Address.objects.create(domain=domain, local_part="sales")
    row.accounts.add(box.account_id)
    return SALES


def keep(page: Client, address: str, **more: str) -> int:
    return page.post("/settings/senders/", {"address": address, **more}).status_code


def test_each_sender_has_a_name_a_signature_and_its_answers(
    box: Box, page: Client, sales: str, bob: Any
) -> None:
    more = {"name": "Sales, Inc.", "reply_to": "Team <team@example.test>"}
    keep(page, sales, **more, signature="<b>The team</b><script>1</script>")
    shown = page.get("/compose/").content.decode()
    assert "&quot;Sales, Inc.&quot; &lt;sales@example.test&gt;" in shown
    assert "<script>1" not in Identity.objects.get().signature
    page.post("/compose/", FORM | {"sender": sales, "text": "x", "action": "send"})
    head = read.octets(read.content_of(box.folder("Sent"), box.uids("Sent")[0]))
    assert get(head, b"From") == b'"Sales, Inc." <sales@example.test>'
    assert get(head, b"Reply-To") == b"Team <team@example.test>"


def test_the_default_goes_first_and_is_one(box: Box, page: Client, sales: str) -> None:
    keep(page, "alice@example.test", is_default="1")
    keep(page, sales, is_default="1", signature="Bye")
    assert Identity.objects.get(is_default=True).address == sales
    shown = page.get("/compose/").content.decode()
    assert shown.index(f'value="{sales}"') < shown.index('value="alice@example.test"')
    assert "-- \nBye" in shown


def test_an_answer_has_the_sender_it_came_to(
    box: Box, page: Client, sales: str
) -> None:
    keep(page, sales, signature="The team")
    uid = box.put(PLAIN.replace(b"To: alice@", b"To: sales@"))
    shown = page.get(f"/compose/?reply={box.where(uid)}").content.decode()
    assert re.search(rf'value="{sales}"\s+selected', shown)
    text = shown.partition('name="text"')[2]
    assert text.index("-- \nThe team") < text.index("&gt; Shall we?")


@pytest.mark.parametrize(
    "more",
    [
        {"reply_to": "nobody"},
        {"reply_to": "a@b.test\r\nBcc: x@y.test"},
        {"name": "A\nB"},
        {"signature": "x" * 300_001},
    ],
)
def test_what_cannot_be_is_told(box: Box, page: Client, more: dict[str, str]) -> None:
    assert keep(page, "alice@example.test", **more) == 409
    assert not Identity.objects.exists()


def test_an_address_of_another_is_not_there(
    box: Box, page: Client, bob: Any, stranger: Any
) -> None:
    assert keep(page, "bob@example.test", name="Bob") == 404


def test_an_answer_stands_below_if_wanted(box: Box, page: Client) -> None:
    Preferences.objects.update(answers_below=True, signature="Alice")
    uid = box.put()
    shown = page.get(f"/compose/?reply={box.where(uid)}").content.decode()
    text = shown.partition('name="text"')[2]
    assert text.index("&gt; Shall we?") < text.index("-- \nAlice")
    assert "data-below" in shown
    assert "data-below" not in page.get("/compose/").content.decode()


def test_importance_and_a_receipt_are_asked_for(
    box: Box, page: Client, bob: Any
) -> None:
    more = {"importance": "high", "receipt": "on", "text": "x"}
    page.post("/compose/", FORM | more | {"action": "draft"})
    (uid,) = box.uids("Drafts")
    shown = page.get(f"/compose/?draft={box.where(uid, 'Drafts')}").content.decode()
    assert re.search(r'value="high"\s+selected', shown)
    assert re.search(r'name="receipt"[^>]* checked', shown)
    page.post("/compose/", FORM | more | {"action": "send"})
    head = octets(box, "Sent")
    assert get(head, b"Importance") == b"high"
    assert get(head, b"X-Priority") == b"1"
    to = get(head, b"Disposition-Notification-To")
    assert to is not None
    assert b"alice@example.test" in to


# Templates


def test_a_template_is_kept_used_renamed_and_deleted(
    box: Box, page: Client, bob: Any, browser_of: Any
) -> None:
    form = FORM | {"html": "<p>Dear <b>you</b></p><script>1</script>"}
    form |= {"action": "template", "template_name": "Dear"}
    told = page.post("/compose/", form, headers=HTMX)
    assert "Dear" in json.loads(told["HX-Trigger"])["mailnotice"]["text"]
    row = Template.objects.get()
    assert row.html == "<p>Dear <b>you</b></p>"
    got = page.get(f"/templates/{row.pk}/").json()
    assert got["subject"] == "Hi"
    assert "Dear" in page.get(f"/compose/?template={row.pk}").content.decode()
    page.post("/compose/", form | {"html": "<p>Anew</p>"}, headers=HTMX)
    assert Template.objects.get().html == "<p>Anew</p>"
    theirs = browser_of(bob)
    for path in (f"/templates/{row.pk}/", f"/compose/?template={row.pk}"):
        assert theirs.get(path).status_code == 404
    change = f"/templates/{row.pk}/change/"
    assert theirs.post(change, {"delete": "1"}).status_code == 404
    page.post(change, {"name": "Greeting"})
    assert "Greeting" in page.get("/settings/").content.decode()
    page.post(change, {"delete": "1"})
    assert not Template.objects.exists()


def test_a_template_needs_a_name(box: Box, page: Client) -> None:
    assert page.post("/compose/", FORM | {"action": "template"}).status_code == 409


# Drafts


def kept_draft(box: Box, page: Client, uid: int, kind: str) -> str:
    form = FORM | {"origin": box.where(uid), "kind": kind, "text": "So"}
    page.post("/compose/", form | {"action": "draft"})
    return box.where(box.uids("Drafts")[0], "Drafts")


@pytest.mark.engines
@pytest.mark.parametrize(
    ("kind", "found"),
    [("reply", (flags.ANSWERED, set())), ("forward", (0, {"$Forwarded"}))],
)
def test_a_draft_that_is_opened_later_knows_what_it_answers(
    box: Box, page: Client, bob: Any, kind: str, found: tuple[int, set[str]]
) -> None:
    uid = box.put()
    draft = kept_draft(box, page, uid, kind)
    shown = page.get(f"/compose/?draft={draft}").content.decode()
    fields = {
        name: re.findall(rf'name="{name}" value="([^"]*)"', shown)[0]
        for name in ("origin", "kind", "draft")
    }
    assert fields["origin"] == box.where(uid)
    page.post("/compose/", FORM | fields | {"text": "So", "action": "send"})
    assert marks(box, uid) == found
    assert box.uids("Drafts") == []
    sent = parse(octets(box, "Sent"))
    assert sent.references == ("lunch@far.test",)
    assert sent.in_reply_to == (("lunch@far.test",) if kind == "reply" else ())


def test_a_draft_of_another_program_does_too(box: Box, page: Client, bob: Any) -> None:
    uid = box.put(name="Archive")
    head = b"From: alice@example.test\r\nIn-Reply-To: <lunch@far.test>\r\n"
    head += b"References: <a@far.test> <lunch@far.test>\r\nSubject: Re: Lunch\r\n\r\nSo"
    draft = box.put(head, name="Drafts", flags=flags.DRAFT)
    where = box.where(draft, "Drafts")
    shown = page.get(f"/compose/?draft={where}").content.decode()
    assert f'name="origin" value="{box.where(uid, "Archive")}"' in shown


def test_a_draft_whose_original_is_gone_keeps_its_thread(
    box: Box, page: Client, bob: Any
) -> None:
    from mailhost.store import change

    uid = box.put()
    draft = kept_draft(box, page, uid, "reply")
    change.expunge(box.account_id, box.folder(), [uid], force=True)
    page.post("/compose/", FORM | {"draft": draft, "text": "So", "action": "send"})
    assert parse(octets(box, "Sent")).in_reply_to == ("lunch@far.test",)


# Reminders


@pytest.mark.engines
def test_a_reminder_is_set_on_sending_and_goes_with_its_letter(
    box: Box, page: Client, bob: Any
) -> None:
    from mailhost.mail.models import Reminder

    page.post("/compose/", FORM | {"text": "x", "remind": "3", "action": "send"})
    row = Reminder.objects.get()
    days = (row.due - timezone.now()) / timedelta(days=1)
    assert 2.9 < days < 3.1
    (uid,) = box.uids("Sent")
    assert "if nobody answers" in page.get(box.url(uid, name="Sent")).content.decode()
    late()
    (back,) = box.uids()
    assert "No answer yet" in page.get(box.url()).content.decode()
    assert marks(box, back)[1] == {"$reminder", "$new"}


def test_what_is_called_off_is_not_waited_for(box: Box, page: Client, bob: Any) -> None:
    from mailhost.mail.models import Reminder

    Preferences.objects.update(undo_seconds=10)
    form = FORM | {"text": "x", "remind": "1", "action": "send"}
    told = json.loads(page.post("/compose/", form, headers=HTMX)["HX-Trigger"])
    assert Reminder.objects.count() == 1
    page.post(f"/unsend/{told['mailnotice']['unsend']}/", headers=HTMX)
    assert not Reminder.objects.exists()


def test_a_reminder_on_what_was_sent(box: Box, page: Client) -> None:
    from mailhost.mail.models import Reminder

    text = b"From: alice@example.test\r\nMessage-ID: <1@far.test>\r\n\r\nHello"
    uid = box.put(text, name="Sent", flags=flags.SEEN)
    place = box.url(uid, "remind/", name="Sent")
    assert page.post(place, {"days": "7"}).status_code == 200
    assert Reminder.objects.count() == 1
    page.post(place)
    assert not Reminder.objects.exists()
    assert page.post(place, {"until": "2001-01-01T10:00"}).status_code == 409
    assert page.post(place, {"days": "9999"}).status_code == 409
    deliver(box, answer(2, 1))
    assert page.post(place, {"days": "7"}).status_code == 409
    other = box.put()
    assert page.post(box.url(other, "remind/"), {"days": "7"}).status_code == 404


# Receipts

ASKS = PLAIN.replace(
    b"Subject:", b"Disposition-Notification-To: Carl <carl@far.test>\r\nSubject:"
)


def queued() -> list[tuple[str, str, bytes]]:
    from mailhost.outbound.models import QueueRecipient

    rows = QueueRecipient.objects.select_related("message")
    return [(r.message.mail_from, r.address, bytes(r.message.octets)) for r in rows]


@pytest.mark.engines
def test_a_receipt_is_sent_when_its_reader_says_so_and_once(
    box: Box, page: Client
) -> None:
    uid = box.put(ASKS)
    assert "carl@far.test asks to be told" in page.get(box.url(uid)).content.decode()
    assert queued() == []
    place = box.url(uid, "receipt/")
    assert page.post(place, {"send": "1"}, headers=HTMX).status_code == 200
    ((mail_from, to, text),) = queued()
    assert (mail_from, to) == ("", "carl@far.test")
    assert b'report-type="disposition-notification"' in text.replace(
        b"report-type=disposition-notification",
        b'report-type="disposition-notification"',
    )
    assert b"Final-Recipient: rfc822;alice@example.test" in text
    assert b"Original-Message-ID: <lunch@far.test>" in text
    assert b"Disposition: manual-action/MDN-sent-manually; displayed" in text
    assert b"Disposition-Notification-To" not in text
    assert marks(box, uid)[1] == {"$MDNSent"}
    assert page.post(place, {"send": "1"}).status_code == 404
    assert len(queued()) == 1


def test_a_declined_receipt_is_not_asked_again(box: Box, page: Client) -> None:
    uid = box.put(ASKS)
    page.post(box.url(uid, "receipt/"), {"send": "0"}, headers=HTMX)
    assert queued() == []
    assert "asks to be told" not in page.get(box.url(uid)).content.decode()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        ASKS.replace(b"Date:", b"Content-Type: multipart/report; boundary=x\r\nDate:"),
        ASKS.replace(b"From: Carl <carl@far.test>", b"From: alice@example.test"),
        ASKS.replace(b"Carl <carl@far.test>\r\nSubject", b"nobody\r\nSubject"),
        ASKS.replace(
            b"Date:",
            b"Disposition-Notification-Options: sign=required,yes\r\nDate:",
        ),
    ],
    ids=["unasked", "report", "own", "no address", "options"],
)
def test_nobody_is_asked_where_there_is_no_receipt(
    box: Box, page: Client, text: bytes
) -> None:
    uid = box.put(text)
    assert "asks to be told" not in page.get(box.url(uid)).content.decode()
    assert page.post(box.url(uid, "receipt/"), {"send": "1"}).status_code == 404
    assert queued() == []
