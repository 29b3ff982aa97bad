"""What the IMAP benchmarks share: a raw connection, a server, folders full of mail."""

import mailbox
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.smtp_deliveries import message, percentile
from tests.processes import ROOT, Installation

SECONDS = 120
TAGGED = re.compile(rb"(?:^|\r\n)a (\w+)[^\r\n]*\r\n\Z")


@contextmanager
def server(users: int, *, workers: int = 2) -> Generator[Installation]:
    """Serve users on a fresh data directory, which goes away afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="mailhost-bench-") as directory,
        Installation(Path(directory), users=users) as installation,
    ):
        installation.settings = {
            "MAILHOST_LOG_LEVEL": "WARNING",
            "MAILHOST_MAX_CONNECTIONS_PER_ADDRESS": "20000",
        }
        installation.start(workers=workers)
        yield installation


def fill(installation: Installation, folder: str, count: int, octets: int) -> None:
    """Import so many messages of this size for user1."""
    made = (message(n, octets).replace(b"\r\n", b"\n") for n in range(count))
    import_mail(installation, folder, made)


def import_mail(
    installation: Installation, folder: str, messages: Iterable[bytes]
) -> None:
    """Import messages, whose lines end at LF, for user1."""
    with tempfile.TemporaryDirectory(prefix="mailhost-mail-") as directory:
        path = Path(directory) / "mbox"
        box = mailbox.mbox(path)
        for one in messages:
            box.add(one)
        box.close()
        command = ["importmail", installation.address(1), str(path)]
        subprocess.run(
            installation.manage(*command, "--folder", folder),
            cwd=ROOT,
            env=installation.environment(),
            check=True,
        )


def grow(line: "Line", folder: str, held: int, count: int) -> None:
    """Copy the messages of a folder into itself until there are so many."""
    line.ask(f"SELECT {folder}")
    while held < count:
        more = min(held, count - held)
        line.ask(f"COPY 1:{more} {folder}")
        held += more
        line.ask("NOOP")


class Line:
    """A command out, octets in until its tagged line; looks at nothing between."""

    def __init__(self, installation: Installation, user: int) -> None:
        """Connect and log in."""
        address = ("127.0.0.1", installation.ports["imap"])
        self.sock = socket.create_connection(address, SECONDS)
        self.sock.recv(4096)
        self.ask(f"LOGIN {installation.address(user)} {installation.password}")

    def ask(self, command: str) -> bytes:
        """Return the whole answer; raises RuntimeError if it is not OK."""
        return self._answer(f"a {command}\r\n".encode())

    def append(self, folder: str, octets: bytes) -> bytes:
        """Put a message into a folder, by a literal that waits for no leave."""
        head = f"a APPEND {folder} {{{len(octets)}+}}\r\n".encode()
        return self._answer(head + octets + b"\r\n")

    def _answer(self, command: bytes) -> bytes:
        self.sock.sendall(command)
        answer = bytearray()
        while (end := TAGGED.search(answer, max(0, len(answer) - 1000))) is None:
            octets = self.sock.recv(1 << 20)
            if not octets:
                raise EOFError(command[:100])
            answer += octets
        if end[1] != b"OK":
            raise RuntimeError(bytes(answer[-300:]))
        return bytes(answer)

    def close(self) -> None:
        """Leave without a word."""
        self.sock.close()


def measure(line: Line, command: str, times: int, messages: int) -> str:
    """Ask again and again; return what it took, first and later."""
    seconds: list[float] = []
    octets = 0
    for _ in range(times):
        start = time.perf_counter()
        answer = line.ask(command)
        seconds.append((time.perf_counter() - start) * 1000)
        octets = len(answer)
        if answer.count(b" FETCH (") != messages:
            raise RuntimeError(f"not {messages} messages: {answer[-300:]!r}")
    return f"first {seconds[0]:.0f} ms, {spread(seconds[1:])}, {octets} octets"


def spread(values: Sequence[float]) -> str:
    """Return the median and the extremes."""
    middle = percentile(list(values), 50)
    return f"then {middle:.1f} ms ({min(values):.1f} to {max(values):.1f})"
