"""Letters in HTML, drafts that save themselves, sending later and calling it off."""

import json
import re
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from mailhost.delivery import scheduled
from mailhost.mime.message import parse
from mailhost.store import flags, read
from mailhost.webmail import addressbook, people, signing, vcards
from mailhost.webmail.models import Contact, Preferences
from tests.unit.webmail.conftest import Box

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 30
FORM = {"sender": "alice@example.test", "to": "Bob <bob@example.test>", "subject": "Hi"}
HTMX = {"HX-Request": "true", "HX-Target": "reader"}


def octets(box: Box, name: str) -> bytes:
    (uid,) = box.uids(name)
    return read.octets(read.content_of(box.folder(name), uid))


def test_html_is_cleaned_and_has_a_text(box: Box, page: Client, bob: Any) -> None:
    html = "<div>Dear <b>Bob</b></div><script>alert(1)</script><p onclick=x()>ok</p>"
    page.post("/compose/", FORM | {"html": html, "action": "send"})
    sent = octets(box, "Sent")
    assert b"<b>Bob</b>" in sent
    assert b"Dear Bob" in sent
    assert b"script" not in sent
    assert b"onclick" not in sent
    kinds = [f"{p.type}/{p.subtype}" for p in parse(sent).root.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]


def test_a_pasted_picture_becomes_a_part_and_stays_one(
    box: Box, page: Client, bob: Any
) -> None:
    data = f"data:image/png;base64,{b64encode(PNG).decode()}"
    form = FORM | {"html": f'<p>Look <img src="{data}" alt="x"></p>', "action": "draft"}
    page.post("/compose/", form | {"auto": "1"})
    draft = octets(box, "Drafts")
    (name,) = re.findall(rb'src=\\?"cid:([^"]+)"', draft.replace(b"=3D", b"="))
    (part,) = [p for p in parse(draft).root.walk() if p.type == "image"]
    assert part.content_id == name.decode()
    (uid,) = box.uids("Drafts")
    shown = page.get(f"/compose/?draft={box.where(uid, 'Drafts')}").content.decode()
    (ours,) = re.findall(r"src=&quot;(/inline/[^&]+)&quot;", shown)
    assert page.get(ours).content == PNG
    page.post("/compose/", FORM | {"html": f'<img src="{ours}">', "action": "send"})
    sent = octets(box, "Sent")
    assert [p.type for p in parse(sent).root.walk()][-1] == "image"
    assert b64encode(PNG)[:40] in sent


def test_a_picture_of_a_stranger_is_not_taken(
    box: Box, page: Client, stranger: Any
) -> None:
    from accounts.models import Account

    theirs = Box(stranger, Account.objects.get(owner=stranger).pk)
    uid = theirs.put(b"Content-Type: image/png\r\n\r\nPNG")
    for owner in (stranger, box.user):
        token = signing.token(
            owner, signing.PARTS, theirs.account_id, theirs.folder(), uid, "1"
        )
        form = FORM | {"html": f'<img src="/inline/{token}/">', "action": "draft"}
        assert page.post("/compose/", form).status_code == 404
    assert box.uids("Drafts") == []


def test_a_draft_saves_itself_and_takes_the_last_ones_place(
    box: Box, page: Client
) -> None:
    upload = SimpleUploadedFile("a.txt", b"content", "text/plain")
    form: dict[str, Any] = {"sender": "alice@example.test", "subject": "One"}
    form |= {"action": "draft", "auto": "1", "to": ""}
    first = page.post("/compose/", form | {"attached": [upload]})
    (kept,) = re.findall(r'name="kept" value="([^"]+)"', first.content.decode())
    form |= {"draft": first["X-Draft"], "kept": kept, "subject": "Two"}
    second = page.post("/compose/", form)
    assert second["X-Draft"] != first["X-Draft"]
    draft = parse(octets(box, "Drafts"))
    assert draft.subject == "Two"
    assert draft.has_attachment
    (uid,) = box.uids("Drafts")
    wanted = flags.DRAFT | flags.SEEN
    assert read.listed(box.folder("Drafts"), uid).flags == wanted


@pytest.fixture
def undoing(page: Client, box: Box) -> Client:
    """alice's browser, ten seconds to undo."""
    Preferences.objects.filter(user=box.user).update(undo_seconds=10)
    return page


def send(page: Client, **more: str) -> dict[str, Any]:
    answer = page.post(
        "/compose/",
        FORM | {"text": "Hello", "plain": "1", "action": "send"} | more,
        headers=HTMX,
    )
    told: dict[str, Any] = json.loads(answer.get("HX-Trigger", "{}"))
    return told


@pytest.mark.engines
def test_sending_is_called_off(box: Box, undoing: Client, bob: Any) -> None:
    told = send(undoing, bcc="dora@far.test")
    number = told["mailnotice"]["unsend"]
    assert box.uids("Sent") == []
    answer = undoing.post(f"/unsend/{number}/", headers=HTMX)
    draft = box.where(box.uids("Drafts")[0], "Drafts")
    opened = json.loads(answer["HX-Trigger"])["mailopen"]["url"]
    assert opened == f"/compose/?draft={draft}"
    assert "dora@far.test" in undoing.get(opened).content.decode()
    assert undoing.post(f"/unsend/{number}/", headers=HTMX).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_what_was_not_called_off_is_sent(box: Box, undoing: Client, bob: Any) -> None:
    from accounts.models import Account

    number = send(undoing, bcc="bob@example.test")["mailnotice"]["unsend"]
    scheduled.send(number)
    theirs = Box(bob, Account.objects.get(owner=bob).pk)
    assert b"Bcc" not in octets(theirs, "INBOX")
    assert b"Bcc: bob@example.test" in octets(box, "Sent")
    assert undoing.post(f"/unsend/{number}/", headers=HTMX).status_code == 404


