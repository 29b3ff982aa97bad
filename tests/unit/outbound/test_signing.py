"""DKIM: keys made, published, rotated; what leaves is signed, and verifies."""

from io import StringIO
from typing import Any

import dkim
import pytest
from django.contrib.admin.sites import site
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Domain, User
from mailhost.delivery import submit_sync
from mailhost.outbound import dkimkeys, signing
from mailhost.outbound.models import DkimKey, QueueMessage
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store.gate import gate
from tests.unit.smtp.inbox import _messages
from tests.world.dns import World, dns_server

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = "alice@example.test"
MESSAGE = (
    b"From: Alice <alice@example.test>\r\nTo: far@far.example\r\nSubject: out\r\n"
    b"Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n"
    b"\r\nbody  \r\n\r\n\r\n"
)


@pytest.fixture(autouse=True)
def forgetful() -> Any:
    dkimkeys.signing_keys.forget()
    yield
    dkimkeys.signing_keys.forget()
    gate.stop()


def zone_of(domain: str) -> dict[str, str]:
    return dict(dkimkeys.record(key) for key in dkimkeys.keys_of(domain))


def verified(octets: bytes, domain: str = "example.test") -> list[bool]:
    """Return what dkimpy says of each signature."""
    zone = zone_of(domain)

    def dnsfunc(name: bytes, timeout: int = 5) -> bytes:
        return zone.get(name.decode().rstrip("."), "").encode()

    def holds(number: int) -> bool:
        try:
            return bool(dkim.DKIM(octets).verify(number, dnsfunc=dnsfunc))
        except dkim.ValidationError:
            return False

    return [holds(n) for n in range(octets.lower().count(b"dkim-signature:"))]


def test_both_signatures_verify(alice: Any) -> None:
    assert len(dkimkeys.make("example.test")) == 4
    assert dkimkeys.make("example.test") == []
    octets = signing.signed(MESSAGE, ALICE)
    assert octets.endswith(MESSAGE)
    assert octets.count(b"a=rsa-sha256") == octets.count(b"a=ed25519-sha256") == 1
    assert verified(octets) == [True, True]


@pytest.mark.parametrize(
    "change",
    [
        (b"Subject: out", b"Subject: in"),
        (b"body", b"other"),
        (b"Date: ", b"From: mallory@example.test\r\nDate: "),
        (b"Date: ", b"Reply-To: mallory@example.test\r\nDate: "),
        (b"Date: ", b"Content-Type: text/html\r\nDate: "),
    ],
)
def test_no_change_is_believed(alice: Any, change: tuple[bytes, bytes]) -> None:
    dkimkeys.make("example.test")
    octets = signing.signed(MESSAGE, ALICE).replace(*change, 1)
    assert verified(octets) == [False, False]


def test_what_others_may_change_breaks_nothing(alice: Any) -> None:
    dkimkeys.make("example.test")
    octets = b"Received: by x\r\n" + signing.signed(MESSAGE, ALICE)
    octets = octets.replace(b"Subject: out", b"subject:   out ") + b"\r\n\r\n"
    assert verified(octets) == [True, True]


def test_what_is_submitted_is_signed(alice: Any, bob: Any) -> None:
    dkimkeys.make("example.test")
    recipients = (Recipient("far@far.example"), Recipient("bob@example.test"))
    submit_sync(alice.pk, MESSAGE, Envelope(ALICE, recipients))
    octets = bytes(QueueMessage.objects.get().octets)
    assert verified(octets) == [True, True]
    [kept] = _messages("bob@example.test")
    assert kept.endswith(octets)


def test_what_stays_here_is_not(alice: Any, bob: Any) -> None:
    dkimkeys.make("example.test")
    submit_sync(alice.pk, MESSAGE, Envelope(ALICE, (Recipient("bob@example.test"),)))
    [kept] = _messages("bob@example.test")
    assert b"DKIM-Signature" not in kept


def test_without_a_key_it_goes_unsigned(alice: Any, settings: Any) -> None:
    assert signing.signed(MESSAGE, ALICE) == MESSAGE
    dkimkeys.make("example.test")
    dkimkeys.signing_keys.forget()
    assert signing.signed(MESSAGE, "x@other.test") == MESSAGE
    settings.SECRET_KEY = "another secret key of 32 characters"
    assert signing.signed(MESSAGE, ALICE) == MESSAGE


def test_secrets_are_sealed(alice: Any) -> None:
    for key in dkimkeys.make("example.test"):
        assert "PRIVATE" not in key.secret
        assert key.secret.startswith("gAAAA")


@pytest.mark.engines
def test_a_rotation(alice: Any) -> None:
    dkimkeys.make("example.test")
    before = signing.signed(MESSAGE, ALICE)
    next_ones = set(DkimKey.objects.filter(phase="next").values_list("pk", flat=True))
    dkimkeys.rotate("example.test")
    dkimkeys.signing_keys.forget()
    active = DkimKey.objects.filter(phase="active").values_list("pk", flat=True)
    assert set(active) == next_ones
    phases = sorted(DkimKey.objects.values_list("phase", flat=True))
    assert phases == ["active", "active", "next", "next", "old", "old"]
    # What was signed before still verifies: the old keys stay published.
    assert verified(before) == [True, True]
    assert verified(signing.signed(MESSAGE, ALICE)) == [True, True]


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("dkim", *arguments, stdout=out)
    return out.getvalue()


def test_the_command(alice: Any, settings: Any) -> None:
    with pytest.raises(CommandError, match="no domain"):
        command("elsewhere.test")
    said = command("example.test")
    for key in DkimKey.objects.all():
        assert f"{key.selector}._domainkey.example.test. IN TXT" in said
        assert key.secret not in said
    with dns_server({}) as world:
        settings.MAILHOST_DNS_SERVERS = [world.server]
        with pytest.raises(CommandError, match="does not have"):
            command("example.test", "--rotate")
        publish(world)
        assert "publish" in command("example.test", "--rotate").lower()
    assert DkimKey.objects.filter(phase="old").count() == 2


def publish(world: World) -> None:
    from mailhost.dnsauth.resolver import forget

    forget()
    for name, text in zone_of("example.test").items():
        world.zone[name] = {"TXT": text}


def test_keys_in_the_admin(alice: Any, admin_user: User, settings: Any) -> None:
    client = Client()
    client.force_login(admin_user)
    domain = Domain.objects.get(name="example.test")
    page = "/admin/outbound/dkimkey/"
    answer = client.post(page + "add/", {"domain": domain.pk})
    assert answer.status_code == 302
    keys = list(DkimKey.objects.all())
    assert len(keys) == 4
    for key in keys:
        shown = client.get(f"{page}{key.pk}/change/").content.decode()
        assert dkimkeys.record(key)[1] in shown.replace("&amp;", "&")
        assert key.secret not in shown
    with dns_server({}) as world:
        settings.MAILHOST_DNS_SERVERS = [world.server]
        form = {"action": "rotate", "_selected_action": [keys[0].pk]}
        client.post(page, form)
        assert not DkimKey.objects.filter(phase="old").exists()
        publish(world)
        client.post(page, form)
    assert DkimKey.objects.filter(phase="old").count() == 2
    assert site.is_registered(DkimKey)
