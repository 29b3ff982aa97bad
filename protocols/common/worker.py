"""The body of each child process of runmailservers."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import uvloop
from django.conf import settings
from django.db import connection

from mailhost.certificates import files
from mailhost.certificates.contexts import Certificate
from mailhost.store.gate import gate
from protocols.common.logins import slowly
from protocols.common.server import Server
from protocols.common.sockets import Listener
from protocols.common.watcher import watcher

log = logging.getLogger(__name__)

RUNNER = "mailhost.outbound.runner"
MAINTENANCE = "mailhost.store.maintenance"
JOBS = "mailhost.jobs.runner"
INDEXING = "mailhost.store.indexing"
INDEXER_NICENESS = 10  # mail that comes in goes first
SWITCH_SECONDS = 0.0005
# The rows of a large folder are many objects that the collector would look at again and
# again: at the default of 700 it held the interpreter for 30 ms of each second.
GARBAGE = (10_000, 20, 20)
GATE_SECONDS = 2.0  # to finish writes once the connections are gone


def serve(listeners: list[Listener], certificate: Certificate) -> None:
    """Serve all listeners until SIGTERM, then drain."""
    # The writer needs the interpreter back after each statement: at the default of
    # 5 ms it would wait longer for that than for the disk.
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*GARBAGE)
    uvloop.run(_serve(listeners, certificate))


async def _serve(listeners: list[Listener], certificate: Certificate) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = Server(listeners, certificate)
    server.start()
    await stop.wait()
    await server.drain()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GATE_SECONDS):
            await gate.close()
    slowly.stop()
    watcher.stop()


def queue() -> Callable[[], None] | None:
    """Return what runs the outbound queue, if it is installed."""
    if find_spec(RUNNER) is None:
        log.warning("no queue: there is no %s", RUNNER)
        return None
    main: Callable[[], None] = import_module(RUNNER).main
    return main


def keeper() -> Callable[[], None] | None:
    """Return what checkpoints SQLite's log, runs the jobs, puts certificates down."""
    return None if find_spec(MAINTENANCE) is None else _keep


def _keep() -> None:
    maintenance = import_module(MAINTENANCE)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    checkpoints = threading.Thread(target=maintenance.run_checkpoints, args=(stop,))
    if connection.vendor == "sqlite":
        checkpoints.start()
    certificates = threading.Thread(target=files.follow, args=(stop,))
    if settings.MAILHOST_ACME_DIRECTORY:
        certificates.start()
    import_module(JOBS).run(stop)
    if certificates.ident is not None:
        certificates.join()
    if checkpoints.ident is not None:
        checkpoints.join()


def indexer() -> Callable[[], None] | None:
    """Return what keeps the search index up with the mail."""
    return None if find_spec(INDEXING) is None else _index


def _index() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.nice(INDEXER_NICENESS)
    import_module(INDEXING).run(stop)
