"""`manage.py runmailservers` as processes of its own, on a data directory of its own.

For tests that kill and for benchmarks. Only what was started here is ever signalled:
the process group of the command, or a child that its log names.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
STARTED = re.compile(r"started child=(\S+) pid=(\d+)")

# One hash for all: a slow one each would take longer than the test.
POPULATE = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.hashers import make_password
from accounts.models import Domain, User
domain, count, password = sys.argv[1:]
Domain.objects.get_or_create(name=domain)
for n in range(1, int(count) + 1):
    User.objects.create_user(f"user{n}@{domain}", None)
User.objects.update(password=make_password(password))
"""


class Installation:
    """A data directory with users user1…userN, and the servers on it."""

    def __init__(
        self, directory: Path, *, users: int = 10, domain: str = "test.local"
    ) -> None:
        """Make the database; nothing runs yet. Without users: there is one."""
        self.directory = directory
        self.domain = domain
        self.password = "pass"
        self.log = directory / "log"
        self.ports: dict[str, int] = {}
        self.settings: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        if not users:
            return
        arguments = [domain, str(users), self.password]
        subprocess.run(
            [sys.executable, "-c", POPULATE, *arguments],
            cwd=ROOT,
            env=self.environment(),
            check=True,
        )

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.directory / "mailhost.sqlite3"

    @property
    def pid(self) -> int:
        """Of the parent of all, which leads the process group."""
        assert self._process is not None
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """Return the variables of every command on this installation."""
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "mailhost.settings",
            "MAILHOST_DATA_DIR": str(self.directory),
            **self.settings,
        }

    def address(self, number: int) -> str:
        """Return the login and address of a user."""
        return f"user{number}@{self.domain}"

    def manage(self, *arguments: str) -> list[str]:
        """Return the command line of a management command."""
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def start(self, *more: str, workers: int = 2) -> None:
        """Start the mail servers on free ports and wait until they accept."""
        self.start_as_set("--no-web", "--free-ports", *more, workers=workers)

    def start_as_set(self, *more: str, workers: int = 2) -> None:
        """Start all servers as settings say, and wait until they accept."""
        file = self.directory / "ports.json"
        file.unlink(missing_ok=True)
        arguments = ["--ports-file", str(file), *more]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.manage("runmailservers", "--workers", str(workers), *arguments),
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)
        # Its sockets listen from here on; what connects early waits for a worker.
        self.ports = json.loads(file.read_text())

    def kill(self) -> None:
        """End the whole tree at once, as a power cut of the processes would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self, seconds: float = 15) -> float:
        """Tell it to stop; return how long it took. Raises if it takes longer."""
        assert self._process is not None
        start = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(seconds)
        assert code == 0, self.log.read_text()[-3000:]
        self._process = None
        return time.monotonic() - start

    def children(self) -> dict[str, int]:
        """Return name -> process id as last started."""
        found = STARTED.findall(self.log.read_text())
        return {name: int(pid) for name, pid in found}

    def group(self) -> list[int]:
        """Return the living processes of the group."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(stat[2]) == self.pid and stat[0] != "Z":
                    found.append(int(entry.name))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
