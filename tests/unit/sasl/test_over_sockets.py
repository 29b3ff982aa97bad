"""The mechanisms over real connections of the three protocols."""

import base64
import contextlib
import imaplib
import json
import poplib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts import afterwards, apppasswords, auth, tokens
from accounts.models import LoginRecord, User
from mailhost.certificates.contexts import Certificate
from tests.certificates import Authority
from tests.conftest import PASSWORD
from tests.sasl_client import Scram
from tests.servers import running

pytestmark = pytest.mark.django_db(transaction=True)

Answers = list[Callable[[bytes], bytes]]


@dataclass
class Site:
    """Servers with a certificate of `authority`, whose clients' they take too."""

    ports: dict[str, int]
    authority: Authority

    def tls(self, *client: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if client:
            context.load_cert_chain(client[0], client[1])
        return context

    def imap(self, name: str, answers: Answers, *client: Path) -> None:
        server = imaplib.IMAP4_SSL(
            "localhost", self.ports["imaps"], ssl_context=self.tls(*client), timeout=30
        )
        with server:
            assert f"AUTH={name}" in server.capabilities
            left = list(answers)
            server.authenticate(name, lambda said: left.pop(0)(said))
            assert server.select()[0] == "OK"

    def pop3(self, name: str, answers: Answers, *client: Path) -> None:
        server: Any = poplib.POP3("localhost", self.ports["pop3"], timeout=30)
        with contextlib.closing(server):
            server.stls(self.tls(*client))
            assert name in server.capa()["SASL"]
            left = list(answers)
            said = server._shortcmd(f"AUTH {name}")
            while said.startswith(b"+ "):
                answer = left.pop(0)(base64.b64decode(said[2:]))
                said = server._shortcmd(base64.b64encode(answer).decode() or "=")
            assert said.startswith(b"+OK")
            server.stat()

    def smtp(self, name: str, answers: Answers, *client: Path) -> None:
        with smtplib.SMTP("localhost", self.ports["submission"], timeout=30) as server:
            server.starttls(context=self.tls(*client))
            server.ehlo()
            assert name in server.esmtp_features["auth"].split()
            left = list(answers)
            code, said = server.docmd("AUTH", name)
            while code == 334:
                answer = left.pop(0)(base64.b64decode(said))
                code, said = server.docmd(base64.b64encode(answer).decode())
            if code != 235:
                raise smtplib.SMTPAuthenticationError(code, said)


@pytest.fixture
def site(tmp_path: Path, settings: Settings) -> Iterator[Site]:
    authority = Authority(tmp_path / "ca")
    settings.MAILHOST_CLIENT_CA = str(authority.file)
    settings.MAILHOST_APP_PASSWORDS_ONLY = settings.MAILHOST_SCRAM_SHA1 = True
    settings.MAILHOST_ACCESS_TOKENS = True
    chain, key = authority.sign("server", dns=("localhost",))
    certificate = Certificate(chain, key, ca=authority.file)
    with running(["imap", "pop3", "smtp"], certificate_=certificate) as ports:
        yield Site(ports, authority)


REFUSED = (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError)
PROTOCOLS = ("imap", "pop3", "smtp")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("hash_name", ["sha256", "sha1"])
def test_scram(site: Site, alice: User, protocol: str, hash_name: str) -> None:
    row, text = apppasswords.create(alice.pk, "phone", [protocol])
    name = {"sha256": "SCRAM-SHA-256", "sha1": "SCRAM-SHA-1"}[hash_name]
    client = Scram(alice.email, text, hash_name)

    def end(server_final: bytes) -> bytes:
        assert client.verifies(server_final)
        return b""

    answers = [lambda _: client.first(), client.final, end]
    getattr(site, protocol)(name, answers)
    afterwards.run_waiting()
    row.refresh_from_db()
    assert row.last_protocol == protocol
    assert LoginRecord.objects.get().result == LoginRecord.Result.IN
    client.password = "wrong"
    with pytest.raises(REFUSED):
        getattr(site, protocol)(name, answers)
    row.scopes = []
    row.save()
    client.password = text
    with pytest.raises(REFUSED):
        getattr(site, protocol)(name, answers)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["OAUTHBEARER", "XOAUTH2"])
