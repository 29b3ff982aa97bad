"""POP3: a large maildrop is opened, and messages are fetched one after the other.

    python -m tests.bench.pop3 [messages [maildrop]]

`messages` of 10 KB are fetched by RETR, each asked for when the one before is there.
`maildrop` is how many messages STAT, LIST and UIDL tell of.
"""

import itertools
import socket
import sys
import time
from collections.abc import Callable
from contextlib import closing

from tests.bench.imap_writes import cpu_seconds
from tests.bench.line import Line, fill, grow, server
from tests.processes import Installation

OCTETS = 10_000
ROUNDS = 5
END = b"\r\n.\r\n"


class Pop3:
    """A command out, octets in until its end."""

    def __init__(self, installation: Installation, user: int) -> None:
        """Connect and log in."""
        address = ("127.0.0.1", installation.ports["pop3"])
        self.sock = socket.create_connection(address, 60)
        self.sock.recv(4096)
        self.ask(f"USER {installation.address(user)}")
        self.ask(f"PASS {installation.password}")

    def ask(self, command: str, end: bytes = b"\r\n") -> bytes:
        """Return the answer; raises RuntimeError if it is not +OK."""
        self.sock.sendall(f"{command}\r\n".encode())
        answer = bytearray()
        while not answer.endswith(end):
            octets = self.sock.recv(1 << 20)
            if not octets:
                raise EOFError(command)
            answer += octets
        if not answer.startswith(b"+OK"):
            raise RuntimeError(bytes(answer[:300]))
        return bytes(answer)

    def close(self) -> None:
        """Leave without a word."""
        self.sock.close()


def retrieve(installation: Installation, count: int) -> None:
    """Print the rate of RETR, and what one costs the server."""
    for _ in range(ROUNDS):
        with closing(Pop3(installation, 1)) as client:
            before, start = cpu_seconds(installation), time.perf_counter()
            for n in range(1, count + 1):
                client.ask(f"RETR {n}", END)
            took = time.perf_counter() - start
            cost = (cpu_seconds(installation) - before) / count * 1e6
        print(f"RETR {count / took:9.0f}/s, {cost:6.0f} µs CPU", flush=True)  # noqa: T201


def opened(installation: Installation, held: int, count: int) -> None:
    """Print what it takes to log in to a large maildrop and to list it."""
    with closing(Line(installation, 1)) as line:
        grow(line, "INBOX", held, count)
    for _ in range(ROUNDS):
        times = [time.perf_counter()]

        def lap(_: object, times: list[float] = times) -> None:
            times.append(time.perf_counter())

        with closing(Pop3(installation, 1)) as client:
            lap(None)
            told = client.ask("STAT")
            lap(told)
            lap(client.ask("LIST", END))
            lap(client.ask("UIDL", END))
        if int(told.split()[1]) != count:
            raise RuntimeError(told)
        each = [b - a for a, b in itertools.pairwise(times)]
        words = "login {:.3f} s, STAT {:.3f}, LIST {:.3f}, UIDL {:.3f}".format(*each)
        print(f"{count}: {words}", flush=True)  # noqa: T201


def main(messages: str = "1000", maildrop: str = "100000") -> None:
    """Measure and print."""
    steps: list[Callable[[Installation], None]] = [
        lambda installation: retrieve(installation, int(messages)),
        lambda installation: opened(installation, int(messages), int(maildrop)),
    ]
    with server(1) as installation:
        fill(installation, "INBOX", int(messages), OCTETS)
        for step in steps:
            step(installation)


if __name__ == "__main__":
    main(*sys.argv[1:])
