"""SORT and THREAD of a whole folder: the first time, again, and after new mail.

python -m tests.bench.imap_sort [messages [times]]
"""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from tests.bench.line import Line, import_mail, server, spread

COMMANDS = (
    "SORT (SUBJECT) UTF-8 ALL",
    "UID SORT (REVERSE DATE) UTF-8 ALL",
    "UID SORT (DISPLAYFROM SUBJECT DATE) UTF-8 ALL",
    "SORT RETURN (PARTIAL 1:50) (REVERSE DATE) UTF-8 UNDELETED",
    "THREAD REFERENCES UTF-8 ALL",
    "THREAD REFS UTF-8 ALL",
    "UID THREAD ORDEREDSUBJECT UTF-8 ALL",
)


def conversations(count: int) -> Iterator[bytes]:
    """Yield messages of which two of three answer one of the last two hundred."""
    chance = random.Random(5256)
    known: list[tuple[str, list[str]]] = []
    for number in range(count):
        subject, ids = f"Topic {chance.randrange(count)} of many", list[str]()
        prefix = ""
        if known and chance.random() < 0.67:
            subject, ids = chance.choice(known[-200:])
            prefix = "Re: "
        own = f"<{number}.{chance.random()}@bench.example>"
        fields = [
            f"From: Person {number % 307} <p{number % 311}@a.example>",
            "To: user1@example.test",
            f"Subject: {prefix}{subject}",
            f"Date: {1 + number % 28} Jan 2026 {number % 24:02}:00:00 +0100",
            f"Message-ID: {own}",
        ]
        if ids:
            fields.append(f"References: {' '.join(ids[-20:])}")
        known.append((subject, [*ids, own]))
        yield "\n".join([*fields, "", "A few words.", ""]).encode()


def main(messages: int = 10_000, times: int = 8) -> None:
    """Fill a folder, measure, print."""
    with server(1) as installation:
        import_mail(installation, "Sorted", conversations(messages))
        with closing(Line(installation, 1)) as line:
            line.ask("SELECT Sorted")
            line.ask("SEARCH ALL")
            for command in COMMANDS:
                print(f"{command}: {taken(line, command, times)}")  # noqa: T201
            line.ask("APPEND Sorted {14+}\r\nSubject: x\r\n\r\n")
            for command in COMMANDS:
                print(f"{command}, new mail: {taken(line, command, 2)}")  # noqa: T201


def taken(line: Line, command: str, times: int) -> str:
    """Ask again and again; return what it took, first and later, in milliseconds."""
    milliseconds = []
    for _ in range(times):
        start = time.perf_counter()
        line.ask(command)
        milliseconds.append((time.perf_counter() - start) * 1000)
    return f"first {milliseconds[0]:.1f} ms, {spread(milliseconds[1:])}"


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