def test_tokens(site: Site, alice: User, protocol: str, name: str) -> None:
    row, text = tokens.issue(alice.pk, [protocol], "program")
    said: list[bytes] = []

    def first(_: bytes) -> bytes:
        auth = f"auth=Bearer {text}\1\1"
        heads = {"OAUTHBEARER": f"n,a={alice.email},\1"}
        head = heads.get(name, f"user={alice.email}\1")
        return (head + auth).encode()

    def last(error: bytes) -> bytes:
        said.append(error)
        return b"\1"

    getattr(site, protocol)(name, [first, last])
    assert not said
    row.delete()
    with pytest.raises(REFUSED):
        getattr(site, protocol)(name, [first, last])
    wanted = {"imap": "mail.imap", "pop3": "mail.pop", "smtp": "mail.smtp"}[protocol]
    assert json.loads(said[0]) == {"status": "invalid_token", "scope": wanted}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_certificates(site: Site, alice: User, protocol: str, tmp_path: Path) -> None:
    log_in = getattr(site, protocol)
    mine = site.authority.sign("alice", emails=(alice.email,))
    log_in("EXTERNAL", [lambda _: b""], *mine)
    log_in("EXTERNAL", [lambda _: alice.email.encode()], *mine)
    unknown = site.authority.sign("nobody", emails=("nobody@example.test",))
    with pytest.raises(REFUSED):
        log_in("EXTERNAL", [lambda _: b""], *unknown)
    with pytest.raises(REFUSED):
        log_in("EXTERNAL", [lambda _: b"bob@example.test"], *mine)
    # without an address in it, it is not offered
    nameless = site.authority.sign("alice@example.test")
    with pytest.raises((*REFUSED, AssertionError)):
        log_in("EXTERNAL", [lambda _: alice.email.encode()], *nameless)
    with pytest.raises((*REFUSED, AssertionError)):
        log_in("EXTERNAL", [lambda _: alice.email.encode()])
    expired = site.authority.sign("old", emails=(alice.email,), age=3)
    strangers = Authority(tmp_path / "other").sign("alice", emails=(alice.email,))
    for bad in (expired, strangers):
        with pytest.raises((OSError, *REFUSED)):  # TLS 1.3 tells it late
            log_in("EXTERNAL", [lambda _: b""], *bad)
    alice.is_active = False
    alice.save()
    with pytest.raises(REFUSED):
        log_in("EXTERNAL", [lambda _: b""], *mine)


def test_the_mx_port_asks_nobody_for_a_certificate(site: Site, tmp_path: Path) -> None:
    """A server that sends us mail may have one of an authority that we do not know."""
    foreign = Authority(tmp_path / "other").sign("mx", dns=("mx.other.test",))
    server = smtplib.SMTP("localhost", site.ports["smtp"], timeout=30)
    assert server.starttls(context=site.tls(*foreign))[0] == 220
    assert server.ehlo()[0] == 250
    assert not server.has_extn("auth")
    server.quit()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_exchange_can_be_cancelled(site: Site, alice: User, protocol: str) -> None:
    refusals: dict[str, Any] = {"smtp": b"501", "pop3": b"-ERR", "imap": b"a BAD"}
    begin = {"smtp": b"EHLO x\r\n", "pop3": b"", "imap": b""}[protocol]
    verb = {"smtp": b"AUTH", "pop3": b"AUTH", "imap": b"a AUTHENTICATE"}[protocol]
    port = site.ports[{"smtp": "submission"}.get(protocol, protocol)]
    with socket.create_connection(("localhost", port), timeout=30) as sock:
        lines = sock.makefile("rb")
        sock.sendall(begin + verb + b" SCRAM-SHA-256\r\n")
        while (line := lines.readline())[:2] not in {b"+ ", b"33"}:
            assert line
        sock.sendall(b"*\r\n")
        assert lines.readline().startswith(refusals[protocol])


def test_who_has_to_wait_is_told_that_it_is_not_the_password(
    site: Site, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(*_: object) -> None:
        raise auth.TooManyFailures

    monkeypatch.setattr(auth, "_slow_down", wait)
    with (
        smtplib.SMTP("localhost", site.ports["submission"], timeout=30) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError) as refused,
    ):
        smtp.login(alice.email, PASSWORD)
    assert refused.value.smtp_code == 454
    with (
        imaplib.IMAP4("localhost", site.ports["imap"], timeout=30) as imap,
        pytest.raises(imaplib.IMAP4.error, match=r"\[UNAVAILABLE\] Too many"),
    ):
        imap.login(alice.email, PASSWORD)
    pop3 = poplib.POP3("localhost", site.ports["pop3"], timeout=30)
    with contextlib.closing(pop3):
        pop3.user(alice.email)
        with pytest.raises(poplib.error_proto, match=r"\[SYS/TEMP\] Too many"):
            pop3.pass_(PASSWORD)
