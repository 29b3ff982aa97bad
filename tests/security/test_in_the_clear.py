"""Without TLS nobody from elsewhere logs in; what came before TLS is forgotten."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_django import Settings

from accounts.models import User
from tests.conftest import PASSWORD
from tests.servers import client_tls, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ports(settings: Settings) -> Iterator[dict[str, int]]:
    settings.MAILHOST_TRUSTED_PROXIES = ["127.0.0.0/8"]
    settings.MAILHOST_ACCESS_TOKENS = True
    with running(["imap", "pop3", "smtp"]) as found:
        yield found


class Line:
    """A client of elsewhere, line by line: a proxy that is trusted says so."""

    def __init__(self, port: int) -> None:
        self.sock: socket.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.sock.sendall(b"PROXY TCP4 192.0.2.1 127.0.0.1 1111 143\r\n")
        self.lines = self.sock.makefile("rb")

    def until(self, *starts: bytes) -> bytes:
        said = b""
        while line := self.lines.readline():
            said += line
            if line.startswith(starts):
                return said
        raise AssertionError(said)

    def ask(self, octets: bytes, *starts: bytes) -> bytes:
        self.sock.sendall(octets + b"\r\n")
        return self.until(*starts)

    def secure(self) -> None:
        self.lines.close()
        self.sock = client_tls().wrap_socket(self.sock, server_hostname="localhost")
        self.lines = self.sock.makefile("rb")

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()
        self.sock.close()


def test_imap_takes_no_password_in_the_clear(
    ports: dict[str, int], alice: User
) -> None:
    with Line(ports["imap"]) as line:
        greeting = line.until(b"* OK")
        assert b"LOGINDISABLED" in greeting
        assert b"AUTH=" not in greeting
        login = f'a LOGIN {alice.email} "{PASSWORD}"'.encode()
        assert b"a NO [PRIVACYREQUIRED]" in line.ask(login, b"a ")
        for name in (b"PLAIN", b"OAUTHBEARER", b"SCRAM-SHA-256"):
            said = line.ask(b"a AUTHENTICATE " + name, b"a ", b"+")
            assert said.startswith(b"a NO")
        assert b"a OK" in line.ask(b"a STARTTLS", b"a ")
        line.secure()
        assert b"AUTH=PLAIN AUTH=LOGIN AUTH=OAUTHBEARER" in line.ask(
            b"a CAPABILITY", b"a "
        )
        assert b"a OK" in line.ask(login, b"a ")


def test_pop3_takes_no_password_in_the_clear(
    ports: dict[str, int], alice: User
) -> None:
    with Line(ports["pop3"]) as line:
        line.until(b"+OK")
        capabilities = line.ask(b"CAPA", b".")
        assert b"SASL" not in capabilities
        assert b"\r\nUSER\r\n" not in capabilities
        for said in (b"USER " + alice.email.encode(), b"AUTH PLAIN", b"AUTH"):
            assert line.ask(said, b"+", b"-").startswith(b"-ERR")
        line.ask(b"STLS", b"+OK")
        line.secure()
        line.ask(b"USER " + alice.email.encode(), b"+OK")
        line.ask(b"PASS " + PASSWORD.encode(), b"+OK")


def test_submission_takes_no_password_in_the_clear(
    ports: dict[str, int], alice: User
) -> None:
    with Line(ports["submission"]) as line:
        line.until(b"220 ")
        assert b"AUTH" not in line.ask(b"EHLO x", b"250 ")
        assert line.ask(b"AUTH PLAIN", b"5", b"3").startswith(b"530 ")
        line.ask(b"STARTTLS", b"220")
        line.secure()
        assert b"AUTH PLAIN LOGIN OAUTHBEARER XOAUTH2" in line.ask(b"EHLO x", b"250 ")


@dataclass(frozen=True)
class Injection:
    """What is sent with the command that begins TLS, and what is asked inside."""

    greeting: bytes
    injected: bytes
    go_ahead: bytes
    command: bytes
    answer: bytes


SMTP = Injection(b"220 ", b"STARTTLS\r\nEHLO x", b"220", b"MAIL FROM:<>", b"503")
CASES = {
    "imap": Injection(
        b"* OK", b"a STARTTLS\r\nb LOGIN x y", b"a OK", b"c NOOP", b"c OK"
    ),
    "pop3": Injection(
        b"+OK", b"STLS\r\nUSER mallory", b"+OK", b"NOOP", b"-ERR Log in first"
    ),
    "submission": SMTP,
    "smtp": SMTP,
}


@pytest.mark.parametrize("service", CASES)
def test_what_is_injected_before_tls_is_not_carried_into_it(
    ports: dict[str, int], service: str
) -> None:
    case = CASES[service]
    with Line(ports[service]) as line:
        line.until(case.greeting)
        if case is SMTP:
            line.ask(b"EHLO x", b"250 ")
        line.ask(case.injected, case.go_ahead)
        line.secure()
        assert isinstance(line.sock, ssl.SSLSocket)
        # The first thing said inside is the answer to what was asked inside.
        line.sock.sendall(case.command + b"\r\n")
        assert line.lines.readline().startswith(case.answer)
