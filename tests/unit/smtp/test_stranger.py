"""Mail from strangers, end to end: a real server, the DNS of the tests, real rows."""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import dkim
import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from mailhost.dnsauth import arc
from mailhost.dnsauth.resolver import Resolver
from mailhost.dnsauth.signed import letter_of
from mailhost.mail.models import Arrival, Message
from mailhost.outbound import dkimkeys
from mailhost.outbound.models import QueueMessage, QueueRecipient
from mailhost.screening import strangers
from mailhost.screening.models import SenderPolicy
from mailhost.store.verdict import read
from protocols.smtp.server import lmtp_factory
from tests.fuzz.test_screening_fuzz import HOSTILE
from tests.unit.dnsauth.test_signatures import rsa_key
from tests.unit.smtp.conftest import Services
from tests.unit.smtp.inbox import messages
from tests.unit.smtp.test_mx import ALICE, set_quota
from tests.world.dns import World, Zone, dns_server, reverse

pytestmark = pytest.mark.django_db(transaction=True)

PEER = "192.0.2.7"  # of tests.unit.smtp.conftest
ZONE: Zone = {
    "example.org": {"TXT": "v=spf1 a:client.example -all"},
    "client.example": {"A": PEER},
    reverse(PEER): {"PTR": "client.example."},
    "_dmarc.example.org": {"TXT": "v=DMARC1; p=reject"},
    "s1._domainkey.example.org": {"TXT": rsa_key()[1]},
    "example.net": {"TXT": "v=spf1 -all"},
    "_dmarc.example.net": {"TXT": "v=DMARC1; p=reject"},
    "_dmarc.example.com": {"TXT": "v=DMARC1; p=quarantine"},
}
ANN = "ann@example.org"


def letter(author: str = ANN, more: bytes = b"") -> bytes:
    return (
        more
        + f"From: {author}\r\nTo: {ALICE}\r\nSubject: hello\r\n".encode()
        + b"Date:"
        b" Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n"
    )


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    strangers.strangers.clear()
    settings.MAILHOST_CHECK_MAIL = True
    settings.MAILHOST_HOSTNAME = "mail.example.test"
    with dns_server(dict(ZONE)) as found:
        settings.MAILHOST_DNS_SERVERS = [found.server]
        yield found
    strangers.strangers.clear()


def _filed(email: str) -> list[tuple[str, str]]:
    rows = Message.objects.filter(account__owner__email=email)
    return [
        (
            row.folder.role,
            Arrival.objects.get(account=row.account, email_id=row.email_id).verdict,
        )
        for row in rows.select_related("folder", "account").order_by("pk")
    ]


async def filed(email: str) -> list[tuple[str, str]]:
    """(role of the folder, verdict) of each message."""
    return await sync_to_async(_filed)(email)


@pytest.mark.engines
async def test_a_good_message(
    services: Services, alice: Any, bob: Any, world: World
) -> None:
    client = await services.greeted_mx()
    sent = letter()
    sent = bytes(dkim.sign(sent, b"s1", b"example.org", rsa_key()[0])) + sent
    assert (await client.message(ANN, [ALICE, bob.email], sent))[:3] == "250"
    [octets] = await messages(ALICE)
    assert octets == (await messages(bob.email))[0]
    head, ours, rest = octets.split(b"\r\n", 2)[0], *_field(octets)
    assert head == b"Return-Path: <ann@example.org>"
    assert ours.startswith(b"Authentication-Results: mail.example.test;\r\n")
    for said in (b"spf=pass", b"dkim=pass", b"dmarc=pass", b"iprev=pass"):
        assert said in ours
    assert rest.startswith(b"Received: from client.example ")
    assert rest.endswith(sent + b"\r\n")
    [(role, verdict)] = await filed(ALICE)
    kept = read(verdict)
    assert (role, kept.action, kept.score) == ("inbox", "accept", 0.0)
    assert (kept.author, kept.signers, kept.dmarc) == (
        "example.org",
        ("example.org",),
        "pass",
    )


