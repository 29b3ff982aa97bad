"""gunicorn as a child: the web, served by its ASGI worker."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence

from django.conf import settings

GRACEFUL_SECONDS = 5


def web(
    listening: socket.socket, with_tls: Sequence[socket.socket], workers: int
) -> Callable[[], None]:
    """Return what turns a child process into gunicorn on these sockets."""

    def run() -> None:
        os.setpgid(0, 0)  # Ctrl-C would be its quick end: no goodbye to WebSockets
        for sock in (listening, *with_tls):
            sock.set_inheritable(True)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        secure = [sock.fileno() for sock in with_tls]
        command = command_line(listening.fileno(), workers, secure)
        os.execv(command[0], command)  # noqa: S606 - our own interpreter, no shell

    return run


def command_line(fd: int, workers: int, secure: Sequence[int] = ()) -> list[str]:
    """Return the command; X-Forwarded-* is believed from trusted proxies alone."""
    return [
        sys.executable, "-m", "gunicorn",
        "--worker-class", "mailhost.webmail.worker.Worker",
        "--workers", str(workers),
        "--bind", f"fd://{fd}",
        "--env", f"TLS_SOCKETS={','.join(map(str, secure))}",
        "--graceful-timeout", str(GRACEFUL_SECONDS),
        "--forwarded-allow-ips", ",".join(settings.MAILHOST_TRUSTED_PROXIES),
        "--no-control-socket",
        "--log-level", settings.MAILHOST_LOG_LEVEL.lower(),
        "mailhost.asgi:application",
    ]  # fmt: skip
