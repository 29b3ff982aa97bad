"""Postfix as a peer: what we send passes it whole, and what it sends arrives."""

import base64
import hashlib
import re
import smtplib
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connections

from mailhost.delivery import submit
from mailhost.dnsauth.resolver import forget
from mailhost.outbound import dkimkeys
from mailhost.outbound.models import Attempt, DkimKey, QueueMessage, QueueRecipient
from mailhost.outbound.runner import run_once
from mailhost.outbound.values import Envelope, Recipient
from tests.faults.test_kill import until
from tests.servers import running
from tests.unit.smtp.inbox import _messages, close
from tests.world.authority import Authority, Issued
from tests.world.dns import World, dns_server
from tests.world.postfix import Peer, postfix
from tests.world.sink import Sink, sink

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = "alice@example.test"
MESSAGE = (
    b"From: Alice <alice@example.test>\r\nTo: far@far.example\r\nSubject: out\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    b".a dot\r\nGr\xc3\xbc\xc3\x9fe  \t\r\n\r\nlast\r\n\r\n"
)
VERIFIER = """
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::Resolver;
my $r = Net::DNS::Resolver->new(nameservers => ["127.0.0.1"], port => $ARGV[0]);
Mail::DKIM::DNS::resolver($r);
my $v = Mail::DKIM::Verifier->new();
binmode STDIN; local $/; my $m = <STDIN>;
$v->PRINT($m); $v->CLOSE;
print $_->algorithm, " ", $_->result_detail, "\\n" for $v->signatures;
"""


@pytest.fixture
def issued(tmp_path: Path) -> Issued:
    return Authority(tmp_path).issue("mx.far.example")


@pytest.fixture
def far() -> Generator[Sink]:
    with sink() as found:
        yield found


@pytest.fixture
def peer(far: Sink, issued: Issued) -> Generator[Peer]:
    more = f"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {issued.file}"
    with postfix({"far.example": far.port}, more) as found:
        yield found


@pytest.fixture
async def world(peer: Peer, alice: Any, settings: Any) -> Any:
    settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK = True
    settings.MAILHOST_OUTBOUND_PORT = peer.port
    settings.MAILHOST_HOSTNAME = "mail.example.test"
    with dns_server(
        {
            "far.example": {"MX": "10 mx.far.example."},
            "mx.far.example": {"A": "127.0.0.1"},
        }
    ) as found:
        settings.MAILHOST_DNS_SERVERS = [found.server]
        yield found
    dkimkeys.signing_keys.forget()
    await close()
    await sync_to_async(connections.close_all)()


def independently(octets: bytes, world: World) -> list[str]:
    """Return what Mail::DKIM says of the signatures."""
    if subprocess.run(["perl", "-MMail::DKIM", "-e1"], capture_output=True).returncode:
        pytest.skip("libmail-dkim-perl is not installed")
    command = ["perl", "-e", VERIFIER, str(world.port)]
    done = subprocess.run(command, input=octets, capture_output=True, check=True)
    return sorted(done.stdout.decode().split("\n"))[1:]


def check_ed25519(octets: bytes, public: str) -> None:
    """Verify by hand, without dkimpy: RFC 6376 §3.7, §3.4.2, §3.4.4; RFC 8463 §3.

    Debian's Mail::DKIM knows RSA alone.
    """
    header, _, body = octets.partition(b"\r\n\r\n")
    fields = re.sub(rb"\r\n[ \t]", b" ", header).split(b"\r\n")
    relaxed = [
        name.strip().lower() + b":" + b" ".join(value.split())
        for name, _, value in (field.partition(b":") for field in fields)
    ]
    [mine] = [line for line in relaxed if b"a=ed25519-sha256" in line]
    tags = dict(re.findall(rb"(\w+)=([^;]*)", mine.partition(b":")[2]))
    lines = [re.sub(rb"[ \t]+", b" ", x).rstrip(b" ") for x in body.split(b"\r\n")]
    plain = b"\r\n".join(lines).rstrip(b"\r\n") + b"\r\n"
    digest = base64.b64encode(hashlib.sha256(plain).digest())
    assert tags[b"bh"].replace(b" ", b"") == digest
    left, signed = list(relaxed), []
    for name in re.split(rb"\s*:\s*", tags[b"h"].strip()):
        last = [line for line in left if line.startswith(name + b":")][-1:]
        for line in last:
            left.reverse()
            left.remove(line)
            left.reverse()
            signed.append(line)
    signed.append(re.sub(rb"\bb=[^;]*", b"b=", mine))
    octets = hashlib.sha256(b"\r\n".join(signed)).digest()
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
    key.verify(base64.b64decode(tags[b"b"].replace(b" ", b"")), octets)


