"""The whole process tree is killed while the queue runs: every recipient gets it.

A message may come twice only where a kill fell between the other server's answer and
our commit: at most one for each connection that was open.
"""

import logging
import random
import smtplib
import sqlite3
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.test_kill import until
from tests.processes import Installation
from tests.world.sink import Sink, sink

log = logging.getLogger("soak")

CONNECTIONS = 4
RECIPIENTS = 3


@pytest.fixture
def far() -> Generator[Sink]:
    with sink() as found:
        found.delay_seconds = 0.05  # so that some are on their way when it happens
        yield found


@pytest.fixture
def installation(tmp_path: Path, far: Sink) -> Generator[Installation]:
    with Installation(tmp_path, users=1) as made:
        made.settings |= {
            "MAILHOST_SMARTHOST": f"smtp://127.0.0.1:{far.port}",
            "MAILHOST_OUTBOUND_CONNECTIONS": str(CONNECTIONS),
            "MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN": str(CONNECTIONS),
            "MAILHOST_QUEUE_LEASE_SECONDS": "3",
            "MAILHOST_RETRY_SCHEDULE": "1",
            "MAILHOST_SEND_MESSAGES_A_DAY": "0",
            "MAILHOST_SEND_NEW_RECIPIENTS_A_DAY": "0",
        }
        yield made


def submit(installation: Installation, first: int, count: int) -> None:
    with smtplib.SMTP("127.0.0.1", installation.ports["submission"]) as client:
        client.login(installation.address(1), installation.password)
        for number in range(first, first + count):
            size = 1_500_000 if number % 40 == 0 else 500
            text = f"From: {installation.address(1)}\r\nX-Number: {number}\r\n\r\n"
            body = ("x" * 70 + "\r\n") * (size // 72)
            names = [f"{n}.{number}@far.example" for n in range(RECIPIENTS)]
            client.sendmail(installation.address(1), names, text + body)


def rows(installation: Installation, where: str) -> int:
    file = f"file:{installation.database}?mode=ro"
    with closing(sqlite3.connect(file, uri=True)) as db:
        query = f"SELECT count(*) FROM outbound_queuerecipient WHERE {where}"
        return int(db.execute(query).fetchone()[0])


def arrived(far: Sink) -> Counter[str]:
    with far.arrived:
        return Counter(name for _, names, _ in far.messages for name in names)


def kill_some(installation: Installation, far: Sink, kills: int, seed: int) -> int:
    """Kill so many times while mail goes out; return how many messages there were."""
    choice, sent = random.Random(seed), 0
    installation.start(workers=1)
    for _ in range(kills):
        wanted = len(far.messages) + choice.randint(1, 35)
        submit(installation, sent, 40)
        sent += 40
        until(lambda least=wanted: len(far.messages) >= least)  # type: ignore[misc]
        time.sleep(choice.random() * 0.02)
        installation.kill()
        installation.start(workers=1)
    until(lambda: rows(installation, "state = 'queued'") == 0, 60)
    return sent


def count_twice(far: Sink) -> int:
    """Return how many messages came again."""
    return len(far.messages) - len({names[0] for _, names, _ in far.messages})


def check(installation: Installation, far: Sink, sent: int, kills: int) -> None:
    found = arrived(far)
    wanted = {f"{n}.{m}@far.example" for n in range(RECIPIENTS) for m in range(sent)}
    assert set(found) == wanted, "lost, or sent to somebody else"
    assert rows(installation, "state <> 'sent'") == 0
    twice = count_twice(far)
    assert twice <= kills * CONNECTIONS, f"{twice} came twice in {kills} kills"
    for _, names, octets in far.messages:
        number = int(names[0].partition("@")[0].partition(".")[2])
        assert f"X-Number: {number}\r\n".encode() in octets
        assert (len(octets) > 1_400_000) == (number % 40 == 0), "not whole"


def test_five_kills_lose_nothing(installation: Installation, far: Sink) -> None:
    check(installation, far, kill_some(installation, far, 5, seed=5), 5)


@pytest.mark.soak
def test_a_hundred_kills_lose_nothing(installation: Installation, far: Sink) -> None:
    sent = kill_some(installation, far, 100, seed=6)
    check(installation, far, sent, 100)
    log.warning("100 kills, %d messages, %d came twice", sent, count_twice(far))


def test_runners_of_two_hosts_share_the_queue(
    installation: Installation, far: Sink, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two process trees over one database: each message goes once."""
    installation.settings["SECRET_KEY"] = "one secret of all hosts, long enough"
    installation.start(workers=1)
    database = f"sqlite:///{installation.database}"
    with Installation(tmp_path_factory.mktemp("other"), users=0) as other:
        other.settings = {**installation.settings, "DATABASE_URL": database}
        other.start(workers=1)
        submit(installation, 1, 60)
        until(lambda: rows(installation, "state = 'queued'") == 0, 60)
    assert set(arrived(far).values()) == {1}
    assert len(arrived(far)) == 60 * RECIPIENTS
