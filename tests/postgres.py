"""A private PostgreSQL in a temporary directory, for the time of one test run."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Answers need not survive this machine's power cut: the tests end with the run.
CONFIGURATION = """
listen_addresses = ''
fsync = off
max_connections = 200
shared_buffers = 32MB
log_min_messages = warning
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL: where it lives and the URL Django takes."""

    directory: Path
    url: str

    def stop(self) -> None:
        """End it and remove its files."""
        control("-D", str(self.directory / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.directory, ignore_errors=True)


def start() -> Server:
    """Start a server on a Unix socket in a new directory."""
    directory = Path(tempfile.mkdtemp(prefix="mailhost-pg-"))
    if os.getuid() == 0:
        shutil.chown(directory, owner())
    data = directory / "data"
    run("initdb", "-D", str(data), "-U", "mailhost", "-A", "trust", "-E", "UTF8")
    with (data / "postgresql.conf").open("a") as stream:
        stream.write(CONFIGURATION + f"unix_socket_directories = '{directory}'\n")
    control("-D", str(data), "-l", str(directory / "log"), "-w", "start")
    host = str(directory).replace("/", "%2F")
    return Server(directory, f"postgres://mailhost@{host}/postgres")


def available() -> bool:
    """Say whether PostgreSQL's programs are on this machine."""
    return binaries() is not None


def binaries() -> Path | None:
    """Return the directory of the newest initdb, None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def owner() -> str:
    """Return the user that runs it when we are root, which PostgreSQL refuses."""
    for name in ("postgres", "nobody"):
        if (
            subprocess.run(["id", name], capture_output=True, check=False).returncode
            == 0
        ):
            return name
    raise LookupError("neither user postgres nor nobody exists")


def control(*arguments: str) -> None:
    run("pg_ctl", "-s", *arguments)


def run(program: str, *arguments: str) -> None:
    folder = binaries()
    if folder is None:
        raise LookupError("PostgreSQL is not installed")
    become = ["setpriv", "--reuid", owner(), "--clear-groups"]
    command = [str(folder / program), *arguments]
    # To a file, not a pipe: the server would keep the pipe open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [*(become if os.getuid() == 0 else []), *command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
        )
        said.seek(0)
        if done.returncode:
            raise RuntimeError(f"{program}: {said.read().decode(errors='replace')}")
