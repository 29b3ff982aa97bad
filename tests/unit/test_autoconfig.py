"""What mail programs are told that know no more than an address."""

import plistlib
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Domain, User
from mailhost.autoconfig import answers
from mailhost.autoconfig.servers import KNOWN, records, servers
from protocols.common.services import SERVICES, Tls

pytestmark = [pytest.mark.engines, pytest.mark.django_db]
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
OUTLOOK = "/autodiscover/autodiscover.xml"
REQUEST = """<?xml version="1.0"?><Autodiscover
xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
<Request><EMailAddress>{}</EMailAddress><AcceptableResponseSchema>{}
</AcceptableResponseSchema></Request></Autodiscover>"""
SCHEMA = (
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
)
PLAIN = "{" + SCHEMA + "}"


@pytest.fixture(autouse=True)
def place(settings: Settings, alice: User) -> None:
    settings.MAILHOST_CLIENT_HOST = "mail.example.test"
    settings.MAILHOST_PORT_OFFSET = 0


def asked(address: str, schema: str = SCHEMA, path: str = OUTLOOK) -> Any:
    form = REQUEST.format(address, schema)
    return Client(headers={"host": "autodiscover.example.test"}).post(
        path, form, content_type="text/xml"
    )


def test_what_is_told_is_what_listens() -> None:
    listening = {s.name: (s.port, s.tls is Tls.IMPLICIT) for s in SERVICES}
    assert {n: (port, tls) for n, (_kind, port, tls, _r) in KNOWN.items()} == {
        name: listening[name] for name in KNOWN
    }


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("autoconfig.example.test", "/mail/config-v1.1.xml"),
        ("example.test", WELL_KNOWN),
        ("EXAMPLE.test:443", WELL_KNOWN),
        ("testserver", f"{WELL_KNOWN}?emailaddress=nobody@EXAMPLE.test"),
    ],
)
def test_thunderbird_is_told(host: str, path: str) -> None:
    answer: Any = Client(headers={"host": host}).get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/xml")
    root = Xml.fromstring(answer.content)
    first = root.find("emailProvider/incomingServer[@type='imap']")
    assert first is not None
    assert {child.tag: child.text for child in first} == {
        "hostname": "mail.example.test", "port": "993", "socketType": "SSL",
        "username": "%EMAILADDRESS%", "authentication": "password-cleartext",
    }  # fmt: skip
    sending = [
        (one.findtext("port"), one.findtext("socketType"))
        for one in root.iterfind("emailProvider/outgoingServer")
    ]
    assert sending == [("465", "SSL"), ("587", "STARTTLS")]
    assert root.findtext("emailProvider/domain") == "example.test"


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("autoconfig.far.test", "/mail/config-v1.1.xml"),
        ("", WELL_KNOWN),
        ("testserver", f"{WELL_KNOWN}?emailaddress=alice@far.test"),
        ("testserver", f"{WELL_KNOWN}?emailaddress=%00@"),
        ("testserver", f"{WELL_KNOWN}?emailaddress={'x' * 5000}@example.test"),
    ],
)
def test_of_other_domains_nothing_is_told(host: str, path: str) -> None:
    assert Client(headers={"host": host}).get(path).status_code == 404


def test_a_domain_that_is_off_is_none(alice: User) -> None:
    Domain.objects.update(active=False)
    path = f"{WELL_KNOWN}?emailaddress=alice@example.test"
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("path", [OUTLOOK, "/Autodiscover/Autodiscover.xml"])
def test_outlook_is_told(path: str) -> None:
    answer = asked("alice@example.test", path=path)
    root = Xml.fromstring(answer.content)
    found = {
        one.findtext(f"{PLAIN}Type"): one
        for one in root.iterfind(f".//{PLAIN}Account/{PLAIN}Protocol")
    }
    assert list(found) == ["IMAP", "POP3", "SMTP"]
    assert found["SMTP"].findtext(f"{PLAIN}Port") == "465"
    assert found["IMAP"].findtext(f"{PLAIN}LoginName") == "alice@example.test"
    assert found["IMAP"].findtext(f"{PLAIN}Encryption") == "SSL"


@pytest.mark.parametrize(
    ("address", "schema", "code"),
    [
        ("alice@far.test", SCHEMA, "600"),
        ("", SCHEMA, "600"),
        ("a@example.test", SCHEMA.replace("outlook", "mobilesync"), "601"),
        (f"{'x' * 5000}@example.test", SCHEMA, "600"),
        ("&lt;/DisplayName&gt;@far.test", SCHEMA, "600"),
        ("a\x01@example.test", SCHEMA, "600"),
    ],
)
def test_outlook_is_refused(address: str, schema: str, code: str) -> None:
    answer = asked(address, schema)
    root = Xml.fromstring(answer.content)
    assert [e.text for e in root.iter() if e.tag.endswith("ErrorCode")] == [code]


def test_what_is_no_request_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + b"<EMailAddress>&a;</EMailAddress>"
    for octets in (b"", b"\xff\x00", b"<" * 200_000, bomb):
        answer = Client().post(OUTLOOK, octets, content_type="text/xml")
        assert b"<ErrorCode>600" in answer.content


def test_an_address_is_no_markup() -> None:
    odd = "&lt;b&gt;&amp;@example.test"
    answer = asked(odd)
    root = Xml.fromstring(answer.content)
    assert root.findtext(f".//{PLAIN}DisplayName") == "<b>&@example.test"


def test_other_addresses_go_their_way() -> None:
    assert Client().get("/mail/config-v1.0.xml").status_code == 404
    assert Client(headers={"host": "autoconfig.x.test"}).get("/").status_code == 400
    assert Client().post(WELL_KNOWN).status_code in {403, 404, 405}


def test_a_profile(settings: Settings) -> None:
    octets = answers.apple("alice@example.test", "Alice", "words")
    profile = plistlib.loads(octets)
    (mail,) = profile["PayloadContent"]
    assert mail["EmailAccountType"] == "EmailTypeIMAP"
    assert mail["IncomingMailServerPortNumber"] == 993
    assert mail["OutgoingMailServerPortNumber"] == 465
    assert mail["IncomingPassword"] == "words"
    assert mail["EmailAccountName"] == "Alice"
    again = plistlib.loads(answers.apple("alice@example.test", ""))
    assert again["PayloadUUID"] == profile["PayloadUUID"]
    assert "IncomingPassword" not in again["PayloadContent"][0]


def test_the_lines_for_dns(settings: Settings) -> None:
    settings.MAILHOST_CLIENT_SERVICES = ["imaps", "submissions"]
    assert [server.port for server in servers()] == [993, 465]
    lines = records("example.test")
    assert "_imaps._tcp.example.test. IN SRV 0 1 993 mail.example.test." in lines
    assert "_imap._tcp.example.test. IN SRV 0 0 0 ." in lines


def test_without_a_way_to_send_nothing_is_told(settings: Settings) -> None:
    settings.MAILHOST_CLIENT_SERVICES = ["imaps"]
    path = f"{WELL_KNOWN}?emailaddress=alice@example.test"
    assert Client().get(path).status_code == 404
    assert b"<ErrorCode>600" in asked("alice@example.test").content
