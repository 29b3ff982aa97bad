"""Mail from the world, over sockets."""

import asyncio
import logging
import re
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from protocols.smtp import mx
from protocols.smtp.server import mx_factory
from tests.unit.smtp.conftest import Client, Services
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGE = b"From: x@far.example\r\nSubject: hello\r\n\r\nHello\r\n..dot\r\n"
ALICE = "alice@example.test"


async def test_it_says_what_it_can(services: Services) -> None:
    client = await services.mx()
    said = await client.say("EHLO far.example")
    assert [line[4:] for line in said.split("\n")][1:] == [
        "PIPELINING",
        "SIZE 52428800",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "CHUNKING",
        "BINARYMIME",
        "LIMITS MAILMAX=10000 RCPTMAX=1000",
        "DSN",
        "STARTTLS",
    ]


async def test_it_delivers(services: Services, alice: Any, bob: Any) -> None:
    client = await services.greeted_mx()
    said = await client.message("x@far.example", [ALICE, bob.email], MESSAGE)
    assert said == "250 2.0.0 Message accepted"
    for email in (ALICE, bob.email):
        [octets] = await messages(email)
        assert re.fullmatch(
            rb"Return-Path: <x@far.example>\r\n"
            rb"Received: from client\.example \(\[192\.0\.2\.7\]\)\r\n"
            rb"\tby mail\.example\.test with ESMTP id [0-9a-f]{16};\r\n"
            rb"\t[^\r]+\r\n" + re.escape(MESSAGE.replace(b"\n..", b"\n.") + b"\r\n"),
            octets,
        )


async def test_null_sender_and_postmaster(services: Services, alice: Any) -> None:
    client = await services.greeted_mx()
    assert (await client.message("", [ALICE], MESSAGE))[:3] == "250"
    [octets] = await messages(ALICE)
    assert octets.startswith(b"Return-Path: <>\r\n")


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("RCPT TO:<nobody@example.test>", "550 5.1.1"),
        ("RCPT TO:<someone@elsewhere.example>", "550 5.7.1"),
        ("RCPT TO:<@example.test:someone@elsewhere.example>", "550 5.7.1"),
        ("RCPT TO:<someone%elsewhere.example@example.test>", "550 5.1.1"),
        ("RCPT TO:<>", "553 5.1.3"),
        ("RCPT TO:alice@example.test", "553 5.1.3"),
        ("RCPT TO:<alice@example.test> NOTIFY=NEVER", "250 2.1.5"),
        ("RCPT TO:<alice@example.test> NOTIFY=", "501 5.5.4"),
        ("RCPT TO:<alice@example.test> NOTIFY=SUCCESS,SUCCESS", "501 5.5.4"),
        ("RCPT TO:<alice@example.test> FROB", "555 5.5.4"),
        ("RCPT FROM:<alice@example.test>", "501 5.5.4"),
        ("RCPT", "501 5.5.4"),
        ("MAIL FROM:<y@far.example>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("DATA now", "501 5.5.4"),
        ("VRFY alice", "252 2.5.0"),
        ("VRFY nobody", "252 2.5.0"),
        ("EXPN staff", "502 5.5.1"),
        ("ETRN example.test", "502 5.5.1"),
        ("XCLIENT ADDR=192.0.2.9", "550 5.7.0"),
        ("NOOP as you like", "250 2.0.0"),
        ("HELP me", "214 2.0.0"),
        ("AUTH PLAIN", "500 5.5.1"),
        ("NOOP", "250 2.0.0"),
        ("RSET", "250 2.0.0"),
        ("HELP", "214 2.0.0"),
        ("QUIT", "221 2.0.0"),
        ("FROB", "500 5.5.1"),
        ("", "500 5.5.1"),
        ("NOOP " + "x" * 1000, "500 5.5.6"),
    ],
)
async def test_every_reply_has_its_code(
    services: Services, alice: Any, line: str, reply: str
) -> None:
    client = await services.greeted_mx()
    assert (await client.say("MAIL FROM:<x@far.example>"))[:9] == "250 2.1.0"
    assert (await client.say(line))[:9] == reply


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("MAIL FROM:<x@far.example> SIZE=52428801", "552 5.3.4"),
        ("MAIL FROM:<x@far.example> SIZE=big", "501 5.5.4"),
        ("MAIL FROM:<x@far.example> BODY=8BITMIME SIZE=10", "250 2.1.0"),
        ("MAIL FROM:<x@far.example> BODY=BINARYMIME", "250 2.1.0"),
        ("MAIL FROM:<x@far.example> BODY=9BIT", "501 5.5.4"),
        ("MAIL FROM:<x@far.example> REQUIRETLS", "555 5.5.4"),
        ("MAIL FROM:<x@far.example> HOLDFOR=60", "555 5.5.4"),
        ("MAIL FROM:<x@far.example> MT-PRIORITY=3", "555 5.5.4"),
        ("MAIL FROM:<x@far.example> BY=120;R", "555 5.5.4"),
        ("MAIL FROM:<x@far.example> RET=HDRS ENVID=a+2Bb", "250 2.1.0"),
        ("MAIL FROM:<x@far.example> ENVID=a+2b", "501 5.5.4"),
        ("MAIL FROM:<x@far.example> SIZE=1 SIZE=1", "501 5.5.4"),
        ("MAIL FROM:<x@far.example> FROB", "555 5.5.4"),
        ("MAIL FROM:<ä@far.example>", "553 5.6.7"),
        ("MAIL FROM:<ä@far.example> SMTPUTF8", "250 2.1.0"),
        ('MAIL FROM:<"a b"@far.example>', "250 2.1.0"),
        ("MAIL FROM: <x@far.example>", "250 2.1.0"),
        ("mail from:<x@far.example>", "250 2.1.0"),
        ("MAIL FROM:<x@[192.0.2.1]>", "250 2.1.0"),
        ("MAIL FROM:<x y@far.example>", "553 5.1.3"),
        ("RCPT TO:<alice@example.test>", "503 5.5.1"),
    ],
)
async def test_mail(services: Services, line: str, reply: str) -> None:
    client = await services.greeted_mx()
    assert (await client.say(line))[:9] == reply


