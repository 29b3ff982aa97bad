"""Durable deliveries a second to a whole runmailservers.

    python -m tests.bench.smtp_deliveries [seconds [connections [octets]]]

Every 250 that is counted was given after the commit; what is counted is compared with
the rows at the end.
"""

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from tests.processes import Installation

USERS = 50
WORDS = ("mail", "host", "folder", "letter", "answer", "week", "meeting", "river")


def message(number: int, octets: int) -> bytes:
    """Return a message of about so many octets, the same for the same number."""
    choice = random.Random(number)
    words = " ".join(choice.choices(WORDS, k=4))
    head = (
        f"From: Person {number % 97} <p{number % 97}@else.test>\r\n"
        f"To: user1@test.local\r\nCc: team@else.test\r\nSubject: {words} {number}\r\n"
        f"Date: Mon, 23 Nov 2026 {number // 3600 % 24:02}:{number // 60 % 60:02}:"
        f"{number % 60:02} +0000\r\nMessage-ID: <{number}@else.test>\r\n"
        f"In-Reply-To: <{number - 1}@else.test>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nX-Mailer: bench\r\n\r\n"
    )
    lines = []
    left = octets - len(head)
    while left > 0:
        line = " ".join(choice.choices(WORDS, k=11)) + "\r\n"
        lines.append(line)
        left -= len(line)
    return (head + "".join(lines)).encode()


def percentile(values: list[float], percent: float) -> float:
    """Return the value that so many percent are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass
class Run:
    """What the connections share."""

    port: int
    deadline: float
    bodies: list[bytes]
    latencies: list[float] = field(default_factory=list)


async def connection(run: Run, number: int) -> None:
    """Send one message after another, the commands pipelined."""
    reader, writer = await asyncio.open_connection("127.0.0.1", run.port)
    await reader.readline()
    writer.write(b"EHLO bench.test\r\n")
    while (await reader.readline())[3:4] == b"-":
        pass
    while time.perf_counter() < run.deadline:
        number += 1
        start = time.perf_counter()
        user = number % USERS + 1
        writer.write(
            b"MAIL FROM:<x@else.test>\r\nRCPT TO:<user%d@test.local>\r\nDATA\r\n" % user
        )
        for _ in range(3):
            line = await reader.readline()
            if line[:1] not in b"23":
                raise RuntimeError(line)
        writer.write(run.bodies[number % len(run.bodies)])
        line = await reader.readline()
        if line[:3] != b"250":
            raise RuntimeError(line)
        run.latencies.append(time.perf_counter() - start)
    writer.close()


async def measure(port: int, seconds: float, connections: int, octets: int) -> Run:
    """Run all connections for so long."""
    bodies = [message(n, octets) + b".\r\n" for n in range(50)]
    run = Run(port, time.perf_counter() + seconds, bodies)
    async with asyncio.TaskGroup() as group:
        for n in range(connections):
            group.create_task(connection(run, n * 1000))
    return run


def stored(installation: Installation) -> int:
    """Count the messages there are."""
    with closing(sqlite3.connect(installation.database)) as db:
        return int(db.execute("SELECT count(*) FROM mail_message").fetchone()[0])


def main(seconds: float = 5, connections: int = 20, octets: int = 10_000) -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="mailhost-bench-") as directory,
        Installation(Path(directory), users=USERS) as installation,
    ):
        installation.settings = {"MAILHOST_LOG_LEVEL": "WARNING"}
        installation.start()
        uvloop.run(measure(installation.ports["smtp"], 0.5, connections, octets))
        before = stored(installation)
        start = time.perf_counter()
        run = uvloop.run(
            measure(installation.ports["smtp"], seconds, connections, octets)
        )
        took = time.perf_counter() - start
        count, kept = len(run.latencies), stored(installation) - before
    if kept != count:
        raise SystemExit(f"{count} were answered 250 and {kept} are stored")
    p50, p99 = (percentile(run.latencies, p) * 1000 for p in (50, 99))
    print(  # noqa: T201
        f"{count / took:.0f} deliveries/s ({octets} octets, {connections} connections,"
        f" {took:.1f} s); p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
