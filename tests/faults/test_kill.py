"""The whole process tree is killed while mail comes in: nothing answered is lost.

What is in the database afterwards is read with sqlite3 alone, so that no code of ours
excuses another.
"""

import contextlib
import hashlib
import imaplib
import logging
import random
import re
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from os import kill
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from tests.processes import Installation

log = logging.getLogger("soak")

CONNECTIONS = 20
USERS = 8
SECONDS = 15
NUMBER = re.compile(rb"(?m)^X-Number: (\d+)\r$")
BIG = 300_000  # octets: more than one chunk, staged before it is filed


@pytest.fixture
def installation(tmp_path: Path) -> Generator[Installation]:
    with Installation(tmp_path, users=USERS) as made:
        yield made


@dataclass
class Load:
    """Sends numbered messages on many connections until the server is gone."""

    installation: Installation
    seed: int
    answered: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    sent: int = 0
    refused: list[bytes] = field(default_factory=list)
    stopped: bool = False
    _threads: list[threading.Thread] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def start(self, first: int) -> None:
        self.sent = first
        for n in range(CONNECTIONS):
            worker = threading.Thread(target=self._send, args=(n,))
            worker.start()
            self._threads.append(worker)

    def join(self) -> None:
        self.stopped = True
        for worker in self._threads:
            worker.join(SECONDS)
            assert not worker.is_alive()

    def _number(self) -> int:
        with self._guard:
            self.sent += 1
            return self.sent

    def _send(self, connection: int) -> None:
        choice = random.Random(f"{self.seed}.{connection}")
        port = self.installation.ports["smtp"]
        try:
            with socket.create_connection(("127.0.0.1", port), SECONDS) as sock:
                self._talk(sock, choice)
        except OSError:
            pass  # it was killed

    def _talk(self, sock: socket.socket, choice: random.Random) -> None:
        file = cast("BinaryIO", sock.makefile("rwb"))
        try:
            reply(file)
            say(file, b"EHLO load.test")
            while not self.stopped:
                number = self._number()
                users = tuple(choice.sample(range(1, USERS + 1), choice.randint(1, 3)))
                say(file, b"MAIL FROM:<load@else.test>")
                for user in users:
                    say(file, f"RCPT TO:<{self.installation.address(user)}>".encode())
                answer = in_chunks(file, number) if number % 3 else in_one(file, number)
                if answer[:3] == b"250":
                    self.answered.append((number, users))
                else:
                    self.refused.append(answer)
        except EOFError:
            pass  # it was killed
        finally:
            with contextlib.suppress(OSError):
                file.close()


def message(number: int) -> bytes:
    """Return the message of this number; every tenth is big."""
    choice = random.Random(number)
    head = b"From: load@else.test\r\nSubject: load\r\nX-Number: %d\r\n\r\n" % number
    lines = BIG // 66 if number % 10 == 0 else choice.randint(1, 60)
    return head + b"".join(
        choice.randbytes(32).hex().encode() + b"\r\n" for _ in range(lines)
    )


def in_one(file: BinaryIO, number: int) -> bytes:
    """Send a message after DATA; return the answer."""
    say(file, b"DATA")
    return say(file, message(number) + b".")


def in_chunks(file: BinaryIO, number: int) -> bytes:
    """Send a message with BDAT, all at once; return the last answer. RFC 3030."""
    octets, size = message(number), random.Random(number).choice((1000, 70_000))
    chunks = [octets[at : at + size] for at in range(0, len(octets), size)]
    file.writelines(b"BDAT %d\r\n%b" % (len(chunk), chunk) for chunk in chunks)
    file.write(b"BDAT 0 LAST\r\n")
    file.flush()
    return [reply(file) for _ in (*chunks, b"")][-1]


def say(file: BinaryIO, octets: bytes) -> bytes:
    """Send a line and return the answer."""
    file.write(octets + b"\r\n")
    file.flush()
    return reply(file)


def reply(file: BinaryIO) -> bytes:
    """Return the last line of a reply; raises EOFError when the server is gone."""
    while (line := file.readline())[3:4] == b"-":
        pass
    if not line.endswith(b"\n"):
        raise EOFError
    return line


def until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait for what other processes are about to do."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


# ---- What must hold afterwards


def check_rows(database: Path) -> None:
    """Every message has its content and all its octets, and the counters are right."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        contents = db.execute("SELECT id, blob_id, size, sha256 FROM mail_content")
        for _, blob, size, sha256 in contents:
            chunks = db.execute(
                "SELECT octets FROM mail_blobchunk WHERE blob_id = ? ORDER BY number",
                [blob],
            )
            octets = b"".join(chunk for (chunk,) in chunks)
            assert len(octets) == size
            assert hashlib.sha256(octets).digest() == sha256
            assert complete(db, blob)
        assert db.execute(ORPHANS).fetchall() == []
        assert db.execute(WRONG_FOLDERS).fetchall() == []
        assert db.execute(WRONG_ACCOUNTS).fetchall() == []


def complete(db: sqlite3.Connection, blob: int) -> bool:
    """Tell whether a blob is marked as whole and of its size."""
    row = db.execute("SELECT complete, size FROM mail_blob WHERE id = ?", [blob])
    kept = db.execute(
        "SELECT sum(length(octets)) FROM mail_blobchunk WHERE blob_id = ?", [blob]
    ).fetchone()
    return bool(row.fetchone() == (1, kept[0]))


ORPHANS = """
    SELECT m.id FROM mail_message m LEFT JOIN mail_content c ON c.id = m.content_id
    LEFT JOIN mail_arrival a ON a.account_id = m.account_id AND a.email_id = m.email_id
    WHERE c.id IS NULL OR c.size <> m.size OR a.id IS NULL
