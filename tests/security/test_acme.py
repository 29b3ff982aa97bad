"""A running server gets a certificate, and the next one, while people are connected.

All of it is real: the processes, pebble, the plain HTTP it asks by, the handshakes.
"""

import imaplib
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Installation
from tests.world.pebble import Pebble, free_port, pebble

HOST = "mail.test.local"
POLICY = "mta-sts.test.local"
SECONDS = 30


@dataclass
class Scene:
    """The server, and who issues its certificates."""

    server: Installation
    authority: Pebble

    def manage(self, *arguments: str, code: int = 0) -> str:
        said = subprocess.run(
            self.server.manage(*arguments),
            env=self.server.environment(), capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert said.returncode == code, (said.stdout, said.stderr, self.authority.log())
        return said.stdout + said.stderr

    def serial(self, service: str, name: str, roots: ssl.SSLContext) -> str:
        """Return the serial number shown to who asks for a name and believes these."""
        with connected(self.server.ports[service], name, roots) as tls:
            certificate = tls.getpeercert()
            assert certificate is not None
            return str(certificate["serialNumber"])


def connected(port: int, name: str, roots: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), 20)
    return roots.wrap_socket(plain, server_hostname=name)


def until(answer: Callable[[], Any], why: str) -> Any:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            if found := answer():
                return found
        except OSError as error:  # ssl.SSLError is one
            why = f"{why}: {error}"[:500]
        assert time.monotonic() < deadline, why
        time.sleep(0.1)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    port = free_port()  # where the authority will look, before anybody is there
    folder, names = tmp_path / "pebble", [HOST, POLICY]
    with pebble(folder, names=names, http_port=port) as authority:
        (tmp_path / "var").mkdir()
        server = Installation(tmp_path / "var", users=1)
        server.settings = {
            "MAILHOST_HOSTNAME": HOST,
            "MAILHOST_ACME_DIRECTORY": authority.directory,
            "MAILHOST_ACME_CA_FILE": authority.trusted,
            "MAILHOST_ACME_AGREE_TERMS": "yes",
            "MAILHOST_DNS_SERVERS": authority.world.server,
            "MAILHOST_MTA_STS_POLICY": "enforce",
            "MAILHOST_WEB_TLS_PORT": str(free_port()),
            "MAILHOST_WEB_PORT": str(free_port()),
            "MAILHOST_HTTP_PORT": str(port),
            "MAILHOST_WEB_HTTPS": "yes",
            "MAILHOST_PORT_OFFSET": str(free_port() % 9000 + 20_000),
        }
        with server:
            yield Scene(server, authority)


def after_starttls(port: int, roots: ssl.SSLContext) -> str:
    """Return the serial number that SMTP shows after STARTTLS."""
    with socket.create_connection(("127.0.0.1", port), 20) as plain:
        assert plain.recv(500).startswith(b"220 ")
        plain.sendall(b"EHLO a.test\r\n")
        plain.recv(2000)
        plain.sendall(b"STARTTLS\r\n")
        assert plain.recv(500).startswith(b"220 ")
        with roots.wrap_socket(plain, server_hostname=HOST) as tls:
            return str((tls.getpeercert() or {})["serialNumber"])


def policy(port: int, roots: ssl.SSLContext) -> bytes:
    """Return the answer with the policy of MTA-STS."""
    request = f"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {POLICY}\r\n"
    with connected(port, POLICY, roots) as tls:
        tls.sendall(request.encode() + b"Connection: close\r\n\r\n")
        return b"".join(iter(lambda: tls.recv(65536), b""))


def test_first_and_next_while_people_are_connected(scene: Scene) -> None:
    server = scene.server
    server.start_as_set()
    roots = scene.authority.roots()
    # The keeper asks by itself, the moment it starts.
    first = until(lambda: scene.serial("imaps", HOST, roots), server.log.read_text())
    for service in ("submissions", "pop3s", "web-tls"):
        assert until(partial(scene.serial, service, HOST, roots), service) == first
    # Each process takes a new certificate when it looks: ask until this one has.
    assert until(lambda: after_starttls(server.ports["smtp"], roots), "smtp") == first

    # The policy of MTA-STS, with a certificate of its own name.
    answer = until(lambda: policy(server.ports["web-tls"], roots), "no policy")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"mode: enforce\r\nmx: mail.test.local\r\n" in answer

    browse(server.ports, roots)

    # The next one, while somebody is connected.
    open_ = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=lax())
    open_.login(server.address(1), server.password)
    open_.select()
    said = scene.manage("certificates", HOST, "--now")
    assert f"{HOST}: issued, until " in said

    def renewed(service: str) -> str:
        found = scene.serial(service, HOST, roots)
        return "" if found == first else found

    seen = {until(partial(renewed, s), s) for s in ("imaps", "pop3s", "web-tls")}
    assert len(seen) == 1
    assert open_.noop()[0] == "OK"
    open_.logout()
    assert "good" in scene.manage("certificates")
    assert server.stop() < 10


def test_a_kill_in_the_middle_and_a_start_without_the_authority(scene: Scene) -> None:
    server = scene.server
    server.start_as_set()
    roots = scene.authority.roots()
    first = until(lambda: scene.serial("imaps", HOST, roots), "no certificate")
    # Killed at any moment, also between row and file: the row is what counts.
    os.kill(server.children()["keeper"], signal.SIGKILL)
    (server.directory / "tls" / "acme" / f"{HOST}.pem").unlink()
    server.kill()
    scene.authority.stop()
    server.start_as_set("--no-web")  # gunicorn needs a moment to leave its port
    assert scene.serial("imaps", HOST, roots) == first
    said = scene.manage("certificates", HOST, "--now", code=1)
    assert "cannot be reached: Connection refused" in said
    assert "failing" in scene.manage("certificates", code=1)
    assert scene.serial("imaps", HOST, roots) == first


def browse(ports: dict[str, int], roots: ssl.SSLContext) -> None:
    """Come by http://, be sent to https://, and log in there."""
    location = redirected(ports["http"])
    assert location == f"https://{HOST}:{ports['web-tls']}/login/"
    with connected(ports["web-tls"], HOST, roots) as tls:
        tls.sendall(f"GET /login/ HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        page = b"".join(iter(lambda: tls.recv(65536), b""))
    assert page.startswith(b"HTTP/1.0 200 ")
    assert b"; Secure" in page
    assert b"strict-transport-security" in page.lower()


def redirected(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.sendall(f"GET /login/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    (line,) = [li for li in answer.split("\r\n") if li.startswith("Location: ")]
    return line.removeprefix("Location: ")


def lax() -> ssl.SSLContext:
    """Return one that asks for no name: imaplib would ask for the address."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made
