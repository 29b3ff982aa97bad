"""A DNS server of the tests' own, on loopback, over UDP and TCP.

    with dns_server(
        {
            "example.org": {"MX": "10 mx.example.org.", "TXT": "v=spf1 mx -all"},
            "mx.example.org": {"A": ["192.0.2.1", "192.0.2.2"]},
            reverse("192.0.2.1"): {"PTR": "mx.example.org."},
            "s1._domainkey.example.org": {"TXT": "v=DKIM1; p=…"},
            "_25._tcp.mx.example.org": {"TLSA": "3 1 1 0123…"},
            "slow.example": DROP,
            "ill.example": SERVFAIL,
        }
    ) as world:
        settings.MAILHOST_DNS_SERVERS = [f"{world.address}:{world.port}"]

A zone is a dict: name (any case, no final dot needed) -> record type -> one text or
several, as a zone file has them; of TXT the text itself, of any length, or bytes. A
name that has only longer ones below it exists without records (NODATA); any other is
NXDOMAIN. CNAMEs are followed. Instead of records a name may hold one of SERVFAIL,
REFUSED and DROP (no answer at all); a type may hold them too.

`world.zone` may be changed while it runs and counts at once (our own resolver
remembers: `mailhost.dnsauth.resolver.forget()`). `world.asked` lists (name, type) in
order. `world.authentic` sets the AD bit, as a resolver that validates does. An answer
over 1232 octets comes truncated by UDP and whole by TCP.
"""

import ipaddress
import socket
import socketserver
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from typing_extensions import override

SERVFAIL, REFUSED, DROP = "!SERVFAIL", "!REFUSED", "!DROP"
_RCODES = {SERVFAIL: dns.rcode.SERVFAIL, REFUSED: dns.rcode.REFUSED}
MOST_CNAMES = 20
UDP_OCTETS = 1232
TTL = 60

Values = str | bytes | Iterable[str | bytes]
Zone = dict[str, Mapping[str, Values] | str]


class _Dropped(Exception):
    """No answer is sent."""


class World:
    """What is answered, and what was asked."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.authentic = False
        self.asked: list[tuple[str, str]] = []
        self.address = "127.0.0.1"
        self.port = 0

    @property
    def server(self) -> str:
        """Address and port, as MAILHOST_DNS_SERVERS has them."""
        return f"{self.address}:{self.port}"

    def answer(self, octets: bytes, *, udp: bool) -> bytes | None:
        """Return the answer to a query; None where none is to be sent."""
        try:
            query = dns.message.from_wire(octets)
            response = self._response(query)
        except (dns.exception.DNSException, _Dropped):
            return None
        wire = response.to_wire(max_size=65535)
        if udp and len(wire) > UDP_OCTETS:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC
            return short.to_wire()
        return wire

    def _response(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        (question,) = query.question
        kind = dns.rdatatype.to_text(question.rdtype)
        name = question.name
        self.asked.append((_plain(name), kind))
        if self.authentic:
            response.flags |= dns.flags.AD
        for _ in range(MOST_CNAMES):
            alias = self._add(response, name, kind)
            if alias is None:
                break
            name = alias
        return response

    def _add(
        self, response: dns.message.Message, name: dns.name.Name, kind: str
    ) -> dns.name.Name | None:
        """Put in what this name has; return where its CNAME leads."""
        rows = self._rows(name)
        if rows is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return None
        ill = rows if isinstance(rows, str) else rows.get(kind)
        if ill == DROP:
            raise _Dropped
        if isinstance(ill, str) and ill in _RCODES:
            response.set_rcode(_RCODES[ill])
            return None
        assert not isinstance(rows, str)
        if kind in rows:
            response.answer.append(rrset(name, kind, rows[kind]))
        elif "CNAME" in rows:
            found = rrset(name, "CNAME", rows["CNAME"])
            response.answer.append(found)
            target: dns.name.Name = found[0].target
            return target
        return None

    def _rows(self, name: dns.name.Name) -> Mapping[str, Values] | str | None:
        wanted = _plain(name)
        names = {key.rstrip(".").lower(): rows for key, rows in self.zone.items()}
        if wanted in names:
            return names[wanted]
        below = any(key.endswith("." + wanted) for key in names)
        return {} if below else None


def reverse(address: str) -> str:
    """Return the name that holds the PTR records of an address."""
    return ipaddress.ip_address(address).reverse_pointer


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def rrset(name: dns.name.Name, kind: str, values: Values) -> dns.rrset.RRset:
    """Return the records of a name as dnspython has them."""
    several = [values] if isinstance(values, str | bytes) else list(values)
    texts = [_quoted(v) if kind in {"TXT", "SPF"} else str(v) for v in several]
    return dns.rrset.from_text_list(name, TTL, dns.rdataclass.IN, kind, texts)


def _quoted(value: str | bytes) -> str:
    """Return a TXT record's text as strings of at most 255 octets, in quotes."""
    octets = value.encode() if isinstance(value, str) else value
    parts = [octets[n : n + 255] for n in range(0, len(octets), 255)] or [b""]
    return " ".join(
        '"' + "".join(f"\\{octet:03d}" for octet in part) + '"' for part in parts
    )


class _Udp(socketserver.BaseRequestHandler):
    @override
    def handle(self) -> None:
        octets, sock = self.request
        answer = _world_of(self.server).answer(octets, udp=True)
        if answer is not None:
            sock.sendto(answer, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    @override
    def handle(self) -> None:
        while length := self.rfile.read(2):
            octets = self.rfile.read(int.from_bytes(length, "big"))
            answer = _world_of(self.server).answer(octets, udp=False)
            if answer is None:
                return
            self.wfile.write(len(answer).to_bytes(2, "big") + answer)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 65535
    world: World


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    world: World


def _world_of(server: socketserver.BaseServer) -> World:
    assert isinstance(server, _UdpServer | _TcpServer)
    return server.world


@contextmanager
def dns_server(zone: Zone | None = None) -> Generator[World]:
    """Serve a zone on a free port of 127.0.0.1, UDP and TCP alike."""
    world = World({} if zone is None else zone)
    udp, tcp = _bound(world)
    servers: tuple[socketserver.BaseServer, ...] = (udp, tcp)
    threads = [
        threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True)
        for one in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield world
    finally:
        for one in servers:
            one.shutdown()
            one.server_close()
        for thread in threads:
            thread.join()


def _bound(world: World) -> tuple[_UdpServer, _TcpServer]:
    """Return both servers on one port that is free for both."""
    while True:
        udp = _UdpServer((world.address, 0), _Udp)
        world.port = udp.server_address[1]
        try:
            tcp = _TcpServer((world.address, world.port), _Tcp)
        except OSError:
            udp.server_close()
            continue
        udp.world = tcp.world = world
        return udp, tcp


def free_udp_port() -> int:
    """Return a port of 127.0.0.1 where nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