def _field(octets: bytes) -> tuple[bytes, bytes]:
    """Return our field, and what follows it."""
    match = re.search(rb"(?s)\r\n(Authentication-Results:.*?\r\n)(?=[^\t ])", octets)
    assert match is not None
    return match[1], octets[match.end() :]


async def test_what_its_domain_refuses_is_refused(
    services: Services, alice: Any, world: World
) -> None:
    client = await services.greeted_mx()
    said = await client.message(
        "x@elsewhere.example", [ALICE], letter("eve@example.net")
    )
    assert said == "550 5.7.1 example.net did not send this message"
    assert await filed(ALICE) == []
    # The connection goes on.
    assert (await client.message(ANN, [ALICE], letter()))[:3] == "250"


@pytest.mark.engines
async def test_quarantine_is_junk(
    services: Services, alice: Any, bob: Any, world: World
) -> None:
    client = await services.greeted_mx()
    said = await client.message(
        "x@other.example", [ALICE, bob.email], letter("e@example.com")
    )
    assert said[:3] == "250"
    for email in (ALICE, bob.email):
        [(role, verdict)] = await filed(email)
        assert role == "junk"
        assert ("dmarc", 2.0, "example.com did not send this message") in (
            read(verdict).findings
        )


async def test_an_administrator_may_say_otherwise(
    services: Services, alice: Any, world: World
) -> None:
    await SenderPolicy.objects.acreate(domain="example.net", dmarc="junk")
    client = await services.greeted_mx()
    said = await client.message("x@other.example", [ALICE], letter("eve@example.net"))
    assert said[:3] == "250"
    assert [role for role, _ in await filed(ALICE)] == ["junk"]


async def test_many_points_are_junk_and_more_are_refused(
    services: Services, alice: Any, world: World, settings: Settings
) -> None:
    settings.MAILHOST_DNSBL = {"bl.example": 6.0}
    world.zone["7.2.0.192.bl.example"] = {"A": "127.0.0.2"}
    client = await services.greeted_mx()
    assert (await client.message(ANN, [ALICE], letter()))[:3] == "250"
    assert [role for role, _ in await filed(ALICE)] == ["junk"]
    settings.MAILHOST_REJECT_SCORE = 6
    said = await client.message(ANN, [ALICE], letter())
    assert said == "550 5.7.1 The sending server is listed by bl.example"


async def test_forged_words_of_ours_go_and_nothing_else(
    services: Services, alice: Any, world: World
) -> None:
    other = b"Authentication-Results: mx.example.org; spf=pass\r\n"
    forged = b"Authentication-Results: mail.example.test; dmarc=pass\r\n"
    client = await services.greeted_mx()
    odd = b"X-Odd:\t\xff \r\n y\r\n"
    said = await client.message(
        ANN, [ALICE], letter(more=odd + forged + other + forged)
    )
    assert said[:3] == "250"
    [octets] = await messages(ALICE)
    assert octets.count(b"mail.example.test; dmarc=pass") == 0
    assert octets.endswith(letter(more=odd + other) + b"\r\n")


async def test_forged_words_go_though_nothing_is_checked(
    services: Services, alice: Any, world: World, settings: Settings
) -> None:
    settings.MAILHOST_CHECK_MAIL = False
    forged = b"Authentication-Results: mail.example.test; dmarc=pass\r\n"
    client = await services.greeted_mx()
    assert (await client.message(ANN, [ALICE], letter(more=forged)))[:3] == "250"
    [octets] = await messages(ALICE)
    assert b"Authentication-Results" not in octets
    assert [verdict for _, verdict in await filed(ALICE)] == [""]


async def test_without_dns_mail_is_taken(
    services: Services, alice: Any, world: World, settings: Settings
) -> None:
    settings.MAILHOST_DNS_SERVERS = ["none"]
    client = await services.greeted_mx()
    assert (await client.message(ANN, [ALICE], letter("e@example.net")))[:3] == "250"
    [octets] = await messages(ALICE)
    assert b"spf=temperror" in _field(octets)[0]
    assert b"dmarc=temperror" in _field(octets)[0]


