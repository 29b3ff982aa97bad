"""The command, as a process of its own: start, serve, restart, stop."""

import contextlib
import json
import os
import poplib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from django.conf import settings

T = TypeVar("T")


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    ports: dict[str, int]
    folder: Path

    def children(self) -> set[int]:
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
        return {int(child) for child in listed.split()}

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def capa(self) -> dict[str, list[str]]:
        client = poplib.POP3("127.0.0.1", self.ports["pop3"], timeout=5)
        try:
            return client.capa()
        finally:
            client.close()


def until(answer: Callable[[], T | None], why: str) -> T:
    deadline = time.monotonic() + 20
    while not (found := answer()):
        assert time.monotonic() < deadline, why
        time.sleep(0.05)
    return found


def command(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "MAILHOST_DATA_DIR": str(folder / "var"),
        "DATABASE_URL": "",
        "MAILHOST_LOG_LEVEL": "INFO",
    }
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "runmailservers",
             "--only", "pop3", "--free-ports", "--workers", "1", *options],
            env=environment,
            stdout=log,
            stderr=log,
        )  # fmt: skip


@pytest.fixture
def start(
    tmp_path: Path,
) -> Generator[Callable[..., Running]]:
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*options: str) -> Running:
        file = tmp_path / "ports.json"
        process = command(tmp_path, "--ports-file", str(file), *options)
        begun.append(process)

        def ready() -> bool:
            assert process.poll() is None, (tmp_path / "log").read_text("utf-8")
            return file.exists()

        until(ready, "no ports file")
        return Running(process, json.loads(file.read_text("ascii")), tmp_path)

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def stopped(running: Running, number: signal.Signals) -> float:
    """Return how long it took to stop; nothing of it may be left."""
    children = running.children()
    began = time.monotonic()
    running.process.send_signal(number)
    assert running.process.wait(10) == 0, running.log()
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            raise AssertionError(f"process {pid} is left")
    return time.monotonic() - began


def test_it_serves_restarts_a_dead_worker_and_stops(
    start: Callable[..., Running],
) -> None:
    running = start("--no-web")
    assert "UIDL" in running.capa()
    pid_file = running.folder / "var" / "runmailservers.pid"
    assert pid_file.read_text() == f"{running.process.pid}\n"
    worker = until(lambda: min(running.children(), default=None), "no worker")
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker not in running.children(), "the worker lives")
    assert "UIDL" in running.capa()
    client = poplib.POP3("127.0.0.1", running.ports["pop3"], timeout=5)
    assert stopped(running, signal.SIGTERM) < 6
    with pytest.raises(poplib.error_proto, match="going down"):
        client._getresp()  # type: ignore[attr-defined]
    client.close()
    assert not pid_file.exists()
    with pytest.raises(OSError):  # noqa: PT011
        socket.create_connection(("127.0.0.1", running.ports["pop3"]), timeout=1)


def test_ctrl_c_stops_the_web_too(start: Callable[..., Running]) -> None:
    running = start()

    def answers() -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", running.ports["web"]), 5) as sock,
        ):
            sock.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return sock.recv(12).startswith(b"HTTP/1.1 ")
        return False

    until(answers, "no web")
    assert stopped(running, signal.SIGINT) < 6


def test_a_second_one_is_refused(start: Callable[..., Running]) -> None:
    running = start("--no-web")
    second = command(running.folder, "--no-web")
    assert second.wait(20) == 1
    assert f"already running as process {running.process.pid}" in running.log()


def test_an_unknown_service_is_told(tmp_path: Path) -> None:
    process = command(tmp_path, "--only", "gopher")
    assert process.wait(20) == 1
    assert "there is no service 'gopher'" in (tmp_path / "log").read_text("utf-8")
