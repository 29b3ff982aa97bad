"""One server per data directory: a locked file with its process id."""

import fcntl
import os
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process holds the file."""


class PidFile:
    """Held from `take` to `release`, or to the end of the process.

    A POSIX lock: children do not inherit it, so that it ends with the parent alone.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is written before `take`."""
        self._path = path
        self._fd: int | None = None

    def take(self) -> None:
        """Write the process id. Raises AlreadyRunning."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(fd, 32).decode("ascii", "replace").strip()
            os.close(fd)
            raise AlreadyRunning(f"already running as process {pid}") from None
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd

    def release(self) -> None:
        """Remove the file."""
        if self._fd is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = None
