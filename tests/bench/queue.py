"""How fast mail passes through: SMTP in, the queue, SMTP out to a sink; beside Postfix.

    .venv/bin/python -m tests.bench.queue [--messages 2000] [--connections 10]
        [--rounds 3]

Both take the mail of one domain on a port without login (for mailhost a relayed domain)
and hand it on to Postfix's smtp-sink over at most 20 connections. The time runs from
the first message to the last one that left the queue. Wants Debian's Postfix, and root.
"""

import argparse
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.processes import ROOT, Installation
from tests.world.postfix import free_port, postfix

DOMAIN = "far.example"
SPOOL = ("maildrop", "incoming", "active", "deferred")
RELAY = """
import sys, django
django.setup()
from mailhost.outbound.models import RelayDomain, SmartRoute
RelayDomain.objects.create(name=sys.argv[1], backup=False)
SmartRoute.objects.create(domain=sys.argv[1], host="127.0.0.1", port=sys.argv[2],
    tls="maybe")
"""


@contextmanager
def smtp_sink() -> Generator[int]:
    """Run Postfix's smtp-sink; yield its port."""
    port = free_port()
    command = ["/usr/sbin/smtp-sink", "-c", f"127.0.0.1:{port}", "1000"]
    if Path("/proc/self").stat().st_uid == 0:
        command[1:1] = ["-u", "nobody"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(0.3)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def pump(port: int, options: argparse.Namespace) -> None:
    """Send the messages with Postfix's smtp-source."""
    command = ["/usr/sbin/smtp-source", "-d", "-s", str(options.connections)]
    command += ["-m", str(options.messages), "-l", str(options.octets)]
    command += ["-f", "load@else.example", "-t", f"somebody@{DOMAIN}"]
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True)


def timed(port: int, options: argparse.Namespace, left: Callable[[], int]) -> float:
    """Return messages a second, from the first that comes to the last that left."""
    start = time.monotonic()
    pump(port, options)
    taken = time.monotonic() - start
    while left():
        time.sleep(0.02)
    total = time.monotonic() - start
    sys.stdout.write(f"  taken {options.messages / taken:.0f}/s")
    return float(options.messages / total)


def of_postfix(options: argparse.Namespace, sink: int) -> float:
    more = "smtp_destination_concurrency_limit = 20\ndefault_process_limit = 100\n"
    more += "smtp_connection_cache_on_demand = yes\n"
    with postfix({DOMAIN: sink}, more) as peer:

        def left() -> int:
            files = (peer.home / "spool" / name for name in SPOOL)
            return sum(
                1 for some in files for file in some.rglob("*") if file.is_file()
            )

        return timed(peer.port, options, left)


def of_mailhost(options: argparse.Namespace, sink: int) -> float:
    directory = Path(tempfile.mkdtemp(prefix="mailhost-bench-"))
    try:
        with Installation(directory, users=1) as made:
            made.settings["MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN"] = "20"
            made.settings["MAILHOST_LOG_LEVEL"] = "WARNING"
            command = [sys.executable, "-c", RELAY, DOMAIN, str(sink)]
            subprocess.run(command, cwd=ROOT, env=made.environment(), check=True)
            made.start(workers=2)
            before = at_rest(made)
            rate = timed(made.ports["smtp"], options, lambda: queued(made))
            each = [
                f"{(seconds - before.get(pid, 0)) / options.messages * 1e6:.0f}"
                for pid, seconds in cpu_of(made).items()
            ]
            sys.stdout.write(f", CPU of each process {' + '.join(each)} µs a message")
            return rate
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def cpu_of(made: Installation) -> dict[int, float]:
    """Return the seconds of CPU that each process has taken, in order of start."""
    taken = {}
    for pid in sorted(made.group()):
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        taken[pid] = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return taken


def at_rest(made: Installation) -> dict[int, float]:
    """Wait until nothing is starting any more; return the CPU taken until then."""
    before: dict[int, float] = {}
    while True:
        time.sleep(1)
        now = cpu_of(made)
        if (
            now.keys() == before.keys()
            and sum(now.values()) - sum(before.values()) < 0.1
        ):
            return now
        before = now


def queued(made: Installation) -> int:
    with closing(sqlite3.connect(f"file:{made.database}?mode=ro", uri=True)) as db:
        query = "SELECT count(*) FROM outbound_queuerecipient WHERE state = 'queued'"
        return int(db.execute(query).fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--octets", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratios = []
    with smtp_sink() as sink:
        for _ in range(options.rounds):
            sys.stdout.write("Postfix:\n")
            theirs = of_postfix(options, sink)
            sys.stdout.write(f", passed on {theirs:.0f}/s\nmailhost:\n")
            ours = of_mailhost(options, sink)
            ratios.append(ours / theirs)
            sys.stdout.write(f", passed on {ours:.0f}/s\n× {ratios[-1]:.2f}\n")
    sys.stdout.write(f"median × {statistics.median(ratios):.2f}\n")


if __name__ == "__main__":
    main()
