"""Debian's pebble: a small ACME authority on loopback. Skipped where there is none.

with pebble(tmp_path, http_port=ports["http"], names=["mail.example.test"]) as ca:
    settings.MAILHOST_ACME_DIRECTORY = ca.directory
    settings.MAILHOST_ACME_CA_FILE = ca.trusted
    ... ca.roots(): what clients must trust to believe what it issued
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.world.authority import Authority
from tests.world.dns import World, dns_server

START_SECONDS = 20


@dataclass
class Pebble:
    """Where it is, and what it is asked to be like."""

    folder: Path
    names: Sequence[str]
    http_port: int = 1
    variables: dict[str, str] = field(default_factory=dict)
    more: dict[str, object] = field(default_factory=dict)
    port: int = 0
    manager: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    world: World = field(default_factory=lambda: World({}))

    def __post_init__(self) -> None:
        self.port, self.manager = free_port(), free_port()
        self.server = Authority(self.folder, "pebble").issue("localhost")

    @property
    def directory(self) -> str:
        return f"https://localhost:{self.port}/dir"

    @property
    def trusted(self) -> str:
        """Who vouches for its own HTTPS."""
        return str(self.folder / "pebble-authority.pem")

    def start(self) -> None:
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.manager}",
            "certificate": str(self.server.file),
            "privateKey": str(self.server.file),
            "httpPort": self.http_port,
            "tlsPort": 1,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            **self.more,
        }
        file = self.folder / "pebble.json"
        file.write_text(json.dumps({"pebble": config}))
        command = ["pebble", "-config", str(file), "-dnsserver", self.world.server]
        kept = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1"}
        with (self.folder / "pebble.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=kept | self.variables, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.get(self.port, "/dir")
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def get(self, port: int, path: str) -> bytes:
        context = ssl.create_default_context(cafile=self.trusted)
        url = f"https://localhost:{port}{path}"
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            return bytes(answer.read())

    def roots(self) -> ssl.SSLContext:
        """Return what believes the certificates that it issued since its start."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.load_verify_locations(cadata=self.get(self.manager, "/roots/0").decode())
        return made

    def log(self) -> str:
        return (self.folder / "pebble.log").read_text("utf-8")[-5000:]


@contextmanager
def pebble(
    folder: Path,
    *,
    names: Sequence[str],
    http_port: int = 1,
    variables: dict[str, str] | None = None,
    more: dict[str, object] | None = None,
) -> Generator[Pebble]:
    """Start one that finds these names on this machine."""
    if shutil.which("pebble") is None:
        pytest.skip("no pebble")
    folder.mkdir(exist_ok=True)
    made = Pebble(folder, names, http_port, variables or {}, more or {})
    with dns_server({name: {"A": "127.0.0.1"} for name in names}) as made.world:
        made.start()
        try:
            yield made
        finally:
            made.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
