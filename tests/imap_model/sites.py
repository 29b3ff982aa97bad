"""Where a model runs: servers of this process, or two worker processes."""

import os
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import connection

from accounts.models import User
from tests.conftest import PASSWORD, person
from tests.imap_client.wire import Client
from tests.imap_model.run import Make
from tests.imap_model.truth import folders
from tests.imap_model.world import Site, World
from tests.processes import START_SECONDS, Installation

TRANSPORTS = ("clear", "tls", "starttls", "compress")
LAG_SECONDS = 2.0  # far more than the change feed takes


def database_url() -> str:
    """Return how other processes reach the database of the test."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    return f"postgres://{at['USER']}@/{at['NAME']}?host={at['HOST']}"


@contextmanager
def worker_processes(directory: Path) -> Generator[Installation]:
    """Serve the database of the test by two workers."""
    with Installation(directory, users=0) as installation:
        installation.settings = {"DATABASE_URL": database_url()}
        installation.start("--only", "imap", workers=2)
        yield installation


def trusting(certificate: Path) -> ssl.SSLContext:
    """Return a context that trusts this certificate alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    return context


def fresh_accounts(
    ports: dict[str, int],
    tls: ssl.SSLContext,
    *,
    lag_seconds: float = 0.0,
    suits: Callable[[int, Client], bool] = lambda _number, _client: True,
) -> Make:
    """Return what makes a world on an account of its own."""
    numbers = count()

    def make(seed: int) -> World:
        user = person(f"model{os.getpid()}-{next(numbers)}", "example.test")
        # One that the processes know too; tests have quicker ones.
        hashed = make_password(PASSWORD, hasher="argon2")
        User.objects.filter(pk=user.pk).update(password=hashed)
        site = Site(
            ports, user.email, PASSWORD, lambda: folders(user.email), tls,
            lag_seconds=lag_seconds, suits=suits,
        )  # fmt: skip
        return World(site, seed, clients=2 + seed % 3, transports=TRANSPORTS)

    return make


def alternating(installation: Installation) -> Callable[[int, Client], bool]:
    """Return a rule that gives each worker every second client."""
    deadline = time.monotonic() + START_SECONDS
    while len(workers := _workers(installation)) < 2:
        assert time.monotonic() < deadline, installation.log.read_text()[-3000:]
        time.sleep(0.02)

    def suits(number: int, client: Client) -> bool:
        return _serves(workers[number % 2], client)

    return suits


def _workers(installation: Installation) -> list[int]:
    children = installation.children().items()
    return [pid for name, pid in children if name.startswith("worker")]


def _serves(pid: int, client: Client) -> bool:
    """Tell whether the process holds the other end of the connection."""
    port = f":{client.sock.getsockname()[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(port):
            wanted = f"socket:[{fields[9]}]"
            found = Path(f"/proc/{pid}/fd").iterdir()
            return any(_target(entry) == wanted for entry in found)
    return False


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""
