"""Which servers mail programs are told of: those of MAILHOST_CLIENT_SERVICES."""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import Domain
from accounts.names import split_address

# Name, kind, port, whether TLS begins the connection, name in DNS. RFC 8314 §3, §5.1.
# The same as protocols.common.services says, which stands above; a test compares.
KNOWN = {
    "imaps": ("imap", 993, True, "_imaps._tcp"),
    "imap": ("imap", 143, False, "_imap._tcp"),
    "pop3s": ("pop3", 995, True, "_pop3s._tcp"),
    "pop3": ("pop3", 110, False, "_pop3._tcp"),
    "submissions": ("smtp", 465, True, "_submissions._tcp"),
    "submission": ("smtp", 587, False, "_submission._tcp"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """One port that programs may use."""

    kind: str  # imap, pop3, smtp
    host: str
    port: int
    is_tls: bool  # from the first octet; else STARTTLS
    record: str  # the SRV record's name, before the domain. RFC 6186 §3

    @property
    def security(self) -> str:
        """How people and programs call it."""
        return "SSL" if self.is_tls else "STARTTLS"


def servers() -> list[Server]:
    """Return what is offered, best first."""
    host = settings.MAILHOST_CLIENT_HOST
    return [
        Server(kind, host, port + settings.MAILHOST_PORT_OFFSET, is_tls, record)
        for kind, port, is_tls, record in (
            KNOWN[name] for name in settings.MAILHOST_CLIENT_SERVICES
        )
    ]


def best(kind: str) -> Server | None:
    """Return the best server of a kind; None: there is none."""
    return next((server for server in servers() if server.kind == kind), None)


def is_told() -> bool:
    """Tell whether there is enough to set up a mail program."""
    incoming = best("imap") or best("pop3")
    return incoming is not None and best("smtp") is not None


def ours(address: str) -> str:
    """Return the domain of an address if mail for it is ours; else ""."""
    _local, domain = split_address(address)
    found = Domain.objects.filter(name=domain, active=True)
    return domain if domain and found.exists() else ""


def records(domain: str) -> list[str]:
    """Return the SRV records by which programs find the servers. RFC 6186 §3.

    What is not offered is said not to be: "." RFC 2782.
    """
    offered = {server.record: server for server in servers()}
    lines = []
    for priority, record in enumerate(known[3] for known in KNOWN.values()):
        server = offered.get(record)
        where = f"{priority} 1 {server.port} {server.host}." if server else "0 0 0 ."
        lines.append(f"{record}.{domain}. IN SRV {where}")
    return lines