async def test_it_wants_a_hello(services: Services) -> None:
    client = await services.mx()
    assert (await client.say("MAIL FROM:<x@far.example>"))[:9] == "503 5.5.1"
    assert await client.say("HELO far") == "250 mail.example.test"
    assert (await client.say("MAIL FROM:<x@far.example>"))[:9] == "250 2.1.0"


async def test_octets_that_are_no_text(services: Services) -> None:
    client = await services.greeted_mx()
    await client.send(b"NOOP \xff\r\n\xff\xfe\r\n")
    assert (await client.reply())[:9] == "500 5.5.2"
    assert (await client.reply())[:9] == "500 5.5.1"


async def test_an_endless_line_is_forgotten(services: Services) -> None:
    client = await services.greeted_mx()
    await client.send(b"NOOP " + b"x" * 300_000 + b"\r\nNOOP\r\n")
    assert (await client.reply())[:9] == "500 5.5.6"
    assert (await client.reply())[:9] == "250 2.0.0"


async def test_pipelining_answers_in_one_go(services: Services, alice: Any) -> None:
    # RFC 2920 §3.2
    client = await services.greeted_mx()
    await client.send(
        b"MAIL FROM:<x@far.example>\r\nRCPT TO:<nobody@example.test>\r\n"
        b"RCPT TO:<alice@example.test>\r\nDATA\r\n"
    )
    said = [(await client.reply())[:3] for _ in range(4)]
    assert said == ["250", "550", "250", "354"]
    await client.send(MESSAGE + b"\r\n.\r\nMAIL FROM:<>\r\nQUIT\r\n")
    said = [(await client.reply())[:3] for _ in range(3)]
    assert said == ["250", "250", "221"]
    assert len(await messages(ALICE)) == 1


@pytest.mark.parametrize("step", [1, 2, 3, 7])
async def test_octet_by_octet(services: Services, alice: Any, step: int) -> None:
    client = await services.greeted_mx()
    wire = (
        b"MAIL FROM:<x@far.example>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"
        + MESSAGE
        + b".\r\nQUIT\r\n"
    )
    for start in range(0, len(wire), step):
        await client.send(wire[start : start + step])
        await asyncio.sleep(0)
    said = [(await client.reply())[:3] for _ in range(5)]
    assert said == ["250", "250", "354", "250", "221"]
    [octets] = await messages(ALICE)
    assert octets.endswith(MESSAGE.replace(b"\n..", b"\n."))