async def test_signatures_hold_after_postfix(
    world: World, peer: Peer, far: Sink, alice: Any, issued: Issued, settings: Any
) -> None:
    settings.MAILHOST_DNS_TRUSTED = world.authentic = True
    world.zone[f"_{peer.port}._tcp.mx.far.example"] = {"TLSA": issued.tlsa()}
    for key in await sync_to_async(dkimkeys.make)("example.test"):
        name, text = dkimkeys.record(key)
        world.zone[name] = {"TXT": text}
    forget()
    recipients = tuple(Recipient(f"{name}@far.example") for name in ("a", "b", "c"))
    await submit(alice.pk, MESSAGE, Envelope(ALICE, recipients))
    assert await QueueMessage.objects.acount() == 1
    assert await run_once() == 3
    attempt = await Attempt.objects.aget()
    assert attempt.security == "TLSv1.3, DANE-EE"
    assert attempt.outcome.startswith("sent: 250 2.0.0 Ok: queued")
    far.wait_for(1)
    [(sender, got, octets)] = far.messages
    assert (sender, sorted(got)) == (ALICE, [r.address for r in recipients])
    body = octets.partition(b"\r\n\r\n")[2]
    assert body == MESSAGE.partition(b"\r\n\r\n")[2]
    broken = octets.replace(b"Subject: out", b"Subject: in")
    public = (await DkimKey.objects.aget(kind="ed25519", phase="active")).public
    check_ed25519(octets, public)
    with pytest.raises(InvalidSignature):
        check_ed25519(broken, public)
    assert "rsa-sha256 pass" in independently(octets, world)
    assert not any("pass" in line for line in independently(broken, world))


async def test_many_messages_share_connections(
    world: World, peer: Peer, far: Sink, alice: Any
) -> None:
    for number in range(30):
        envelope = Envelope(ALICE, (Recipient(f"{number}@far.example"),))
        await submit(alice.pk, MESSAGE, envelope)
    assert await run_once() == 30
    far.wait_for(30)
    assert {r for _, some, _ in far.messages for r in some} == {
        f"{number}@far.example" for number in range(30)
    }
    # One more looked whether it is up.
    assert peer.log().count(": connect from") <= 5 + 1


async def test_what_postfix_refuses_comes_back(
    world: World, peer: Peer, alice: Any
) -> None:
    world.zone["else.example"] = {"MX": "10 mx.far.example."}
    await submit(alice.pk, MESSAGE, Envelope(ALICE, (Recipient("x@else.example"),)))
    await run_once()
    row = await QueueRecipient.objects.aget()
    assert (row.state, row.status) == ("failed", "5.7.1")
    [report] = await sync_to_async(_messages)(ALICE)
    assert b"Relay access denied" in report
    assert b"The server refused the message." in report


def test_what_postfix_sends_arrives(alice: Any, bob: Any) -> None:
    with (
        running(protocols=["smtp"]) as ports,
        postfix({"example.test": ports["smtp"]}) as peer,
    ):
        with smtplib.SMTP("127.0.0.1", peer.port) as client:
            client.sendmail("x@far.example", [ALICE, "bob@example.test"], MESSAGE)
            client.sendmail("x@far.example", [ALICE], MESSAGE * 2000)
        until(lambda: len(_messages(ALICE)) == 2)
        until(lambda: len(_messages("bob@example.test")) == 1)
        log = peer.log()
    [short] = [octets for octets in _messages(ALICE) if len(octets) < 5000]
    assert short.endswith(MESSAGE.partition(b"\r\n\r\n")[2])
    assert "status=sent (250 2" in log