async def test_who_is_no_stranger_is_not_looked_at(
    services: Services, alice: Any, world: World, settings: Settings
) -> None:
    lmtp = await services.connect(lmtp_factory)
    await lmtp.reply()
    await lmtp.say("LHLO x")
    assert (await lmtp.message("x@y.example", [ALICE], letter("e@example.net")))[
        :3
    ] == "250"
    settings.MAILHOST_UNCHECKED_NETWORKS = ["192.0.2.0/24"]
    client = await services.greeted_mx()
    assert (await client.message("x@y.example", [ALICE], letter("e@example.net")))[
        :3
    ] == ("250")
    assert [verdict for _, verdict in await filed(ALICE)] == ["", ""]
    assert world.asked == []


async def test_who_may_be_forged_gets_no_report(
    services: Services, alice: Any, bob: Any, world: World
) -> None:
    await set_quota(alice, 10)
    client = await services.greeted_mx()
    both = [bob.email, ALICE]
    # Nobody vouches for the sender: nothing is taken, and the sender hears it now.
    said = await client.message("bob@example.test", both, letter("x@unsigned.example"))
    assert said[:9] == "452 4.2.2"
    assert await messages(bob.email) == []
    # SPF vouches for this one: it can be told by mail of the part that failed.
    assert (await client.message(ANN, both, letter()))[:3] == "250"
    assert len(await messages(bob.email)) == 1
    queued = [row.address async for row in QueueRecipient.objects.all()]
    assert queued == [ANN]


async def test_forwards_of_a_forged_sender_end_in_silence(
    services: Services, alice: Any, world: World
) -> None:
    from accounts.models import Address, Domain

    domain = await Domain.objects.aget(name="example.test")
    await Address.objects.acreate(
        domain=domain, local_part="away", forward_to=["out@far.example"]
    )
    client = await services.greeted_mx()
    for sender in ("x@unsigned.example", ANN):
        said = await client.message(sender, ["away@example.test"], letter(sender))
        assert said[:3] == "250", said
    rows = QueueRecipient.objects.order_by("pk")
    assert [(row.address, row.notify) async for row in rows] == [
        ("out@far.example", "NEVER"),
        ("out@far.example", ""),
    ]


async def make_alias(local_part: str, outside: str, account: Any = None) -> str:
    from accounts.models import Address, Domain

    domain = await Domain.objects.aget(name="example.test")
    row = await Address.objects.acreate(
        domain=domain, local_part=local_part, forward_to=[outside]
    )
    if account is not None:
        await row.accounts.aadd(account)
    return f"{local_part}@example.test"


async def queued() -> list[tuple[str, str]]:
    rows = QueueRecipient.objects.order_by("pk").values_list("address", "state")
    return [row async for row in rows]


JUNK = ("x@other.example", letter("e@example.com"))  # its domain asks for quarantine
UNWANTED = "550 5.7.1 example.com did not send this message"


@pytest.mark.engines
async def test_junk_leaves_by_no_alias(
    services: Services, alice: Any, bob: Any, world: World
) -> None:
    away = await make_alias("away", "out@far.example")
    far = await make_alias("far", "out@other.example")
    client = await services.greeted_mx()
    # Nobody here keeps it: its sender hears now, and nobody later.
    assert await client.message(JUNK[0], [away, far], JUNK[1]) == UNWANTED
    assert await queued() == []
    # Somebody here has a copy: it is in Junk, and none leaves.
    account = await sync_to_async(lambda: bob.account)()
    both = await make_alias("both", "out@far.example", account)
    assert (await client.message(JUNK[0], [both], JUNK[1]))[:3] == "250"
    assert [role for role, _ in await filed(bob.email)] == ["junk"]
    assert await queued() == []
    # What is no junk goes on.
    assert (await client.message(ANN, [away, both], letter()))[:3] == "250"
    assert await queued() == [("out@far.example", "queued")] * 2


