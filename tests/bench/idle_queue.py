"""What a long queue costs while nothing in it is due: CPU of the process that runs it.

    python -m tests.bench.idle_queue [rows] [seconds]

The same process tree, on SQLite, with an empty queue and then with so many recipients
that wait for an hour; both are watched for so many seconds.
"""

import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.processes import Installation

TICKS = os.sysconf("SC_CLK_TCK")
FILL = """
INSERT INTO outbound_queuerecipient (message_id, address, domain, state, due, attempts,
    notify, orcpt, status, last_reply, last_host, relayed, told, delay)
WITH RECURSIVE numbers(n) AS (
    SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?
)
SELECT 1, 'a@d' || n || '.test', 'd' || n || '.test', 'queued',
    datetime('now', '+1 hour'), 1, '', '', '', '', '', 0, 0, ''
FROM numbers
"""
MESSAGE = """
INSERT INTO outbound_queuemessage (id, mail_from, octets, size, smtputf8, ret, envid,
    asked, created_at, expires_at)
VALUES (1, 'a@b.test', x'41', 1, 0, '', '', '{}', datetime('now'),
    datetime('now', '+5 days'))
"""


def fill(database: Path, rows: int) -> None:
    """Put in a message for so many recipients, due in an hour."""
    with closing(sqlite3.connect(database, timeout=30)) as db, db:
        db.execute(MESSAGE)
        db.execute(FILL, [rows])


def cpu_seconds(pid: int) -> float:
    """Return what a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def watched(installation: Installation, seconds: float) -> float:
    """Return the milliseconds of CPU for each second of the queue's process."""
    installation.start(workers=1)
    time.sleep(5)  # it has started, and looked once
    pid = installation.children()["queue"]
    before = cpu_seconds(pid)
    time.sleep(seconds)
    used = cpu_seconds(pid) - before
    installation.stop()
    return used / seconds * 1000


def main() -> None:
    """Print both."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    with (
        tempfile.TemporaryDirectory() as folder,
        Installation(Path(folder), users=1) as installation,
    ):
        empty = watched(installation, seconds)
        fill(installation.database, rows)
        full = watched(installation, seconds)
    sys.stdout.write(
        f"the queue's process, of one core: empty {empty:.1f} ms a second,"
        f" {rows:,} rows {full:.1f} ms a second\n"
    )


if __name__ == "__main__":
    main()
