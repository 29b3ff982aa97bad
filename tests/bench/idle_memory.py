"""KB of memory that an idle IMAP connection takes.

    python -m tests.bench.idle_memory [connections]

PSS of the whole process tree before and after so many clear-text connections logged
in, selected INBOX and said IDLE.
"""

import re
import resource
import sys
import time
from pathlib import Path

from tests.bench.line import Line, server
from tests.processes import Installation

USERS = 20
SETTLE_SECONDS = 2.0
PSS = re.compile(r"^Pss:\s+(\d+)", re.MULTILINE)


def idle(line: Line) -> Line:
    """Select and idle."""
    line.ask("SELECT INBOX")
    line.sock.sendall(b"b IDLE\r\n")
    answer = b""
    while b"+ " not in answer:
        answer += line.sock.recv(4096)
    return line


def memory_kb(installation: Installation) -> int:
    """Return the PSS of the whole tree."""
    total = 0
    for pid in installation.group():
        found = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        total += int(found[1]) if found else 0
    return total


def main(connections: int = 1000) -> None:
    """Open them, measure, print."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with server(USERS) as installation:
        # What is loaded at first use is no connection's.
        held = [idle(Line(installation, n % USERS + 1)) for n in range(USERS * 2)]
        time.sleep(SETTLE_SECONDS)
        before = memory_kb(installation)
        held += [idle(Line(installation, n % USERS + 1)) for n in range(connections)]
        time.sleep(SETTLE_SECONDS)
        after = memory_kb(installation)
        for line in held:
            line.close()
    print(  # noqa: T201
        f"{(after - before) / connections:.1f} KB a connection; {connections} of them:"
        f" {before} KB before, {after} KB after"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