SMUGGLED = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"


@pytest.mark.parametrize(
    "end",
    [
        *(b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"),
        *(b"\n.\r", b"\r.\n", b"\r\n.\r\r\n", b"\r\n\0.\r\n", b"\n\n.\r\r\n"),
    ],
)
async def test_nothing_else_ends_a_message(
    services: Services, alice: Any, end: bytes
) -> None:
    # The known smuggling sequences: CVE-2023-51764, -51765, -51766, CVE-2024-27305.
    client = await services.greeted_mx()
    for line in ("MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>", "DATA"):
        await client.say(line)
    await client.send(
        b"Subject: one\r\n\r\nfirst" + end + SMUGGLED + b"two\r\n.\r\nNOOP\r\n"
    )
    said = await client.reply()
    # One answer for one message, then the NOOP's.
    assert (await client.reply())[:9] == "250 2.0.0"
    if b"\0" in end:
        assert said[:3] == "250"
        assert len(await messages(ALICE)) == 1
    else:
        assert said[:10] == "550 5.6.11"
        assert await messages(ALICE) == []


async def test_too_big(services: Services, alice: Any) -> None:
    services.max_message_bytes = 100_000
    client = await services.greeted_mx()
    said = await client.message("x@far.example", [ALICE], b"x: y\r\n" * 20_000)
    assert said[:9] == "552 5.3.4"
    assert (await client.message("x@far.example", [ALICE], MESSAGE))[:3] == "250"
    assert len(await messages(ALICE)) == 1


async def test_too_many_recipients(
    services: Services, alice: Any, bob: Any, settings: Any
) -> None:
    settings.MAILHOST_MAX_RECIPIENTS = 1
    client = await services.greeted_mx()
    await client.say("MAIL FROM:<x@far.example>")
    await client.say("RCPT TO:<alice@example.test>")
    assert (await client.say("RCPT TO:<bob@example.test>"))[:9] == "452 4.5.3"


async def test_a_full_mailbox(
    services: Services, alice: Any, bob: Any, settings: Any
) -> None:
    settings.MAILHOST_UNCHECKED_NETWORKS = ["192.0.2.0/24"]
    await set_quota(alice, 10)
    client = await services.greeted_mx()
    said = await client.message("x@far.example", [ALICE], MESSAGE)
    assert said[:9] == "452 4.2.2"
    # The other gets it; the sender, who is one of us here, hears of the first.
    said = await client.message("bob@example.test", [ALICE, bob.email], MESSAGE)
    assert said[:3] == "250"
    mine, report = await messages(bob.email)
    if b"Undelivered" in mine:
        mine, report = report, mine
    assert b"Subject: hello" in mine
    assert report.startswith(b"Return-Path: <>\r\n")
    assert b"Final-Recipient: rfc822; alice@example.test\r\n" in report
    assert b"Status: 5.2.2\r\n" in report


async def set_quota(user: Any, octets: int) -> None:
    from asgiref.sync import sync_to_async

    user.account.quota_bytes = octets
    await sync_to_async(user.account.save)()


async def test_a_loop_ends(services: Services, alice: Any) -> None:
    client = await services.greeted_mx()
    said = await client.message(
        "x@far.example", [ALICE], b"Received: from a by b; now\r\n" * 101 + MESSAGE
    )
    assert said[:9] == "554 5.4.6"


async def test_a_fault_is_temporary_and_untold(
    services: Services,
    alice: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # aiosmtpd: a permanent 500 with the exception's text.
    async def broken(*_: Any, **__: Any) -> None:
        raise ValueError("secret /path")

    monkeypatch.setattr(mx, "deliver", broken)
    monkeypatch.setattr(mx, "look_up", broken)
    client = await services.greeted_mx()
    with caplog.at_level(logging.ERROR):
        said = await client.message("x@far.example", [ALICE], MESSAGE)
    assert said[:9] == "451 4.3.0"
    assert "secret" not in said
    assert "secret /path" in caplog.text
    monkeypatch.undo()
    await client.say("RSET")
    monkeypatch.setattr(mx, "deliver", broken)
    said = await client.message("x@far.example", [ALICE], MESSAGE)
    assert said[:9] == "451 4.3.0"


async def test_starttls_forgets_what_was_said(services: Services, alice: Any) -> None:
    client = await services.greeted_mx()
    await client.say("MAIL FROM:<x@far.example>")
    # RFC 3207 §4.2: what follows in the clear must not be run after the handshake.
    await client.send(b"STARTTLS\r\nRCPT TO:<alice@example.test>\r\n")
    assert (await client.reply())[:9] == "220 2.0.0"
    from tests.unit.smtp.conftest import trusting

    await client.writer.start_tls(trusting())
    assert (await client.say("MAIL FROM:<x@far.example>"))[:3] == "503"
    said = await client.say("EHLO client.example")
    assert "STARTTLS" not in said
    assert (await client.say("STARTTLS"))[:3] == "503"
    assert (await client.message("x@far.example", [ALICE], MESSAGE))[:3] == "250"
    [octets] = await messages(ALICE)
    assert b" with ESMTPS id " in octets


async def test_drain_lets_a_message_finish(services: Services, alice: Any) -> None:
    idle, busy = await services.greeted_mx(), await services.greeted_mx()
    for line in ("MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>", "DATA"):
        await busy.say(line)
    for protocol in services.protocols:
        protocol.drain()  # type: ignore[attr-defined]
    assert (await idle.reply())[:9] == "421 4.3.2"
    assert await idle.is_closed()
    await busy.send(MESSAGE + b".\r\n")
    assert (await busy.reply())[:3] == "250"
    assert (await busy.reply())[:9] == "421 4.3.2"
    assert await busy.is_closed()


async def test_a_client_that_closes_its_side_is_answered(
    services: Services, alice: Any
) -> None:
    client = await services.greeted_mx()
    await client.send(
        b"MAIL FROM:<x@far.example>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"
        + MESSAGE
        + b".\r\n"
    )
    client.writer.write_eof()
    said = [(await client.reply())[:3] for _ in range(4)]
    assert said == ["250", "250", "354", "250"]
    assert await client.is_closed()


async def test_a_message_cut_off_is_not_delivered(
    services: Services, alice: Any
) -> None:
    client = await services.greeted_mx()
    for line in ("MAIL FROM:<x@far.example>", "RCPT TO:<alice@example.test>", "DATA"):
        await client.say(line)
    await client.send(MESSAGE)
    client.writer.write_eof()
    assert await client.is_closed()
    assert await messages(ALICE) == []


async def test_too_many_refusals_end_it(services: Services) -> None:
    client = await services.greeted_mx()
    await client.send(b"FROB\r\n" * 100)
    said = [(await client.reply())[:3] for _ in range(101)]
    assert said[-1] == "421"
    assert await client.is_closed()


async def test_nothing_is_shared_with_other_connections(services: Services) -> None:
    # aiosmtpd grows one dictionary of command sizes with each EHLO of anybody.
    before = dict(SMTP.command_size_limits)
    client = await services.greeted_mx()
    for _ in range(50):
        await client.say("EHLO again.example")
    assert dict(SMTP.command_size_limits) == before
    assert (await client.say("MAIL FROM:<x@f.example> SIZE=" + "1" * 3000))[:3] == "500"


async def test_it_has_all_that_aiosmtpd_uses(services: Services) -> None:
    """What SMTP.__init__ sets is set here too, or belongs to what is replaced."""
    loop = asyncio.get_running_loop()
    theirs = set(vars(SMTP(object(), loop=loop, hostname="x")))
    ours = set(vars(mx_factory(services.context(tls=False, plaintext=False))))
    assert theirs - ours == {
        *("__ident__", "event_handler", "data_size_limit", "_decode_data"),
        *("tls_context", "require_starttls", "_timeout_duration", "_timeout_handle"),
        *("_tls_handshake_okay", "_tls_protocol", "_original_transport"),
        *("_auth_require_tls", "_proxy_timeout", "_authenticator", "_auth_callback"),
        *("_auth_methods", "_ehlo_hook_ver", "_enforce_call_limit"),
    }


async def test_a_timeout_says_goodbye(services: Services) -> None:
    client: Client = await services.greeted_mx()
    services.protocols[0]._timed_out()  # type: ignore[attr-defined]
    assert (await client.reply())[:9] == "421 4.4.2"
    assert await client.is_closed()
