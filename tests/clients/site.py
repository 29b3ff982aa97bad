"""What the client tests share: where the server is, letters, and running programs."""

import imaplib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.models import Account
from mailhost.mail.models import Message
from mailhost.store import read
from mailhost.store.append import append_many
from mailhost.store.content import prepare
from mailhost.store.folders import open_folder
from mailhost.store.gate import gate
from tests.servers import client_tls

SECONDS = 20  # a program that takes longer hangs
# What a server of ours puts in front of a message. RFC 5321 §4.4, RFC 8601 §2.2
TRACE = (b"return-path:", b"received:", b"authentication-results:")


@dataclass(frozen=True)
class Site:
    """A server and its two users."""

    ports: dict[str, int]
    alice: str  # login and address
    bob: str
    password: str
    ca: Path  # PEM that vouches for the server
    scratch: Path  # empty; HOME of the programs

    def port(self, service: str) -> int:
        """Return the port of a service; skips the test if there is none yet."""
        if service not in self.ports:
            pytest.skip(f"there is no service {service}")
        return self.ports[service]

    def run(
        self,
        *arguments: object,
        octets: bytes = b"",
        ends: Sequence[int] = (0,),
    ) -> bytes:
        """Run a program of the machine; return its output. Skips if it is missing.

        `ends`: the exit codes that are well.
        """
        program = shutil.which(str(arguments[0]))
        if program is None:
            pytest.skip(f"{arguments[0]} is not installed")
        done = subprocess.run(
            [program, *map(str, arguments[1:])],
            input=octets,
            capture_output=True,
            env=self.environment(),
            cwd=self.scratch,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode in ends, (
            f"{arguments[0]} ended with {done.returncode}\n"
            f"{done.stdout.decode(errors='replace')}\n"
            f"{done.stderr.decode(errors='replace')}"
        )
        return done.stdout

    def environment(self) -> dict[str, str]:
        """Return variables that keep programs away from whoever runs the tests."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.scratch),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
        }

    def write(self, name: str, text: str | bytes) -> Path:
        """Put a file that only its owner may read into the scratch directory."""
        path = self.scratch / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(0o600)
        return path

    def imap(self, user: str) -> imaplib.IMAP4:
        """Return a logged-in imaplib client over TLS."""
        client = imaplib.IMAP4_SSL(
            "localhost", self.port("imaps"), ssl_context=client_tls(), timeout=SECONDS
        )
        client.login(user, self.password)
        return client

    def fill(self, user: str, letters: Sequence[bytes], folder: str = "INBOX") -> None:
        """Put letters into a folder, beside every protocol."""
        account = Account.objects.get(owner__email=user)
        found = open_folder(account.pk, folder)
        items = [(prepare(octets), 0, (), None) for octets in letters]
        gate.write_sync([account.pk], append_many, account.pk, found.id, items)

    def folder(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Return the octets of every message of a folder, by UID."""
        rows = Message.objects.filter(
            folder__name=folder, account__owner__email=user
        ).order_by("uid")
        return [read.octets(row.content_id) for row in rows]

    def arrived(self, user: str) -> list[bytes]:
        """Return the letters of an INBOX without what was put in front of them."""
        return [without_trace(octets) for octets in self.folder(user)]


def without_trace(octets: bytes) -> bytes:
    """Take away the trace fields in front; fails when there are none."""
    fields = 0
    while octets.lower().startswith(TRACE) or octets[:1] in b" \t":
        _, _, octets = octets.partition(b"\r\n")
        fields += 1
    assert fields >= 2, "it has no Return-Path and no Received"
    return octets


def with_lf(octets: bytes) -> bytes:
    """Return octets as a program of Unix keeps them."""
    return octets.replace(b"\r\n", b"\n")


def letter(subject: str, body: bytes = b"Hello.\r\n", more: bytes = b"") -> bytes:
    """Return a message from alice to bob that needs nothing added."""
    return (
        b"From: Alice <alice@example.test>\r\nTo: Bob <bob@example.test>\r\n"
        b"Subject: %b\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
        b"Message-ID: <%b@example.test>\r\n%b\r\n%b"
    ) % (subject.encode(), subject.replace(" ", ".").encode(), more, body)


UTF8 = (
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
)
MULTIPART = (
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="edge"\r\n',
    b"--edge\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
    b"--edge\r\nContent-Type: application/octet-stream; name=x.bin\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * 19 + b"\r\n"
    b"--edge--\r\n",
)

# What programs and servers like to change on the way.
LETTERS = {
    "plain": letter("plain"),
    "dots": letter("dots", b".\r\n..\r\n.x\r\n\r\n. .\r\n"),
    "from": letter("from", b"From here on\r\n>From there\r\n"),
    "blank": letter("blank", b"trailing  \r\n\t\r\n\r\n\r\n"),
    "utf8": letter("utf8", "Grüße, 日本語, ½\r\n".encode(), UTF8),
    "long": letter("long", b"x" * 998 + b"\r\n"),
    "folded": letter("folded", more=b"X-Long: one\r\n two\r\n\tthree\r\n"),
    "multipart": letter("multipart", MULTIPART[1], MULTIPART[0]),
    "big": letter("big", (b"0123456789" * 7 + b"\r\n") * 8000),
}