@pytest.mark.engines
async def test_junk_that_cannot_be_refused_waits_for_an_administrator(
    services: Services, alice: Any, admin_user: Any, world: World
) -> None:
    away = await make_alias("away", "out@far.example")
    client = await services.greeted_mx()
    assert (await client.message(JUNK[0], [away, ALICE], JUNK[1]))[:3] == "250"
    assert [role for role, _ in await filed(ALICE)] == ["junk"]
    assert await queued() == [("out@far.example", "junk")]
    row = await QueueRecipient.objects.aget()
    assert row.last_reply == UNWANTED

    def release() -> int:
        from django.test import Client

        browser = Client()
        browser.force_login(admin_user)
        form = {"action": "retry_now", "_selected_action": [row.pk]}
        return browser.post("/admin/outbound/queuerecipient/", form).status_code

    assert await sync_to_async(release)() == 302
    assert await queued() == [("out@far.example", "queued")]


@pytest.mark.engines
async def test_what_is_forwarded_bears_a_seal(
    services: Services, alice: Any, world: World
) -> None:
    for key in await sync_to_async(dkimkeys.make)("example.test"):
        name, text = dkimkeys.record(key)
        world.zone[name] = {"TXT": text}
    dkimkeys.signing_keys.forget()
    away = await make_alias("away", "out@far.example")
    client = await services.greeted_mx()
    sent = bytes(dkim.sign(letter(), b"s1", b"example.org", rsa_key()[0])) + letter()
    assert (await client.message(ANN, [away], sent))[:3] == "250"
    octets = bytes((await QueueMessage.objects.aget()).octets)
    assert octets.startswith(b"ARC-Seal: ")
    assert octets.endswith(sent + b"\r\n")
    found = await arc.verify(letter_of(octets), Resolver([world.server]).purse(9)(50))
    assert (found.result, found.sealers) == ("pass", ("example.test",))
    assert b"dmarc=pass" in found.said
    verdict = await sync_to_async(perl)(octets, world)
    assert verdict == ["pass"]
    broken = octets.replace(b"Subject: hello", b"Subject: hollow")
    assert await sync_to_async(perl)(broken, world) == ["fail"]
    dkimkeys.signing_keys.forget()


ARC_VERIFIER = """
use Mail::DKIM::ARC::Verifier; use Mail::DKIM::DNS; use Net::DNS::Resolver;
my $r = Net::DNS::Resolver->new(nameservers => ["127.0.0.1"], port => $ARGV[0]);
Mail::DKIM::DNS::resolver($r);
my $v = Mail::DKIM::ARC::Verifier->new();
binmode STDIN; local $/; my $m = <STDIN>;
$v->PRINT($m); $v->CLOSE;
print $v->result, "\\n";
"""


def perl(octets: bytes, world: World) -> list[str]:
    """Return what Mail::DKIM says of the chain."""
    if subprocess.run(["perl", "-MMail::DKIM", "-e1"], capture_output=True).returncode:
        pytest.skip("libmail-dkim-perl is not installed")
    command = ["perl", "-e", ARC_VERIFIER, str(world.port)]
    done = subprocess.run(command, input=octets, capture_output=True, check=True)
    return done.stdout.decode().split("\n")[:-1]


async def test_a_full_mailbox_loses_no_junk(
    services: Services, alice: Any, world: World
) -> None:
    """Its copy that would have left is not made: the sender has to hear."""
    account = await sync_to_async(lambda: alice.account)()
    both = await make_alias("both", "out@far.example", account)
    await set_quota(alice, 10)
    client = await services.greeted_mx()
    real = letter("e@example.com")
    world.zone["other.example"] = {"TXT": "v=spf1 a:client.example -all"}
    assert (await client.message("x@other.example", [both], real))[:9] == "452 4.2.2"


