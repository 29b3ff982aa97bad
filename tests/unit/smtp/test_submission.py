"""What our users send, over sockets."""

import base64
import ssl
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from mailhost.outbound.models import QueueMessage, QueueRecipient
from protocols.smtp.server import submission_factory
from tests.conftest import PASSWORD
from tests.unit.smtp.conftest import Services, plain, trusting
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB = "alice@example.test", "bob@example.test"
MESSAGE = b"From: Alice <alice@example.test>\r\nTo: bob\r\nSubject: hi\r\n\r\nHi\r\n"


@sync_to_async
def queued() -> list[tuple[str, bytes, list[str]]]:
    return [
        (
            row.mail_from,
            bytes(row.octets),
            [r.address for r in row.recipients.order_by("pk")],
        )
        for row in QueueMessage.objects.order_by("pk")
    ]


async def test_tls_comes_first(services: Services, alice: Any) -> None:
    client = await services.connect(submission_factory)
    await client.reply()
    said = await client.say("EHLO client.example")
    assert "STARTTLS" in said
    assert "AUTH" not in said
    for line in (
        f"AUTH PLAIN {plain(ALICE, PASSWORD)}",
        "MAIL FROM:<alice@example.test>",
    ):
        assert (await client.say(line))[:9] == "530 5.7.0"
    assert (await client.say("STARTTLS"))[:3] == "220"
    await client.writer.start_tls(trusting())
    said = await client.say("EHLO client.example")
    assert "AUTH PLAIN LOGIN" in said
    assert "DSN" in said
    assert (await client.say(f"AUTH PLAIN {plain(ALICE, PASSWORD)}"))[:3] == "235"


async def test_a_failed_handshake_ends_it(services: Services) -> None:
    client = await services.connect(submission_factory)
    await client.reply()
    await client.say("EHLO client.example")
    await client.say("STARTTLS")
    strict = ssl.create_default_context()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await client.writer.start_tls(strict, server_hostname="mail.example.test")


async def test_login_comes_before_mail(services: Services, alice: Any) -> None:
    client = await services.submission()
    assert (await client.say("MAIL FROM:<alice@example.test>"))[:9] == "530 5.7.0"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_auth(services: Services, alice: Any) -> None:
    client = await services.submission()
    assert (await client.say("AUTH"))[:9] == "504 5.5.4"
    assert (await client.say("AUTH CRAM-MD5"))[:9] == "504 5.5.4"
    assert (await client.say("AUTH PLAIN ???"))[:9] == "501 5.5.2"
    assert (await client.say("AUTH PLAIN ="))[:9] == "501 5.5.2"
    assert (await client.say("AUTH PLAIN")) == "334 "
    assert (await client.say("*"))[:9] == "501 5.7.0"
    assert (await client.say("AUTH LOGIN")) == f"334 {b64('Username:')}"
    assert (await client.say(b64(ALICE))) == f"334 {b64('Password:')}"
    assert (await client.say(b64("wrong")))[:9] == "535 5.7.8"
    assert (await client.say(f"auth login {b64(ALICE)}"))[:3] == "334"
    assert (await client.say(b64(PASSWORD)))[:9] == "235 2.7.0"
    assert (await client.say("AUTH PLAIN"))[:9] == "503 5.5.1"


async def test_three_wrong_passwords_end_it(services: Services, alice: Any) -> None:
    client = await services.submission()
    wrong = f"AUTH PLAIN {plain(ALICE, 'wrong')}"
    unknown = f"AUTH PLAIN {plain('nobody@example.test', 'wrong')}"
    assert await client.say(wrong) == await client.say(unknown)
    assert (await client.say(wrong))[:9] == "421 4.7.0"
    assert await client.is_closed()


async def test_a_login_that_ended_ends_it(services: Services, alice: Any) -> None:
    client = await services.submission(ALICE)
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
    assert (await client.say("MAIL FROM:<alice@example.test>"))[:9] == "421 4.7.0"
    assert await client.is_closed()


async def test_local_and_outside_in_one(
    services: Services, alice: Any, bob: Any
) -> None:
    client = await services.submission(ALICE)
    said = await client.message(
        ALICE,
        [BOB, "far@far.example", "b@other.example"],
        MESSAGE.replace(b"Subject", b"Bcc: secret@far.example,\r\n b@x\r\nSubject"),
    )
    assert said == "250 2.0.0 Message accepted"
    [octets] = await messages(BOB)
    [(mail_from, out, recipients)] = await queued()
    assert mail_from == ALICE
    assert recipients == ["far@far.example", "b@other.example"]
    assert octets == b"Return-Path: <alice@example.test>\r\n" + out
    assert b"secret" not in octets
    # Who wrote from where is nobody's business.
    assert out.startswith(b"Received: by mail.example.test with ESMTPSA id ")
    assert b"192.0.2.7" not in out
    assert out.count(b"\r\nDate: ") == out.count(b"\r\nMessage-ID: <") == 1


