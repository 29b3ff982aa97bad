"""How long one connection waits while another asks for much, in the same process.

    python -m tests.bench.stalls [messages [what …]]

One worker serves all. A client says NOOP every 2 ms; told are its median, its 99th
percentile and its longest answer while each command runs in a folder of so many
messages of 1 KB. "nothing" is what the machine does by itself.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection

from tests.bench.line import Line, fill, grow, server
from tests.bench.smtp_deliveries import message, percentile
from tests.processes import Installation

PAUSE_SECONDS = 0.002
LEAST_SECONDS = 1.0
DISTINCT = 2000  # messages; the others are copies
BIG = message(1, 20_000_000)


class Pinger:
    """Says NOOP until told to stop; keeps how long each answer took.

    In a process of its own: what this one reads would hold it up.
    """

    def __init__(self, installation: Installation) -> None:
        """Begin."""
        context = multiprocessing.get_context("fork")
        self._stop, self._begun = context.Event(), context.Event()
        self._result, there = context.Pipe(duplex=False)
        arguments = (installation, there)
        self._process = context.Process(target=self._work, args=arguments)
        self._process.start()
        self._begun.wait()

    def _work(self, installation: Installation, result: Connection) -> None:
        times: list[float] = []
        with closing(Line(installation, 2)) as line:
            line.ask("SELECT INBOX")
            self._begun.set()
            while not self._stop.is_set():
                start = time.perf_counter()
                line.ask("NOOP")
                times.append((time.perf_counter() - start) * 1000)
                time.sleep(PAUSE_SECONDS)
        result.send(times)

    def stop(self) -> str:
        """Return the times in words."""
        self._stop.set()
        times = self._result.recv()
        self._process.join()
        middle, late = (percentile(times, p) for p in (50, 99))
        return f"{middle:6.1f} ms, p99 {late:6.1f}, longest {max(times):6.1f}"


def logins(installation: Installation) -> None:
    """Log in as somebody whose password the process has not seen."""
    for user in range(3, 13):
        Line(installation, user).close()


def commands(installation: Installation, line: Line) -> dict[str, Callable[[], object]]:
    """Return what is run, by name; the order counts."""
    asked = [
        "SELECT Box",
        "FETCH 1:* (FLAGS)",
        "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
        "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To Subject Date)])",
        "FETCH 1:* (BODYSTRUCTURE)",
        "FETCH 1:* (BODY.PEEK[])",
        "SEARCH BODY nowhere",
        "SEARCH FROM p1 SUBJECT mail",
        "SORT (SUBJECT) UTF-8 ALL",
        "SORT (DATE) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "THREAD ORDEREDSUBJECT UTF-8 ALL",
        "STORE 1:* +FLAGS.SILENT (\\Flagged)",
        "STORE 1:* +FLAGS (\\Seen Word)",
        "COPY 1:* Two",
        "MOVE 1:* One",
        "SELECT One",
        "STORE 1:* +FLAGS.SILENT (\\Deleted)",
        "EXPUNGE",
    ]
    steps: dict[str, Callable[[], object]] = {
        "nothing": lambda: time.sleep(LEAST_SECONDS)
    }
    for command in asked:
        steps[command] = lambda command=command: line.ask(command)  # type: ignore[misc]
    steps["APPEND of 20 MB"] = lambda: line.append("One", BIG)
    steps["LOGIN, 10 of them"] = lambda: logins(installation)
    return steps


def prepare(installation: Installation, count: int) -> None:
    """Make the folders; Box has so many messages."""
    distinct = min(count, DISTINCT)
    fill(installation, "Box", distinct, 1000)
    with closing(Line(installation, 1)) as line:
        for folder in ("One", "Two"):
            line.ask(f"CREATE {folder}")
        grow(line, "Box", distinct, count)


def measured(installation: Installation, name: str, step: Callable[[], object]) -> None:
    """Run a step while another client asks; print."""
    pinger, start = Pinger(installation), time.perf_counter()
    step()
    took = time.perf_counter() - start
    print(f"{name:56.56} {took:7.2f} s; {pinger.stop()}", flush=True)  # noqa: T201


def main(messages: str = "100000", *what: str) -> None:
    """Measure and print."""
    with server(13, workers=1) as installation:
        prepare(installation, int(messages))
        line = Line(installation, 1)
        for name, step in commands(installation, line).items():
            if not what or any(one in name for one in ("SELECT", *what)):
                measured(installation, name, step)
        line.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
