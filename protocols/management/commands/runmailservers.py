"""Run everything: the mail servers, the jobs, and the web."""

import json
import logging
import os
import socket
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from typing_extensions import override

from mailhost.certificates import files
from mailhost.certificates.contexts import Certificate, from_settings
from protocols.common import plainweb, worker
from protocols.common.banner import banner
from protocols.common.pidfile import AlreadyRunning, PidFile
from protocols.common.services import chosen, load
from protocols.common.sockets import (
    CannotListen,
    Listener,
    bind,
    listen_for,
    ports_of,
)
from protocols.common.supervisor import Child, Supervisor
from protocols.common.web import GRACEFUL_SECONDS, web

log = logging.getLogger(__name__)

AFTER_DRAIN_SECONDS = 0.7  # to close files; then a child is killed


class Command(BaseCommand):
    """`manage.py runmailservers`."""

    help = "Run the mail servers, the job runner and the web until Ctrl-C or SIGTERM."
    requires_migrations_checks = True

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only",
            metavar="NAMES",
            help="services or groups, commas between: imap,pop3,smtp",
        )
        parser.add_argument(
            "--no-web", action="store_true", help="leave the web server out"
        )
        parser.add_argument(
            "--workers", type=int, help="instead of MAILHOST_WORKERS", metavar="N"
        )
        parser.add_argument(
            "--free-ports", action="store_true", help="any free port for each service"
        )
        parser.add_argument(
            "--ports-file", type=Path, help="write the real ports there, as JSON"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        pid_file = PidFile(Path(settings.MAILHOST_DATA_DIR) / "runmailservers.pid")
        try:
            pid_file.take()
            self._run(options)
        except (AlreadyRunning, CannotListen) as error:
            raise CommandError(str(error)) from None
        finally:
            pid_file.release()

    def _run(self, options: dict[str, Any]) -> None:
        workers = options["workers"] or settings.MAILHOST_WORKERS
        listeners, sites = listen(options, workers)
        if settings.MAILHOST_ACME_DIRECTORY:
            files.sync()  # what another host, or an earlier life, had issued
        certificate = from_settings()
        for service in {listener.service for listener in listeners}:
            load(service)  # once, before the fork
        children = mail_children(listeners, certificate, workers)
        ports = ports_of(listeners)
        children += web_children(sites, workers)
        ports |= {name: found[0].getsockname()[1] for name, found in sites.items()}
        for name, port in ports.items():
            log.info("listening service=%s port=%d", name, port)
        self.stdout.write(banner(ports))
        if options["ports_file"]:
            write_ports(options["ports_file"], ports)
        close_databases()
        drain = max(settings.MAILHOST_DRAIN_SECONDS, GRACEFUL_SECONDS)
        Supervisor(children, drain + AFTER_DRAIN_SECONDS).run()


Sites = dict[str, list[socket.socket]]  # web, web-tls, http: those there are


def listen(options: dict[str, Any], workers: int) -> tuple[list[Listener], Sites]:
    """Bind all sockets: of the mail servers, and the web's."""
    only = options["only"]
    try:
        services = chosen(only.split(",") if only else None)
    except KeyError as error:
        raise CommandError(f"there is no service {error}") from None
    if not services:
        raise CommandError("there is nothing to serve")
    free = options["free_ports"]
    listeners = listen_for(services, free_ports=free, lanes=workers)
    return listeners, {
        name: [bind(address, 0 if free else port, name) for address in addresses]
        for name, (port, addresses) in places_of_the_web(options["no_web"]).items()
    }


def places_of_the_web(no_web: bool) -> dict[str, tuple[int, list[str]]]:  # noqa: FBT001
    """Return port and addresses of what is served by HTTP."""
    public = settings.MAILHOST_LISTEN
    found = {"http": (settings.MAILHOST_HTTP_PORT, public)}
    if not no_web:
        found["web"] = (settings.MAILHOST_WEB_PORT, [settings.MAILHOST_WEB_ADDRESS])
        found["web-tls"] = (settings.MAILHOST_WEB_TLS_PORT, public)
    return {name: place for name, place in found.items() if place[0]}


def web_children(sites: Sites, workers: int) -> list[Child]:
    """Return what serves HTTP."""
    found = []
    if "web" in sites:
        (plain,) = sites["web"]
        run = web(plain, sites.get("web-tls", ()), workers)
        found.append(Child("web", run))
    if "http" in sites:
        found.append(Child("http", partial(plainweb.serve, sites["http"])))
    return found


def mail_children(
    listeners: list[Listener], certificate: Certificate, workers: int
) -> list[Child]:
    """Return the workers, and the helpers that are installed."""
    children = []
    for n in range(workers):
        lane = [listener for listener in listeners if listener.lane == n]
        children.append(Child(f"worker-{n}", partial(worker.serve, lane, certificate)))
    helpers = {
        "queue": worker.queue(),
        "keeper": worker.keeper(),
        "indexer": worker.indexer(),
    }
    return children + [Child(name, run) for name, run in helpers.items() if run]


def write_ports(path: Path, ports: dict[str, int]) -> None:
    """Put a whole JSON file in place."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(ports))
    draft.replace(path)


def close_databases() -> None:
    """Leave neither connection nor pool thread to the children."""
    connections.close_all()
    for connection in connections.all(initialized_only=True):
        if hasattr(connection, "close_pool"):
            connection.close_pool()
