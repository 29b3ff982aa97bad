"""Serve 50 users on a fresh data directory and describe that for mailbench.

    python -m tests.bench.mailbench_target TARGET.json [data directory]

Runs until Ctrl-C or SIGTERM; a directory that was not named goes away then.
"""

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.processes import ROOT, Installation

USERS = 50


def target(installation: Installation) -> dict[str, object]:
    """Return the target file's content."""
    variables = {
        k: v for k, v in installation.environment().items() if k not in os.environ
    }
    variables["MAILHOST_DATA_DIR"] = str(installation.directory)
    env = " ".join(f"{name}={shlex.quote(v)}" for name, v in variables.items())
    command = shlex.join(installation.manage("importmail"))
    return {
        "name": "mailhost",
        "host": "127.0.0.1",
        "smtp_port": installation.ports["smtp"],
        "imap_port": installation.ports["imap"],
        "pop3_port": installation.ports.get("pop3"),
        "users": {
            "pattern": "user{}@test.local",
            "count": USERS,
            "password": installation.password,
        },
        "pidfiles": [str(installation.directory / "runmailservers.pid")],
        "data_dir": str(installation.directory),
        "disposable": True,
        "durability": "SQLite WAL, synchronous=FULL: a sync before each answer",
        "prepare": (
            f"cd {shlex.quote(str(ROOT))} && env {env} {command}"
            " {user} {maildir} --folder {mailbox} >/dev/null"
        ),
    }


def main(file: str, directory: str = "") -> None:
    """Start, write the file, wait."""
    place = Path(directory or tempfile.mkdtemp(prefix="mailhost-bench-")).resolve()
    place.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Installation(place, users=USERS) as installation:
            installation.settings = {
                "MAILHOST_MAX_CONNECTIONS_PER_ADDRESS": "20000",
                "MAILHOST_LOG_LEVEL": "WARNING",
            }
            installation.start()
            Path(file).write_text(json.dumps(target(installation), indent=1) + "\n")
            print(f"serving; {file} is written; Ctrl-C ends it", flush=True)  # noqa: T201
            signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        if not directory:
            shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
