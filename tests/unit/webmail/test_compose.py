"""Writing: answers, forwards, drafts, sending."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mailhost.mime.message import parse
from mailhost.store import flags, read
from mailhost.webmail import quoting
from tests.unit.webmail.conftest import Box

FORM = {"sender": "alice@example.test", "to": "bob@example.test", "subject": "Hello"}


def octets(box: Box, name: str, uid: int) -> bytes:
    return read.octets(read.content_of(box.folder(name), uid))


def where(box: Box, uid: int) -> str:
    return f"{box.account_id}.{box.folder()}.{uid}"


def test_a_message_is_sent_and_a_copy_kept(box: Box, page: Client, bob: Any) -> None:
    from accounts.models import Account

    upload = SimpleUploadedFile("naïve.txt", b"content", "text/plain")
    form = FORM | {
        "text": "Hi Bob",
        "bcc": "hidden@example.test",
        "cc": "bob@example.test",
    }
    form |= {"bcc": "bob@example.test", "action": "send"}
    answer = page.post("/compose/", {**form, "attached": [upload]})
    assert answer.status_code == 302, answer.content.decode()
    theirs = Box(bob, Account.objects.get(owner=bob).pk)
    (uid,) = theirs.uids()
    got = octets(theirs, "INBOX", uid)
    assert b"Bcc" not in got
    assert parse(got).subject == "Hello"
    assert parse(got).has_attachment
    (kept,) = box.uids("Sent")
    assert b"Bcc: bob@example.test" in octets(box, "Sent", kept)
    assert read.listed(box.folder("Sent"), kept).flags == flags.SEEN
    assert parse(octets(box, "Sent", kept)).message_id == parse(got).message_id


def test_nobody_writes_in_anothers_name(box: Box, page: Client, bob: Any) -> None:
    form = FORM | {"sender": "bob@example.test", "action": "send"}
    assert "not one of the available" in page.post("/compose/", form).content.decode()
    assert box.uids("Sent") == []


@pytest.mark.parametrize(
    ("to", "error"),
    [("", "Whom shall"), ("bob", "not an e-mail"), ("a b <c>", "not an e-mail")],
)
def test_a_recipient_must_be_one(box: Box, page: Client, to: str, error: str) -> None:
    shown = page.post("/compose/", FORM | {"to": to, "action": "send"}).content.decode()
    assert error in shown
    assert box.uids("Sent") == []


def test_an_unknown_colleague_is_told(box: Box, page: Client) -> None:
    form = FORM | {"to": "nobody@example.test", "action": "send"}
    assert "It was not sent" in page.post("/compose/", form).content.decode()


def test_an_answer_quotes_threads_and_marks(box: Box, page: Client, bob: Any) -> None:
    uid = box.put()
    shown = page.get(f"/compose/?all={where(box, uid)}").content.decode()
    for piece in ("Re: Lunch", "carl@far.test", "dora@far.test", "&gt; Shall we?"):
        assert piece in shown
    form = FORM | {"origin": where(box, uid), "kind": "reply", "action": "send"}
    page.post("/compose/", form)
    (kept,) = box.uids("Sent")
    sent = parse(octets(box, "Sent", kept))
    assert sent.in_reply_to == ("lunch@far.test",)
    assert sent.references == ("lunch@far.test",)
    assert read.listed(box.folder(), uid).flags & flags.ANSWERED


def test_a_draft_is_saved_resumed_replaced_and_sent(
    box: Box, page: Client, bob: Any
) -> None:
    page.post("/compose/", FORM | {"text": "One", "action": "draft"})
    (first,) = box.uids("Drafts")
    at = f"{box.account_id}.{box.folder('Drafts')}."
    assert read.listed(box.folder("Drafts"), first).flags & flags.DRAFT
    shown = page.get(f"/compose/?draft={at}{first}").content.decode()
    assert "One" in shown
    form = FORM | {"text": "Two", "draft": f"{at}{first}"}
    page.post("/compose/", form | {"action": "draft"})
    (second,) = box.uids("Drafts")
    assert second != first
    page.post("/compose/", form | {"draft": f"{at}{second}", "action": "send"})
    assert box.uids("Drafts") == []
    assert len(box.uids("Sent")) == 1


def test_a_forged_draft_removes_no_other_mail(box: Box, page: Client, bob: Any) -> None:
    uid = box.put()
    page.post("/compose/", FORM | {"draft": where(box, uid), "action": "send"})
    assert box.uids() == [uid]


def test_a_header_is_not_smuggled_in(box: Box, page: Client, bob: Any) -> None:
    form = FORM | {"subject": "Hi\r\nX-Evil: 1", "action": "send"}
    page.post("/compose/", form)
    for uid in box.uids("Sent"):
        assert b"\nX-Evil" not in octets(box, "Sent", uid)


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("one \ntwo", "one two"),
        ("> one \n> two\nthree", "> one two\nthree"),
        ("one\ntwo", "one\ntwo"),
        (" >not a quote", ">not a quote"),
        ("-- \nname", "-- \nname"),
    ],
)
def test_flowed_lines_are_joined(text: str, joined: str) -> None:
    assert quoting.unflow(text) == joined


def test_quotes_leave_the_signature_out() -> None:
    assert quoting.quoted("a\n> b\n\nc\n-- \nme") == "> a\n>> b\n>\n> c"


@pytest.mark.parametrize("subject", ["Re: x", "AW: x", "RE[2]: x"])
def test_re_stands_once(subject: str) -> None:
    assert quoting.answer_subject(subject) == subject


@pytest.mark.parametrize("action", ["send", "draft"])
def test_files_over_the_limit_are_told(
    box: Box, page: Client, settings: Any, action: str
) -> None:
    settings.MAILHOST_MAX_MESSAGE_BYTES = 1000
    upload = SimpleUploadedFile("big.bin", bytes(900), "application/octet-stream")
    answer = page.post("/compose/", {**FORM, "action": action, "attached": [upload]})
    assert "too large" in answer.content.decode()
    assert box.uids("Sent") == box.uids("Drafts") == []


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_addresses_have_no_line_ends(page: Client, field: str) -> None:
    form = {"to": "bob@example.test", "subject": "s", "text": "t"}
    form[field] = "bob@example.test\r\nBcc: x@y.test"
    answer = page.post("/compose/", form)
    assert "line ends" in answer.content.decode()