def test_sending_waits_for_its_day(box: Box, page: Client, bob: Any) -> None:
    later = timezone.localtime() + timedelta(days=2)
    told = send(page, later=f"{later:%Y-%m-%dT%H:%M}")
    assert "will be sent on" in told["mailnotice"]["text"]
    assert "bob@example.test" in page.get("/waiting/").content.decode()
    past = timezone.localtime() - timedelta(minutes=5)
    form = FORM | {"action": "send", "later": f"{past:%Y-%m-%dT%H:%M}"}
    assert "This time is over" in page.post("/compose/", form).content.decode()


def test_an_unknown_colleague_is_told_before(box: Box, undoing: Client) -> None:
    form = FORM | {"to": "nobody@example.test", "action": "send"}
    assert "It was not sent" in undoing.post("/compose/", form).content.decode()


def test_a_signature_stands_above_the_quote(box: Box, page: Client) -> None:
    Preferences.objects.filter(user=box.user).update(signature="Alice <A>\nExample")
    uid = box.put()
    shown = page.get(f"/compose/?reply={box.where(uid)}").content.decode()
    text = shown.partition('name="text"')[2]
    assert text.index("-- \nAlice &lt;A&gt;") < text.index("&gt; Shall we?")
    assert "Alice &amp;lt;A&amp;gt;" in shown  # HTML in the editor's field


def test_people_written_to_are_known(
    box: Box, page: Client, bob: Any, browser_of: Any
) -> None:
    for _ in range(2):
        send(page, cc="Dora <Dora@far.test>")
    assert Contact.objects.get(address="dora@far.test").times == 2
    shown = page.get("/people/?q=dor").content.decode()
    assert 'data-address="Dora &lt;dora@far.test&gt;"' in shown
    assert "dora" not in browser_of(bob).get("/people/?q=dor").content.decode()
    assert page.get("/people/?q=").content.strip() == b""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "BEGIN:VCARD\nFN:Zoë\\, Dr.\nitem1.EMAIL;TYPE=work:z@a.test\nEND:VCARD",
            [("z@a.test", "Zoë, Dr.")],
        ),
        (
            "BEGIN:VCARD\r\nFN:Lo\r\n ng\r\nEMAIL:l@a.test\r\nEND:VCARD",
            [("l@a.test", "Long")],
        ),
        ("EMAIL:x@a.test", []),
        ("BEGIN:VCARD\nEMAIL:x@a.test", []),
        ("\0\n:::", []),
    ],
)
def test_cards_are_read(text: str, found: list[tuple[str, str]]) -> None:
    read = [(a, card.name) for card in vcards.read(text, 100) for a in card.addresses]
    assert read == found


def test_cards_are_written_as_they_are_read(box: Box) -> None:
    people.keep(box.user, "Dora@far.test", "Dora; the, \\ \r\nEMAIL:evil@x.test")
    (card,) = vcards.read(addressbook.given(box.user), 100)
    assert card.addresses == ["dora@far.test"]
    assert card.name.startswith("Dora; the, \\")
    assert not people.keep(box.user, "no address", "x")


@pytest.mark.engines
def test_what_was_sent_says_where_it_stands(box: Box, page: Client) -> None:
    from mailhost.outbound.models import QueueRecipient, State

    send(page, to="dora@far.test")
    (uid,) = box.uids("Sent")
    path = box.url(uid, name="Sent")
    assert "on its way to dora@far.test" in words(page, path)
    QueueRecipient.objects.update(state=State.FAILED, last_reply="550 <b>nobody</b>")
    assert "not delivered to dora@far.test" in words(page, path)
    assert "550 &lt;b&gt;nobody" in page.get(path).content.decode()
    QueueRecipient.objects.update(state=State.SENT)
    assert "delivered to dora@far.test" in words(page, path)


@pytest.mark.engines
def test_where_it_stands_is_known_when_the_queue_forgot(
    box: Box, page: Client, bob: Any
) -> None:
    from mailhost.outbound import queue
    from mailhost.outbound.models import QueueMessage, QueueRecipient, SentTo, State
    from mailhost.outbound.states import sweep

    send(page, cc="dora@far.test")
    (uid,) = box.uids("Sent")
    path = box.url(uid, name="Sent")
    assert "delivered to bob@example.test" in words(page, path)
    reply = {"state": State.FAILED, "last_reply": "550 nobody", "told": True}
    QueueRecipient.objects.update(**reply)
    QueueMessage.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert queue.sweep() == 1
    assert "not delivered to dora@far.test 550 nobody" in words(page, path)
    assert SentTo.objects.count() == 2
    assert sweep() == 0
    SentTo.objects.update(at=timezone.now() - timedelta(days=500))
    assert sweep() == 2


def words(page: Client, path: str) -> str:
    shown = re.sub(r"<[^>]*>", "", page.get(path).content.decode())
    return " ".join(shown.split())
