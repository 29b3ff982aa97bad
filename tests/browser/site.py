"""A server of its own with two users, and Chromium; skipped where there is none."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PASSWORD = "correct horse battery"
ROOT = Path(__file__).resolve().parents[2]
USERS = f"""
from accounts.models import Domain, User
Domain.objects.get_or_create(name="example.test")
for name in ("alice", "bob"):
    User.objects.create_user(name + "@example.test", {PASSWORD!r}, name=name.title())
# What alice sends goes at once; there is no process for what happens later.
from mailhost.webmail.models import Preferences
alice = User.objects.get(email="alice@example.test")
Preferences.objects.create(user=alice, undo_seconds=0)
"""
MAIL = """
import time
from accounts.models import Account
from mailhost.store import append, folders
from mailhost.store.content import prepare
from mailhost.store.gate import gate
account = Account.objects.get(owner__email={to!r}).pk
inbox = folders.open_folder(account, "INBOX").id
for number, octets in enumerate({octets!r}):
    time.sleep({apart} * (number > 0))
    gate.write_sync([account], append.append, account, inbox, prepare(octets))
gate.stop()
"""


@dataclass(frozen=True)
class Site:
    """The running server."""

    url: str
    environment: dict[str, str]

    def run(self, code: str) -> None:
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def put(self, to: str, *octets: bytes, apart: float = 0.25) -> None:
        """File messages a moment apart, in another process as mail servers do."""
        self.run(MAIL.format(to=to, octets=octets, apart=apart))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not CHROMIUM.exists():
        pytest.skip("no chromium")
    with running(tmp_path_factory.mktemp("site")) as made:
        yield made


@contextmanager
def running(directory: Path) -> Iterator[Site]:
    """Run a server with its data in this directory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    environment = kept | {"MAILHOST_DATA_DIR": str(directory)}
    made = Site(f"http://127.0.0.1:{port}", environment)
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
    made.run(USERS)
    command = [sys.executable, "-m", "gunicorn", "-k", "asgi", "--no-control-socket"]
    command += ["--graceful-timeout", "5", "-b", f"127.0.0.1:{port}"]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "mailhost.asgi:application"],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_for(made.url + "/login/")
            yield made
        finally:
            server.terminate()
            server.wait(30)


def wait_for(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:  # refused, or slow while others work
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)


@pytest.fixture(scope="session")
def chromium(site: Site) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()
