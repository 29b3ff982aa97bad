"""Messages for checks to look at."""

from typing import Any

from mailhost.dnsauth.arc import Arc
from mailhost.dnsauth.authentication import Authentication, Handover
from mailhost.dnsauth.dmarc import Dmarc
from mailhost.dnsauth.iprev import Iprev
from mailhost.dnsauth.spf import Spf
from mailhost.screening.values import Incoming
from tests.unit.dnsauth.zoned import Zoned
from tests.world.dns import Zone

PEER = "192.0.2.1"
GOOD = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.test\r\nSubject: Hi\r\n"
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n"
    b"Text\r\n"
)


def incoming(
    octets: bytes = GOOD, *, zone: Zone | None = None, **given: Any
) -> Incoming:
    """A message that nothing is wrong with, but for what the test says."""
    peer = given.pop("peer", PEER)
    helo = given.pop("helo", "mx.example.org")
    handover = Handover(peer, helo, "ann@example.org")
    origin: dict[str, Any] = {
        "iprev": Iprev("pass", "mx.example.org"),
        "spf": Spf("pass", "example.org"),
        "helo": given.pop("name_spf", Spf(identity="helo")),
        "dmarc": Dmarc("pass", "example.org"),
        "arc": Arc(),
        "signatures": (),
    } | given
    return Incoming(
        octets,
        peer,
        helo,
        "ann@example.org",
        ("bob@example.test",),
        "mail.example.test",
        Authentication(handover, **origin),
        Zoned({"mx.example.org": {"A": PEER}} if zone is None else zone),
    )
