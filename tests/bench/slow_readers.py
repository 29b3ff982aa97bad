"""Memory while slow readers fetch a folder whole.

    python -m tests.bench.slow_readers [messages [readers [KB a second of each]]]

Told is how far the memory of all server processes rises over what it was when every
reader had selected the folder: what is theirs alone (Pss_Anon), and all (PSS), of which
the mapped database file is a part.
"""

import re
import socket
import sys
import threading
import time
from pathlib import Path

from tests.bench.line import Line, fill, grow, server
from tests.processes import Installation

DISTINCT = 2000  # messages; the others are copies
OCTETS = 10_000
SECONDS = 15.0
RECEIVE = 64 * 1024  # octets of the client's buffer
FOUND = re.compile(r"^(Pss|Pss_Anon):\s+(\d+)", re.MULTILINE)


def memory_kb(installation: Installation) -> tuple[int, int]:
    """Return PSS and its anonymous part, of the whole tree."""
    sums = {"Pss": 0, "Pss_Anon": 0}
    for pid in installation.group():
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        for name, kb in FOUND.findall(text):
            sums[name] += int(kb)
    return sums["Pss"], sums["Pss_Anon"]


def read_slowly(line: Line, kb_a_second: int, until: float) -> int:
    """Ask for all and take it bit by bit; return how many octets came."""
    line.sock.sendall(b"a UID FETCH 1:* (BODY.PEEK[])\r\n")
    octets, start = 0, time.monotonic()
    while time.monotonic() < until:
        octets += len(line.sock.recv(RECEIVE))
        ahead = octets / (kb_a_second * 1024) - (time.monotonic() - start)
        time.sleep(max(0.0, min(ahead, 1.0)))
    return octets


def main(messages: str = "100000", readers: str = "10", speed: str = "4000") -> None:
    """Measure and print."""
    count = int(messages)
    with server(1) as installation:
        fill(installation, "Box", min(count, DISTINCT), OCTETS)
        lines = [Line(installation, 1) for _ in range(int(readers))]
        grow(lines[0], "Box", min(count, DISTINCT), count)
        for line in lines:
            line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
            line.ask("SELECT Box")
            line.ask("UID FETCH 1:5 (FLAGS BODY.PEEK[])")
        before = memory_kb(installation)
        until, came = time.monotonic() + SECONDS, [0] * len(lines)

        def work(n: int) -> None:
            came[n] = read_slowly(lines[n], int(speed), until)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(lines))]
        for thread in threads:
            thread.start()
        rises = []
        while time.monotonic() < until:
            time.sleep(0.25)
            now = memory_kb(installation)
            rises.append((now[1] - before[1], now[0] - before[0]))
        for thread in threads:
            thread.join()
    anonymous, whole = (max(column) / 1024 for column in zip(*rises, strict=True))
    octets = sum(came) / 1e6
    words = f"{readers} readers took {octets:.0f} MB; memory rose by {anonymous:.1f} MB"
    print(f"{words} of their own, {whole:.1f} MB in all", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