@pytest.mark.parametrize("duty", ["postmaster", "Abuse"])
async def test_who_must_hear_of_trouble_does(
    services: Services, alice: Any, world: World, settings: Settings, duty: str
) -> None:
    from accounts.models import Address, Domain

    settings.MAILHOST_GREYLIST = True
    domain = await Domain.objects.aget(name="example.test")
    row = await Address.objects.acreate(domain=domain, local_part=duty.lower())
    await row.accounts.aadd(await sync_to_async(lambda: alice.account)())
    client = await services.greeted_mx()
    asked = letter("eve@example.net")  # its domain asks to refuse
    address = f"{duty}@example.test"
    assert (await client.message("x@elsewhere.example", [address], asked))[:3] == "250"
    assert [role for role, _ in await filed(ALICE)] == ["junk"]
    settings.MAILHOST_GREYLIST = False
    said = await client.message("x@elsewhere.example", [address, ALICE], asked)
    assert said[:9] == "550 5.7.1"


async def test_greylisting(
    services: Services, alice: Any, bob: Any, world: World, settings: Settings
) -> None:
    settings.MAILHOST_GREYLIST = True
    settings.MAILHOST_GREYLIST_SECONDS = 0
    client = await services.greeted_mx()
    assert (await client.message(ANN, [ALICE], letter()))[:9] == "451 4.7.1"
    await client.say("RSET")
    assert (await client.message(ANN, [ALICE], letter()))[:3] == "250"
    assert (await client.message(ANN, [bob.email], letter()))[:3] == "250"


async def test_who_guesses_is_slowed_and_sent_away(
    services: Services,
    alice: Any,
    world: World,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    settings.MAILHOST_MAX_UNKNOWN_RECIPIENTS = 6
    client = await services.greeted_mx()
    await client.say(f"MAIL FROM:<{ANN}>")
    for n in range(5):
        said = await client.say(f"RCPT TO:<guess{n}@example.test>")
        assert said[:9] == "550 5.1.1"
    monkeypatch.undo()
    said = await client.say("RCPT TO:<guess6@example.test>")
    assert said == "421 4.7.0 Too many recipients that do not exist"
    assert await client.is_closed()
    assert [seconds for seconds in slept if seconds] == [1.0, 2.0]
    client = await services.greeted_mx()
    assert (await client.say(f"MAIL FROM:<{ANN}>"))[:9] == "421 4.7.0"


async def test_messages_of_an_hour(
    services: Services, alice: Any, world: World, settings: Settings
) -> None:
    settings.MAILHOST_MAX_MESSAGES_PER_ADDRESS = 1
    client = await services.greeted_mx()
    assert (await client.message(ANN, [ALICE], letter()))[:3] == "250"
    assert (await client.say(f"MAIL FROM:<{ANN}>"))[:9] == "451 4.7.1"


@pytest.mark.parametrize("octets", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_message_is_answered(
    services: Services, alice: Any, world: World, octets: bytes
) -> None:
    world.zone["s._domainkey.x.example"] = {"TXT": rsa_key()[1]}
    client = await services.greeted_mx()
    said = await client.message(ANN, [ALICE], octets.replace(b"\r\n.", b"\r\n.."))
    assert said[:3] in {"250", "550", "552"}
    assert len(await filed(ALICE)) == (said[:3] == "250")
    assert (await client.say("NOOP"))[:3] == "250"


async def test_a_header_that_nobody_reads_to_its_end(
    services: Services, alice: Any, world: World
) -> None:
    client = await services.greeted_mx()
    said = await client.message(ANN, [ALICE], letter(more=b"X: y\r\n" * 50_000))
    assert said == "552 5.3.4 The header is too long"
    assert (await client.message(ANN, [ALICE], letter(more=b"X: y\r\n" * 900)))[:3] == (
        "250"
    )


async def test_a_client_that_leaves_while_it_is_looked_at(
    services: Services, alice: Any, world: World
) -> None:
    client = await services.greeted_mx()
    await client.say(f"MAIL FROM:<{ANN}>")
    await client.say(f"RCPT TO:<{ALICE}>")
    await client.say("DATA")
    await client.send(letter() + b"\r\n.\r\n")
    client.writer.close()
    # What is in progress is finished: the message is whole, and there once.
    for _ in range(200):
        if await filed(ALICE):
            break
        await asyncio.sleep(0.05)
    assert len(await filed(ALICE)) == 1