"""
WRONG_FOLDERS = """
    SELECT s.folder_id FROM mail_folderstate s
    LEFT JOIN mail_message m ON m.folder_id = s.folder_id GROUP BY s.folder_id
    HAVING s.messages <> count(m.id) OR s.bytes <> coalesce(sum(m.size), 0)
        OR s.unseen <> coalesce(sum(m.flags & 1 = 0), 0)
        OR s.deleted <> coalesce(sum(m.flags & 8 <> 0), 0)
        OR s.uid_next <= coalesce(max(m.uid), 0)
        OR s.modseq < coalesce(max(m.modseq), 0)
"""
WRONG_ACCOUNTS = """
    SELECT s.account_id FROM mail_accountstate s
    LEFT JOIN mail_message m ON m.account_id = s.account_id GROUP BY s.account_id
    HAVING s.messages <> count(m.id) OR s.bytes <> coalesce(sum(m.size), 0)
        OR s.modseq < coalesce(max(m.modseq), 0)
"""


def check_mail(load: Load) -> None:
    """Every answered message is there once, whole, for each of its recipients."""
    wanted = {(number, user) for number, users in load.answered for user in users}
    found: Counter[tuple[int, int]] = Counter()
    for user in range(1, USERS + 1):
        for octets in inbox(load.installation, user):
            match = NUMBER.search(octets)
            assert match is not None
            number = int(match[1])
            head, _, _ = octets.partition(b"From: load@else.test")
            assert head.startswith(b"Return-Path: <load@else.test>\r\nReceived: ")
            assert octets[len(head) :] == message(number), "a message is not whole"
            found[number, user] += 1
    assert wanted - set(found) == set(), "answered and lost"
    assert [key for key in wanted if found[key] != 1] == [], "stored twice"


def inbox(installation: Installation, user: int) -> list[bytes]:
    """Read a whole INBOX by IMAP."""
    client = imaplib.IMAP4("127.0.0.1", installation.ports["imap"], SECONDS)
    with client:
        client.login(installation.address(user), installation.password)
        client.select(readonly=True)
        _, found = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
        return [part[1] for part in found if isinstance(part, tuple)]


def kill_and_look(installation: Installation, load: Load) -> None:
    """Kill under load at a moment that the seed chooses, start again, compare."""
    choice = random.Random(f"{load.seed} {load.sent}")
    before = len(load.answered)
    load.start(load.sent)
    until(lambda: len(load.answered) > before + choice.randint(1, 150))
    time.sleep(choice.random() * 0.1)
    installation.kill()
    load.join()
    load.stopped = False
    check_rows(installation.database)
    installation.start()
    check_mail(load)
    assert load.refused == []


def test_a_kill_loses_nothing_that_was_answered(installation: Installation) -> None:
    installation.start()
    kill_and_look(installation, Load(installation, seed=1))


@pytest.mark.soak
def test_a_hundred_kills_lose_nothing(installation: Installation) -> None:
    installation.start()
    load = Load(installation, seed=2)
    for _ in range(100):
        kill_and_look(installation, load)
    log.warning("100 kills, %d messages answered for", len(load.answered))


# ---- Stopping and restarting


def test_sigterm_says_goodbye_and_ends_in_time(installation: Installation) -> None:
    installation.start()
    with contextlib.ExitStack() as stack:
        waiting = []
        for name in ("smtp", "imap", "pop3") * 3:
            address = ("127.0.0.1", installation.ports[name])
            sock = stack.enter_context(socket.create_connection(address, SECONDS))
            file = cast("BinaryIO", stack.enter_context(sock.makefile("rwb")))
            file.readline()
            waiting.append(file)
        say(waiting[0], b"HELO half.test")
        say(waiting[0], b"MAIL FROM:<x@else.test>")
        say(waiting[0], f"RCPT TO:<{installation.address(1)}>".encode())
        assert say(waiting[0], b"DATA")[:3] == b"354"
        waiting[0].write(b"Subject: never ends\r\n")
        waiting[0].flush()
        group = installation.group()
        assert len(group) >= 3
        assert installation.stop() < 6
        goodbyes = [file.read() for file in waiting[1:]]
    assert [g[:5] for g in goodbyes[:2]] == [b"* BYE", b"-ERR "]
    assert all(goodbyes)
    assert [pid for pid in group if Path(f"/proc/{pid}").exists()] == []


def test_a_killed_worker_is_started_again(installation: Installation) -> None:
    installation.start(workers=1)
    until(lambda: "worker-0" in installation.children())
    assert inbox(installation, 1) == []
    first = installation.children()["worker-0"]
    kill(first, signal.SIGKILL)
    until(lambda: installation.children()["worker-0"] != first)
    assert inbox(installation, 1) == []


def test_nothing_stays_when_only_the_parent_is_killed(
    installation: Installation,
) -> None:
    installation.start()
    until(lambda: len(installation.group()) >= 3)
    kill(installation.pid, signal.SIGKILL)
    until(lambda: installation.group() == [])
