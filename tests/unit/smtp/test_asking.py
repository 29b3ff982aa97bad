"""What a sender asks for beside delivery: reports, TLS, times, copies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.models import Address, Domain
from mailhost.jobs.models import Job
from mailhost.jobs.runner import run_due
from mailhost.mail.models import Message
from mailhost.outbound.models import QueueMessage, QueueRecipient
from mailhost.sending.models import Scheduled, Sender
from protocols.smtp.server import mx_factory
from tests.unit.smtp.conftest import Client, Services
from tests.unit.smtp.inbox import messages

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB, FAR = "alice@example.test", "bob@example.test", "far@far.example"
MESSAGE = b"From: alice@example.test\r\nTo: b@x\r\nSubject: hi\r\n\r\nHi\r\n"


@pytest.fixture(autouse=True)
def known_peer(settings: Any) -> None:
    """The peer of these tests is believed; see test_stranger for others."""
    settings.MAILHOST_UNCHECKED_NETWORKS = ["192.0.2.0/24"]


async def asked(
    client: Client, mail: str, *recipients: str, octets: bytes = MESSAGE
) -> str:
    """One transaction with parameters; returns the last reply."""
    for line in (f"MAIL FROM:{mail}", *(f"RCPT TO:{r}" for r in recipients), "DATA"):
        said = await client.say(line)
        if said[0] not in "23":
            await client.say("RSET")
            return said
    await client.send(octets + b".\r\n")
    return await client.reply()


@sync_to_async
def alias(name: str, *forward_to: str, to: Any = None) -> None:
    made = Address.objects.create(
        domain=Domain.objects.get(name="example.test"),
        local_part=name,
        forward_to=list(forward_to),
    )
    if to is not None:
        made.accounts.set([to.account])


@sync_to_async
def queued() -> dict[str, tuple[str, str, str, str]]:
    """By address: NOTIFY, ORCPT, RET, ENVID."""
    rows = QueueRecipient.objects.select_related("message").order_by("pk")
    return {
        r.address: (r.notify, r.orcpt, r.message.ret, r.message.envid) for r in rows
    }


# ---- Reports, asked for on port 25. RFC 3461 §5.2


async def test_success_is_told_to_who_asked(
    services: Services, alice: Any, bob: Any
) -> None:
    client = await services.greeted_mx()
    said = await asked(
        client,
        f"<{BOB}> ENVID=x+2By RET=HDRS",
        f"<{ALICE}> NOTIFY=success,FAILURE ORCPT=rfc822;al+2Bice@example.test",
    )
    assert said[:3] == "250"
    [report] = await messages(BOB)
    for line in (
        *(b"Original-Envelope-Id: x+2By", b"Action: delivered", b"Status: 2.1.5"),
        *(b"Original-Recipient: rfc822;al+2Bice@example.test",),
        *(b"Final-Recipient: rfc822; alice@example.test",),
    ):
        assert b"\r\n" + line + b"\r\n" in report
    assert report.startswith(b"Return-Path: <>\r\n")


async def test_whoever_may_be_forged_is_told_nothing(
    services: Services, alice: Any, bob: Any, settings: Any
) -> None:
    settings.MAILHOST_UNCHECKED_NETWORKS = []
    await alias("one", "a@far.example")
    client = await services.greeted_mx()
    recipients = (f"<{ALICE}> NOTIFY=SUCCESS", "<one@example.test> NOTIFY=SUCCESS")
    assert (await asked(client, f"<{BOB}>", *recipients))[:3] == "250"
    assert len(await messages(ALICE)) == 1
    assert await messages(BOB) == []
    assert await queued() == {"a@far.example": ("NEVER", "", "", "")}


@pytest.mark.parametrize("notify", ["", " NOTIFY=NEVER", " NOTIFY=FAILURE,DELAY"])
async def test_nothing_is_told_to_who_did_not(
    services: Services, alice: Any, bob: Any, notify: str
) -> None:
    client = await services.greeted_mx()
    assert (await asked(client, f"<{BOB}>", f"<{ALICE}>{notify}"))[:3] == "250"
    assert (await asked(client, "<>", f"<{ALICE}> NOTIFY=SUCCESS"))[:3] == "250"
    assert len(await messages(ALICE)) == 2
    assert await messages(BOB) == []
    assert await queued() == {}


async def test_failures_are_told_unless_never(
    services: Services, alice: Any, bob: Any
) -> None:
    from tests.unit.smtp.test_mx import set_quota

    await set_quota(alice, 10)
    client = await services.greeted_mx()
    sender = "<someone@far.example>"
    said = await asked(client, sender, f"<{ALICE}> NOTIFY=NEVER", f"<{BOB}>")
    assert said[:3] == "250"
    assert await queued() == {}
    said = await asked(client, sender, f"<{ALICE}> NOTIFY=FAILURE", f"<{BOB}>")
    assert list(await queued()) == ["someone@far.example"]


async def test_wishes_follow_an_alias_of_one(services: Services, alice: Any) -> None:
    await alias("one", "a@far.example")
    await alias("two", "b@far.example", "c@far.example")
    await alias("both", "d@far.example", to=alice)
    client = await services.greeted_mx()
    said = await asked(
        client,
        "<someone@far.example> RET=HDRS ENVID=e",
        *("<one@example.test> NOTIFY=SUCCESS ORCPT=rfc822;one",),
        *("<two@example.test> NOTIFY=SUCCESS", "<both@example.test> NOTIFY=NEVER"),
    )
    assert said[:3] == "250"
    rows = await queued()
    # §5.2.7.2: the last one tells; §5.2.7.3 (a): told now that it was sent on.
    assert rows["a@far.example"] == ("SUCCESS", "rfc822;one", "HDRS", "e")
    assert rows["b@far.example"] == rows["c@far.example"] == ("", "", "", "")
    assert rows["d@far.example"] == ("NEVER", "", "", "")
    report = await QueueMessage.objects.aget(mail_from="")
    octets = bytes(report.octets)
    assert b"Final-Recipient: rfc822; two@example.test\r\nAction: relayed\r\n" in octets
    assert octets.count(b"Final-Recipient") == 1


async def test_an_administrator_may_leave_it_out(
    services: Services, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_MX_DSN = False
    client = await services.mx()
    assert "DSN" not in await client.say("EHLO far.example")
    said = await asked(client, "<x@far.example>", f"<{ALICE}> NOTIFY=SUCCESS")
    assert said[:9] == "555 5.5.4"


@pytest.mark.parametrize(
    ("orcpt", "code"),
    [
        ("utf-8;b\\x{F6}b@example.test", "250"),
        ("utf-8;böb@example.test", "250"),
        ("UTF-8;b+2Bb", "501"),
        ("utf-8;b\\x{f6}", "501"),
        ("utf-8;", "501"),
        ("rfc822;bö", "501"),
        (";x", "501"),
        ("rfc822;" + "x" * 500, "501"),
    ],
)
async def test_addresses_beyond_ascii(
    services: Services, alice: Any, orcpt: str, code: str
) -> None:
    """RFC 6533 §3."""
    client = await services.greeted_mx()
    await client.say("MAIL FROM:<x@far.example> SMTPUTF8")
    assert (await client.say(f"RCPT TO:<{ALICE}> ORCPT={orcpt}"))[:3] == code
    await client.say("RSET")
    await client.say("MAIL FROM:<x@far.example>")
    raw = code if orcpt.isascii() else "501"
    assert (await client.say(f"RCPT TO:<{ALICE}> ORCPT={orcpt}"))[:3] == raw


# ---- REQUIRETLS. RFC 8689


async def test_tls_is_required_all_the_way(services: Services, alice: Any) -> None:
    await alias("one", "a@far.example")
    client = await services.connect(mx_factory, tls=True)
    await client.reply()
    assert "REQUIRETLS" in await client.say("EHLO far.example")
    assert (await asked(client, "<x@far.example> REQUIRETLS=1", "<x>"))[:3] == "501"
    said = await asked(client, "<x@far.example> REQUIRETLS", "<one@example.test>")
    assert said[:3] == "250"
    assert (await QueueMessage.objects.aget()).asked == {"tls": "required"}


@pytest.mark.parametrize(
    ("field", "tls"),
    [
        (b"TLS-Required: No\r\n", "optional"),
        (b"tls-required:no\r\n", "optional"),
        (b"TLS-Required: Yes\r\n", ""),
        (b"TLS-Required: No\r\nTLS-Required: No\r\n", ""),  # §3: one at most
        (b"X-TLS-Required: No\r\n", ""),
        (b"Subject: equired\r\n", ""),
    ],
)
async def test_a_field_asks_for_less(
    services: Services, alice: Any, field: bytes, tls: str
) -> None:
    client = await services.submission(ALICE)
    await asked(client, f"<{ALICE}>", f"<{FAR}>", octets=field + MESSAGE)
    found = (await QueueMessage.objects.aget()).asked.get("tls", "")
    assert found == tls
    # §4.1: the parameter counts, the field does not.
    said = await asked(
        client, f"<{ALICE}> REQUIRETLS", f"<{FAR}>", octets=field + MESSAGE
    )
    assert said[:3] == "250"
    rows = QueueMessage.objects.order_by("-pk")
    assert (await rows.afirst()).asked["tls"] == "required"  # type: ignore[union-attr]


# ---- Times. RFC 2852, 4865, 6710


async def test_submission_says_what_it_can(services: Services, alice: Any) -> None:
    client = await services.submission(ALICE)
    said = await client.say("EHLO client.example")
    for line in ("MT-PRIORITY", "DELIVERBY", "REQUIRETLS", "CHUNKING", "BINARYMIME"):
        assert f"250-{line}\n" in said or said.endswith(f"250 {line}")
    [line] = [x[4:] for x in said.split("\n") if "FUTURERELEASE" in x]
    _, seconds, until = line.split(" ")
    assert seconds == "7776000"
    when = datetime.strptime(until, "%Y-%m-%dT%H:%M:%S%z")
    assert timedelta(days=89) < when - timezone.now() < timedelta(days=90)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("HOLDFOR=60", "250"),
        ("HOLDFOR=0", "250"),
        ("HOLDFOR=7776000", "250"),
        ("HOLDFOR=7777000", "501"),
        ("HOLDFOR=-1", "501"),
        ("HOLDFOR=1e3", "501"),
        ("HOLDFOR", "501"),
        ("HOLDFOR=9999999999", "501"),
        ("HOLDUNTIL=2001-01-01T00:00:00Z", "250"),
        ("HOLDUNTIL=2001-01-01T00:00:00", "501"),
        ("HOLDUNTIL=2001-01-01", "501"),
        ("HOLDUNTIL=2999-01-01T00:00:00Z", "501"),
        ("HOLDUNTIL=9999-12-31T23:59:59-23:59", "501"),
        ("HOLDUNTIL=tomorrow", "501"),
        ("HOLDFOR=1 HOLDUNTIL=2001-01-01T00:00:00Z", "501"),
        ("HOLDFOR=1 HOLDFOR=1", "501"),
        ("MT-PRIORITY=9", "250"),
        ("MT-PRIORITY=-9", "250"),
        ("MT-PRIORITY=10", "501"),
        ("MT-PRIORITY=+1", "501"),
        ("MT-PRIORITY", "501"),
        ("BY=120;R", "250"),
        ("BY=-120;NT", "250"),
        ("by=+1;rt", "250"),
        ("BY=0;R", "501"),
        ("BY=-5;R", "501"),
        ("BY=120", "501"),
        ("BY=120;X", "501"),
        ("BY=1234567890;N", "501"),
    ],
)
async def test_what_is_asked_is_checked(
    services: Services, alice: Any, parameters: str, code: str
) -> None:
    client = await services.submission(ALICE)
    assert (await client.say(f"MAIL FROM:<{ALICE}> {parameters}"))[:3] == code


async def test_priority_and_deadline_are_kept(services: Services, alice: Any) -> None:
    client = await services.submission(ALICE)
    said = await asked(client, f"<{ALICE}> MT-PRIORITY=-4 BY=3600;R", f"<{FAR}>")
    assert said[:3] == "250"
    row = await QueueMessage.objects.aget()
    assert row.asked["priority"] == -4
    when, returns, traces = row.asked["by"]
    assert (returns, traces) == (True, False)
    # Too late it goes back: RFC 2852 §4.1
    assert row.expires_at == datetime.fromisoformat(when)
    left = row.expires_at - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    await asked(client, f"<{ALICE}> BY=3600;N", f"<{FAR}>")
    late = await QueueMessage.objects.order_by("-pk").afirst()
    assert late is not None
    assert late.expires_at - timezone.now() > timedelta(days=4)


async def test_what_is_held_is_with_nobody(
    services: Services, alice: Any, bob: Any
) -> None:
    client = await services.submission(ALICE)
    said = await asked(
        client, f"<{ALICE}> HOLDFOR=3600 ENVID=e", f"<{BOB}>", f"<{FAR}>"
    )
    assert said == "250 2.0.0 Message accepted, held until its time"
    await sync_to_async(run_due)()
    assert await messages(BOB) == []
    assert await queued() == {}
    row = await Scheduled.objects.aget()
    assert timedelta(minutes=59) < row.due - timezone.now() <= timedelta(hours=1)
    await Job.objects.filter(name="send").aupdate(due=timezone.now())
    await sync_to_async(run_due)()
    [octets] = await messages(BOB)
    # The trace tells when it came, and by whom no more than otherwise.
    assert b"Received: by mail.example.test with ESMTPSA id " in octets
    assert await queued() == {FAR: ("", "", "", "e")}


async def test_a_time_that_is_past_is_now(
    services: Services, alice: Any, bob: Any
) -> None:
    client = await services.submission(ALICE)
    past = datetime(2001, 1, 1, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = await asked(client, f"<{ALICE}> HOLDUNTIL={past}", f"<{BOB}>")
    assert said == "250 2.0.0 Message accepted"
    assert len(await messages(BOB)) == 1


async def test_what_is_not_yours_is_not_held(services: Services, alice: Any) -> None:
    client = await services.submission(ALICE)
    said = await asked(
        client,
        *(f"<{ALICE}> HOLDFOR=60", f"<{FAR}>"),
        octets=b"From: bob@example.test\r\n\r\nx\r\n",
    )
    assert said[:9] == "550 5.7.1"
    assert not await Scheduled.objects.aexists()


# ---- What is made of it


@sync_to_async
def sent_copies(user: Any) -> list[bytes]:
    rows = Message.objects.filter(account=user.account, folder__role="sent")
    return [bytes(r.content.header) for r in rows.select_related("content")]


async def test_a_copy_in_sent(services: Services, alice: Any, bob: Any) -> None:
    client = await services.submission(ALICE)
    octets = b"Bcc: secret@x.example\r\n" + MESSAGE
    await asked(client, f"<{ALICE}>", f"<{BOB}>", octets=octets)
    assert await sent_copies(alice) == []  # nobody asked for it
    await Sender.objects.acreate(user=alice, keeps_copy=True)
    await asked(client, f"<{ALICE}>", f"<{BOB}>", octets=octets)
    [copy] = await sent_copies(alice)
    assert b"Bcc: secret@x.example\r\n" in copy
    _, second = await messages(BOB)
    [name] = [x for x in second.split(b"\r\n") if x.startswith(b"Message-ID:")]
    assert name in copy
    # A full account does not undo what was sent.
    from tests.unit.smtp.test_mx import set_quota

    await set_quota(alice, 10)
    said = await asked(client, f"<{ALICE}>", f"<{BOB}>", octets=octets)
    assert said[:3] == "250"
    assert len(await messages(BOB)) == 3


async def test_fields_that_do_not_leave(
    services: Services, alice: Any, bob: Any
) -> None:
    client = await services.submission(ALICE)
    hidden = (
        b"Return-Path: <x@y.example>\r\nBCC: a@x.example,\r\n b@x.example\r\n"
        b"Resent-Bcc: c@x.example\r\n"
    )
    await asked(client, f"<{ALICE}>", f"<{BOB}>", octets=hidden + MESSAGE)
    [octets] = await messages(BOB)
    assert octets.count(b"Return-Path:") == 1
    assert octets.startswith(b"Return-Path: <alice@example.test>\r\n")
    assert b"x.example" not in octets


async def test_where_submitters_are_may_be_shown(
    services: Services, alice: Any, bob: Any, settings: Any
) -> None:
    settings.MAILHOST_HIDE_SUBMITTERS = False
    client = await services.submission(ALICE)
    await asked(client, f"<{ALICE}>", f"<{BOB}>")
    [octets] = await messages(BOB)
    assert b"Received: from client.example ([192.0.2.7])\r\n" in octets


# ---- Limits


async def test_a_full_mailbox_is_known_at_once(
    services: Services, alice: Any, bob: Any
) -> None:
    from tests.unit.smtp.test_mx import set_quota

    await set_quota(alice, 1_000)
    client = await services.greeted_mx()
    for size, code in ((100, "250 2.1.5"), (5_000, "552 5.2.2")):
        await client.say(f"MAIL FROM:<x@far.example> SIZE={size}")
        assert (await client.say(f"RCPT TO:<{ALICE}>"))[:9] == code
        assert (await client.say(f"RCPT TO:<{BOB}>"))[:3] == "250"
        await client.say("RSET")
    said = await asked(
        client, "<x@far.example>", f"<{ALICE}>", octets=MESSAGE + b"x" * 600 + b"\r\n"
    )
    assert said[:3] == "250"
    from mailhost.delivery import look_up

    look_up._forget()  # as after a second
    await client.say("MAIL FROM:<x@far.example> SIZE=500")
    assert (await client.say(f"RCPT TO:<{ALICE}>"))[:9] == "452 4.2.2"
    await client.say("RSET")
    await alias("team", to=alice)
    team = await Address.objects.aget(local_part="team")
    await sync_to_async(team.accounts.add)(bob.account)
    await client.say("MAIL FROM:<x@far.example> SIZE=500")
    # One of the two can take it: what the other cannot is told later.
    assert (await client.say("RCPT TO:<team@example.test>"))[:3] == "250"


async def test_so_many_messages_a_connection(
    services: Services, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_MAX_TRANSACTIONS = 2
    client = await services.mx()
    assert "LIMITS MAILMAX=2 RCPTMAX=1000" in await client.say("EHLO far.example")
    for _ in range(2):
        said = await client.message("x@far.example", [ALICE], MESSAGE)
        assert said[:3] == "250"
    assert (await client.say("MAIL FROM:<x@far.example>"))[:9] == "421 4.7.0"
    assert await client.is_closed()


async def test_the_same_recipient_again_counts(
    services: Services, alice: Any, settings: Any
) -> None:
    settings.MAILHOST_MAX_RECIPIENTS = 3
    client = await services.greeted_mx()
    await client.say("MAIL FROM:<x@far.example>")
    said = [(await client.say(f"RCPT TO:<{ALICE}>"))[:9] for _ in range(4)]
    assert said == ["250 2.1.5"] * 3 + ["452 4.5.3"]


async def test_commands_without_a_message_end_it(
    services: Services, alice: Any
) -> None:
    client = await services.greeted_mx()
    await client.send(b"NOOP\r\n" * 99)
    assert {(await client.reply())[:3] for _ in range(99)} == {"250"}
    assert (await client.message("x@far.example", [ALICE], MESSAGE))[:3] == "250"
    await client.send(b"RSET\r\n" * 101)  # counted anew
    assert {(await client.reply())[:3] for _ in range(100)} == {"250"}
    assert (await client.reply())[:9] == "421 4.7.0"
    assert await client.is_closed()
