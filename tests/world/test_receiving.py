"""The whole of it: listener, uvloop, PROXY, STARTTLS, DNS over sockets, rows."""

import smtplib
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_django import Settings

from accounts.models import User
from mailhost.mail.models import Arrival, Message
from mailhost.store.verdict import read
from tests.servers import client_tls, running
from tests.unit.smtp.test_stranger import ANN, PEER, ZONE, letter
from tests.world.dns import Zone, dns_server

pytestmark = pytest.mark.django_db(transaction=True)
ARC = Path(__file__).parents[1] / "vectors/arc/arc-draft-validation-tests.yml"


class Far(smtplib.SMTP):
    """A server far away, by the word of a proxy here."""

    def _get_socket(self, host: Any, port: Any, timeout: Any) -> Any:
        sock = socket.create_connection((host, port), 30)
        sock.sendall(f"PROXY TCP4 {PEER} 192.0.2.99 1024 25\r\n".encode())
        return sock


def send(port: int, sender: str, octets: bytes) -> tuple[int, bytes]:
    with Far("127.0.0.1", port, "client.example") as client:
        client.starttls(context=client_tls())
        client.ehlo()
        client.mail(sender)
        client.rcpt("alice@example.test")
        return client.data(octets)


def sealed() -> tuple[bytes, Zone]:
    """A message of the ARC suite that example.org passed on, and its keys."""
    for section in yaml.safe_load_all(ARC.read_text("utf-8")):
        for name, test in section["tests"].items():
            if name == "cv_pass_i1_1":
                keys = section["txt-records"]
                zone: Zone = {name: {"TXT": text} for name, text in keys.items()}
                return test["message"].encode().replace(b"\n", b"\r\n"), zone
    raise AssertionError("the suite has changed")


@pytest.fixture
def port(settings: Settings, alice: User) -> Any:
    settings.MAILHOST_CHECK_MAIL = True
    settings.MAILHOST_HOSTNAME = "mail.example.test"
    settings.MAILHOST_TRUSTED_PROXIES = ["127.0.0.1/32"]
    _, keys = sealed()
    forged: Zone = {"_dmarc.d1.example.org": {"TXT": "v=DMARC1; p=reject; aspf=s"}}
    with dns_server({**ZONE, **keys, **forged}) as world:
        settings.MAILHOST_DNS_SERVERS = [world.server]
        with running(["smtp"]) as ports:
            yield ports["smtp"]


def test_good_and_forged_mail(port: int, alice: User) -> None:
    assert send(port, ANN, letter())[0] == 250
    code, text = send(port, "x@other.example", letter("eve@example.net"))
    assert (code, text) == (550, b"5.7.1 example.net did not send this message")
    assert Message.objects.get().folder.role == "inbox"
    kept = read(Arrival.objects.get().verdict)
    assert {method: result for method, result, _ in kept.results} == {
        "iprev": "pass",
        "spf": "pass",
        "dkim": "none",
        "dmarc": "pass",
    }


def test_a_trusted_list_is_believed(port: int, alice: User, settings: Settings) -> None:
    message, _ = sealed()
    code, text = send(port, "list@elsewhere.example", message)
    assert (code, text) == (550, b"5.7.1 d1.example.org did not send this message")
    settings.MAILHOST_TRUSTED_FORWARDERS = ["example.org"]
    assert send(port, "list@elsewhere.example", message)[0] == 250
    kept = read(Arrival.objects.get().verdict)
    assert ("arc", "pass", "sealed by example.org") in kept.results
    assert [f for f in kept.findings if f[0] == "dmarc"] == [
        (
            "dmarc",
            0.0,
            "example.org, which passed it on, saw it come from d1.example.org",
        )
    ]