async def test_what_is_complete_stays_as_it_is(
    services: Services, alice: Any, bob: Any
) -> None:
    whole = b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n" + MESSAGE
    client = await services.submission(ALICE)
    await client.message(ALICE, [BOB], whole)
    [octets] = await messages(BOB)
    assert octets.endswith(b"\r\n" + whole + b"\r\n")


async def test_bare_line_ends_are_mended(
    services: Services, alice: Any, bob: Any
) -> None:
    client = await services.submission(ALICE)
    said = await client.message(
        ALICE, [BOB], MESSAGE + b"one\ntwo\rthree\n.\nMAIL FROM:<x@y>\n"
    )
    assert said[:3] == "250"
    [octets] = await messages(BOB)
    assert b"one\r\ntwo\r\nthree\r\n.\r\nMAIL FROM:<x@y>\r\n" in octets
    assert b"\n" not in octets.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("sender", "author", "reply"),
    [
        (BOB, ALICE, "550 5.7.1"),
        (ALICE, BOB, "550 5.7.1"),
        (ALICE, "x@far.example", "550 5.7.1"),
        (ALICE, f"{ALICE}, {BOB}", "550 5.7.1"),
        ("alice+tag@example.test", ALICE, "250 2.0.0"),
        ("", ALICE, "250 2.0.0"),
    ],
)
async def test_names_must_be_the_users_own(
    services: Services, alice: Any, bob: Any, sender: str, author: str, reply: str
) -> None:
    client = await services.submission(ALICE)
    octets = f"From: {author}\r\nSubject: x\r\n\r\nx\r\n".encode()
    said = await client.message(sender, [BOB], octets)
    assert said[:9] == reply
    assert len(await messages(BOB)) == (reply[0] == "2")


async def test_no_author(services: Services, alice: Any, bob: Any) -> None:
    client = await services.submission(ALICE)
    assert (await client.message(ALICE, [BOB], b"Subject: x\r\n\r\nx"))[:3] == "550"
    two = MESSAGE.replace(b"To:", b"From: x@far.example\r\nTo:")
    assert (await client.message(ALICE, [BOB], two))[:3] == "550"
    assert await messages(BOB) == []


async def test_an_unknown_colleague(services: Services, alice: Any) -> None:
    client = await services.submission(ALICE)
    await client.say("MAIL FROM:<alice@example.test>")
    assert (await client.say("RCPT TO:<nobody@example.test>"))[:9] == "550 5.1.1"


async def test_a_full_colleague_does_not_stop_the_rest(
    services: Services, alice: Any, bob: Any
) -> None:
    from tests.unit.smtp.test_mx import set_quota

    await set_quota(bob, 10)
    client = await services.submission(ALICE)
    assert (await client.message(ALICE, [BOB], MESSAGE))[:9] == "452 4.2.2"
    assert await queued() == []
    said = await client.message(ALICE, [BOB, "far@far.example"], MESSAGE)
    assert said[:3] == "250"
    [(_, _, recipients)] = await queued()
    assert recipients == ["far@far.example"]
    [report] = await messages(ALICE)
    assert b"bob@example.test" in report


async def test_wishes_for_reports(services: Services, alice: Any, bob: Any) -> None:
    client = await services.submission(ALICE)
    for line, reply in (
        ("MAIL FROM:<alice@example.test> RET=ALL", "501"),
        ("MAIL FROM:<alice@example.test> RET=HDRS ENVID=a+2Bb AUTH=<>", "250"),
        ("RCPT TO:<bob@example.test> NOTIFY=NEVER,SUCCESS", "501"),
        ("RCPT TO:<bob@example.test> ORCPT=bob", "501"),
        ("RCPT TO:<bob@example.test> NOTIFY=SUCCESS ORCPT=rfc822;b@x", "250"),
        ("RCPT TO:<far@far.example> NOTIFY=NEVER", "250"),
        ("DATA", "354"),
    ):
        assert (await client.say(line))[:3] == reply, line
    await client.send(MESSAGE + b".\r\n")
    assert (await client.reply())[:3] == "250"
    [report] = await messages(ALICE)
    assert b"Action: delivered\r\n" in report
    assert b"Original-Envelope-Id: a+2Bb\r\n" in report
    assert b"Original-Recipient: rfc822;b@x\r\n" in report
    row = await QueueRecipient.objects.aget()
    assert (row.address, row.notify) == ("far@far.example", "NEVER")
