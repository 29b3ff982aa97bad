"""Listening sockets."""

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from protocols.common.services import Service

BACKLOG = 1024


class CannotListen(Exception):
    """Why a port could not be had, for the person who starts the server."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket and what is served on it."""

    service: Service
    socket: socket.socket
    lane: int = 0  # the worker that it is for

    @property
    def port(self) -> int:
        """The real port."""
        return int(self.socket.getsockname()[1])


def listen_for(
    services: list[Service], *, free_ports: bool = False, lanes: int = 1
) -> list[Listener]:
    """Bind every service on every configured address; raises CannotListen.

    free_ports: let the system choose each port. lanes: so many sockets for each, among
    which the kernel spreads the connections evenly; one shared socket leaves a burst
    to whichever process wakes first.
    """
    found: list[Listener] = []
    try:
        for service in services:
            port = 0 if free_ports else service.port + settings.MAILHOST_PORT_OFFSET
            for address in _addresses(service):
                found += _bind_lanes(service, address, port, lanes)
                port = found[-1].port
    except CannotListen:
        for listener in found:
            listener.socket.close()
        raise
    return found


def _bind_lanes(
    service: Service, address: str, port: int, lanes: int
) -> Iterator[Listener]:
    # One alone finds out whether somebody else has the port.
    with bind(address, port, service.name) as probe:
        port = probe.getsockname()[1]
    for lane in range(lanes):
        yield Listener(service, bind(address, port, service.name, shared=True), lane)


def bind(address: str, port: int, name: str, *, shared: bool = False) -> socket.socket:
    """Return a listening socket that does not block; raises CannotListen.

    shared: others of ours listen on the port too.
    """
    ip = ipaddress.ip_address(address)
    sock = socket.socket(socket.AF_INET6 if ip.version == 6 else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if ip.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        hint = ""
        if isinstance(error, PermissionError):
            hint = " Ports below 1024 need root; MAILHOST_PORT_OFFSET moves them."
        raise CannotListen(
            f"{name} cannot listen on {address} port {port}: {error.strerror}.{hint}"
        ) from None
    sock.setblocking(False)
    return sock


def ports_of(listeners: list[Listener]) -> dict[str, int]:
    """Return name -> port."""
    return {listener.service.name: listener.port for listener in listeners}


def _addresses(service: Service) -> list[str]:
    wanted: list[str] = settings.MAILHOST_LISTEN
    if not service.loopback_only:
        return wanted
    loopback = [a for a in wanted if ipaddress.ip_address(a).is_loopback]
    return loopback or ["127.0.0.1"]
