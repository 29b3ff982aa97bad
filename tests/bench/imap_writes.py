"""What changes cost over IMAP: flags, APPEND, COPY, MOVE, EXPUNGE, logins.

    python -m tests.bench.imap_writes [seconds [messages [what …]]]

Each figure comes with the CPU time of the whole server tree for one operation, which is
steadier than the rate where other processes run.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.bench.line import Line, fill, server
from tests.bench.smtp_deliveries import message, percentile
from tests.processes import Installation

CONNECTIONS = 8
OCTETS = 10_000
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(installation: Installation) -> float:
    """Return what all processes of the server have used so far."""
    total = 0
    for pid in installation.group():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


class Bench:
    """One server, its user1 with a folder of messages, and the clock."""

    def __init__(
        self, installation: Installation, seconds: float, messages: int
    ) -> None:
        """Remember them."""
        self.installation = installation
        self.seconds = seconds
        self.messages = messages

    def repeat(self, name: str, step: Callable[[int], None]) -> None:
        """Do a step again and again; print the rate."""
        before, start = cpu_seconds(self.installation), time.perf_counter()
        times: list[float] = []
        while (now := time.perf_counter()) < start + self.seconds:
            step(len(times))
            times.append(time.perf_counter() - now)
        self._told(name, len(times), start, before, percentile(times, 50))

    def once(self, name: str, step: Callable[[], object]) -> None:
        """Do what touches all messages; print messages a second."""
        before, start = cpu_seconds(self.installation), time.perf_counter()
        step()
        self._told(name, self.messages, start, before, time.perf_counter() - start)

    def beside(self, name: str, make: Callable[[int], Callable[[int], None]]) -> None:
        """Do a step on several connections; print the rate of all."""
        steps = [make(n) for n in range(CONNECTIONS)]
        before, start = cpu_seconds(self.installation), time.perf_counter()
        counts = [0] * CONNECTIONS

        def work(n: int) -> None:
            while time.perf_counter() < start + self.seconds:
                steps[n](counts[n])
                counts[n] += 1

        threads = [threading.Thread(target=work, args=(n,)) for n in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = (time.perf_counter() - start) * CONNECTIONS / sum(counts)
        self._told(name, sum(counts), start, before, took)

    def _told(
        self, name: str, count: int, start: float, cpu: float, middle: float
    ) -> None:
        rate = count / (time.perf_counter() - start)
        cost = (cpu_seconds(self.installation) - cpu) / count * 1e6
        print(  # noqa: T201
            f"{name:12} {rate:9.0f}/s, {middle * 1e3:8.2f} ms, {cost:6.0f} µs CPU",
            flush=True,
        )

    def line(self, user: int = 1) -> Line:
        return Line(self.installation, user)


def stores(bench: Bench) -> None:
    """STORE one by one."""
    with closing(bench.line()) as line:
        line.ask("SELECT Box")
        ask = line.ask
        count = bench.messages

        def step(n: int) -> None:
            sign = "-" if n // count % 2 else "+"
            ask(f"UID STORE {n % count + 1} {sign}FLAGS (\\Seen)")

        bench.repeat("STORE n", step)
        bench.once("STORE 1:*", lambda: ask("STORE 1:* +FLAGS.SILENT (\\Flagged)"))


def copies(bench: Bench) -> None:
    """COPY, MOVE and EXPUNGE of all."""
    with closing(bench.line()) as line:
        ask = line.ask
        for name in ("One", "Two"):
            ask(f"CREATE {name}")
        ask("SELECT Box")
        bench.once("COPY", lambda: ask("COPY 1:* One"))
        ask("SELECT One")
        bench.once("MOVE", lambda: ask("MOVE 1:* Two"))
        ask("SELECT Two")
        ask("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        bench.once("EXPUNGE", lambda: ask("EXPUNGE"))


def appends(bench: Bench) -> None:
    """APPEND on one connection, then on several, each its own user."""
    bodies = [message(n, OCTETS) for n in range(200)]

    def make(user: int) -> Callable[[int], None]:
        line = bench.line(user + 1)
        line.ask("CREATE Appended")

        def step(n: int) -> None:
            line.append("Appended", bodies[n % len(bodies)])

        return step

    bench.repeat("APPEND", make(0))
    bench.beside(f"APPEND × {CONNECTIONS}", lambda n: make(n + 1))


def logins(bench: Bench) -> None:
    """Connect and log in, with a password that the process has seen before."""

    def make(_: int) -> Callable[[int], None]:
        return lambda _: bench.line(1).close()

    for _ in range(20):
        bench.line(1).close()
    bench.beside(f"LOGIN × {CONNECTIONS}", make)


WHAT = {"stores": stores, "copies": copies, "appends": appends, "logins": logins}


def main(seconds: str = "3", messages: str = "10000", *what: str) -> None:
    """Measure and print."""
    count = int(messages)
    with server(CONNECTIONS + 1) as installation:
        fill(installation, "Box", count, 1000)
        bench = Bench(installation, float(seconds), count)
        for name in what or WHAT:
            WHAT[name](bench)


if __name__ == "__main__":
    main(*sys.argv[1:])
