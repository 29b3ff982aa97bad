"""Logins a second with credentials that were verified lately; and stalls by Argon2.

    python -m tests.bench.logins [seconds [connections]]

One worker of a whole runmailservers. A login is: connect, greeting, LOGIN, LOGOUT. The
CPU is the worker's own, all its threads: what one core could do is 1 s / CPU. Then
wrong passwords are tried without end, and another connection says NOOP every 5 ms: its
longest wait is more than the event loop ever stood still (the first line is without
guesses: what else runs on the machine).
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tests.bench.smtp_deliveries import percentile
from tests.processes import Installation

USERS = 20
GUESSERS = 40  # each waits a second after each failure


async def login(port: int, user: str, password: str) -> bool:
    """Log in once, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(f'a LOGIN {user} "{password}"\r\n'.encode())
    answer = await reader.readline()
    writer.write(b"b LOGOUT\r\n")
    while await reader.readline():
        pass
    writer.close()
    return answer.startswith(b"a OK")


async def many(site: Installation, seconds: float, connections: int) -> list[float]:
    """Log in again and again; return the latencies in ms."""
    found: list[float] = []
    deadline = time.perf_counter() + seconds

    async def one(number: int) -> None:
        while (start := time.perf_counter()) < deadline:
            number += 1
            user = site.address(number % USERS + 1)
            if not await login(site.ports["imap"], user, site.password):
                raise RuntimeError("a login was refused")
            found.append((time.perf_counter() - start) * 1000)

    await asyncio.gather(*(one(n) for n in range(connections)))
    return found


async def stalls(
    site: Installation, seconds: float, guessers: int
) -> tuple[list[float], int]:
    """Return how long NOOPs took while passwords are guessed, and the guesses."""
    deadline = time.perf_counter() + seconds
    guesses = 0

    async def guess(number: int) -> None:
        nonlocal guesses
        while time.perf_counter() < deadline:
            guesses += 1
            wrong = f"wrong {number} {guesses}"
            await login(site.ports["imap"], site.address(number % USERS + 1), wrong)

    guessing = [asyncio.create_task(guess(n)) for n in range(guessers)]
    reader, writer = await asyncio.open_connection("127.0.0.1", site.ports["imap"])
    await reader.readline()
    took: list[float] = []
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        writer.write(b"a NOOP\r\n")
        await reader.readline()
        took.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.005)
    writer.close()
    await asyncio.gather(*guessing)
    return took, guesses


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(site: Installation, seconds: float, connections: int) -> None:
    """Measure both."""
    for number in range(USERS):
        await login(site.ports["imap"], site.address(number + 1), site.password)
    pid = site.children()["worker-0"]
    before, start = cpu_seconds(pid), time.perf_counter()
    took = await many(site, seconds, connections)
    elapsed, used = time.perf_counter() - start, cpu_seconds(pid) - before
    print(  # noqa: T201 -- a report
        f"{len(took) / elapsed:.0f} logins/s with {connections} connections; "
        f"{used / len(took) * 1e6:.0f} us CPU each: {len(took) / used:.0f}/s a core; "
        f"p50 {percentile(took, 50):.1f} ms, p99 {percentile(took, 99):.1f} ms"
    )
    for guessers in (0, GUESSERS):
        took, guesses = await stalls(site, seconds, guessers)
        print(  # noqa: T201 -- a report
            f"NOOP beside {guesses / seconds:.0f} Argon2/s: "
            f"p50 {percentile(took, 50):.1f} ms, p99 {percentile(took, 99):.1f} ms, "
            f"longest {max(took):.1f} ms"
        )


def main() -> None:
    """Serve, measure, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with (
        tempfile.TemporaryDirectory(prefix="mailhost-bench-") as directory,
        Installation(Path(directory), users=USERS) as site,
    ):
        site.start("--only", "imap", workers=1)
        uvloop.run(run(site, seconds, connections))


if __name__ == "__main__":
    main()
