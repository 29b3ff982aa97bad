"""Which hosts take the mail of a domain, best first. RFC 5321 §5.1.

A route of the admin's; the smarthost of the settings; else MX by preference; without
MX the domain itself; a null MX (RFC 7505) takes none. What leads back to this host is
left out with all that is no better (RFC 5321 §5.1): if nothing is left, it is a loop.
"""

import ipaddress
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from django.conf import settings

from mailhost.outbound import resolver, sts
from mailhost.outbound.dane import Tlsa, usable
from mailhost.outbound.resolver import NoAnswer, NoSuchName
from mailhost.outbound.security import OPPORTUNISTIC, Kind, Security
from mailhost.outbound.ways import Way, way_of
from mailhost.store.gate import gate

MOST_HOSTS = 10  # of one domain; RFC 5321 §5.1 wants at least two tried


class Unroutable(Exception):
    """There is no way now (4.x.x) or never (5.x.x)."""

    def __init__(self, status: str, text: str, failure: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.failure = failure  # for the TLS report


@dataclass(frozen=True, slots=True)
class Hop:
    """A host to try, and how."""

    host: str
    addresses: tuple[str, ...]
    port: int
    implicit_tls: bool = False
    login: str = ""
    password: str = ""
    security: Security = OPPORTUNISTIC


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The names of a domain's MX hosts by preference, and whether DNS proves them."""

    names: tuple[str, ...]
    is_secure: bool = False
    is_cut: bool = False  # we are one of them; only better ones are left


async def hops(domain: str) -> list[Hop]:
    """Return the hosts to try for a domain; raises Unroutable."""
    way = await gate.read(way_of, domain)
    if way is None and settings.MAILHOST_SMARTHOST:
        way = way_from(settings.MAILHOST_SMARTHOST)
    if way is not None:
        return [await _smarthost(way)]
    if domain.startswith("["):
        literal = domain[1:-1].removeprefix("IPv6:")  # RFC 5321 §4.1.3
        return _known(domain, [_direct(literal, [literal], Security())])
    found = await exchanges(domain)
    policy = await sts.policy_for(domain)
    chosen, error = [], None
    for name in found.names:
        try:
            chosen.append(await _host(domain, name, found, policy))
        except Unroutable as ill:  # of this host alone
            error = error or ill
    if error is not None and not any(hop and hop.addresses for hop in chosen):
        raise error
    return _known(domain, chosen, is_cut=found.is_cut)


def _known(
    domain: str, chosen: Sequence[Hop | None], *, is_cut: bool = False
) -> list[Hop]:
    left = [hop for hop in chosen if hop is not None]
    if left and any(hop.addresses for hop in left):
        return [hop for hop in left if hop.addresses]
    if is_cut or left:
        raise Unroutable("5.4.6", f"Mail for {domain} leads back to this host")
    raise Unroutable("5.4.4", f"No host that takes mail for {domain} has an address")


async def exchanges(domain: str) -> Exchanges:
    """Return a domain's MX hosts, or the domain; raises Unroutable."""
    try:
        answer = await resolver.find(domain, "MX")
    except NoSuchName:
        raise Unroutable("5.1.2", f"The domain {domain} does not exist") from None
    except NoAnswer as error:
        raise Unroutable("4.4.3", str(error)) from error
    if not answer.rows:
        return Exchanges((domain,), answer.is_secure)
    rows = sorted(
        (row.preference, random.random(), str(row.exchange).rstrip(".").lower())  # noqa: S311
        for row in answer.rows
    )
    if not any(name for _, _, name in rows):
        raise Unroutable("5.1.10", f"The domain {domain} takes no mail")
    ours = [preference for preference, _, name in rows if name == our_name()]
    names = [name for n, _, name in rows if name and (not ours or n < min(ours))]
    return Exchanges(tuple(names[:MOST_HOSTS]), answer.is_secure, bool(ours))


def our_name() -> str:
    """Return the name that MX records call us by."""
    return str(settings.MAILHOST_HOSTNAME)


async def _host(
    domain: str, name: str, found: Exchanges, policy: sts.Policy | None
) -> Hop | None:
    """Return how to reach one MX host; None if it has no address.

    A host that may not be used (a loop) has none either; raises Unroutable where DNS
    or a policy says to wait.
    """
    addresses, secure = await _addresses(name)
    if not addresses:
        return None
    security = sts.security(policy, name)
    if found.is_secure and secure and (tlsa := await tlsa_of(name)):
        security = with_tlsa(tlsa, (name, domain))
    return _direct(name, addresses, security)


async def _addresses(name: str) -> tuple[list[str], bool]:
    try:
        addresses, secure = await resolver.addresses(name)
    except NoAnswer as error:
        raise Unroutable("4.4.3", str(error)) from error
    return [address for address in addresses if may_be_sent_to(address)], secure


def _direct(name: str, addresses: Sequence[str], security: Security) -> Hop | None:
    usable_ = [address for address in addresses if may_be_sent_to(address)]
    if not usable_:
        return None
    others = tuple(a for a in usable_ if not is_ours(a))
    return Hop(name, others, settings.MAILHOST_OUTBOUND_PORT, security=security)


async def tlsa_of(name: str) -> tuple[Tlsa, ...]:
    """Return the TLSA records of a host; only signed ones. RFC 7672 §2.2.

    Raises Unroutable where they cannot be had: an attacker may be holding them back
    (RFC 7672 §2.1.2).
    """
    owner = f"_{settings.MAILHOST_OUTBOUND_PORT}._tcp.{name}"
    try:
        found = await resolver.find(owner, "TLSA")
    except NoSuchName:
        return ()
    except NoAnswer as error:
        raise Unroutable("4.7.5", str(error), "tlsa-invalid") from error
    if not found.is_secure:
        return ()
    rows = [Tlsa(r.usage, r.selector, r.mtype, bytes(r.cert)) for r in found.rows]
    return tuple(rows)


def with_tlsa(records: Sequence[Tlsa], names: tuple[str, ...]) -> Security:
    """Return what TLSA records ask of a connection."""
    good = usable(records)
    texts = [f"{r.usage} {r.selector} {r.matching} {r.data.hex()}" for r in records]
    return Security(
        Kind.DANE if good else Kind.DANE_UNUSABLE,
        tlsa=good,
        names=names,
        policy_type="tlsa",
        policy=(("policy-string", tuple(texts)), ("mx-host", (names[0],))),
    )


def way_from(url: str) -> Way:
    """Return the way that MAILHOST_SMARTHOST names."""
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    return Way(
        host=parts.hostname or "localhost",
        port=parts.port or (465 if tls else 587),
        tls="tls" if tls else ("starttls" if parts.username else "maybe"),
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


async def _smarthost(way: Way) -> Hop:
    addresses = await addresses_of(way.host)
    if not addresses:
        raise Unroutable("4.4.3", f"The host {way.host} of the route has no address")
    kind = Kind.OPPORTUNISTIC if way.tls == "maybe" else Kind.PKIX_OR_NEAR
    near = all(is_near(address) for address in addresses)
    # What is on this machine needs no certificate for us to believe it.
    hop = Hop(way.host, tuple(addresses), way.port, way.tls == "tls")
    security = Security(Kind.OPPORTUNISTIC if near else kind)
    return replace(hop, login=way.login, password=way.password, security=security)


async def addresses_of(name: str) -> list[str]:
    """Return the addresses of a host that the administrator named."""
    try:
        found = await gate.read(_looked_up, name)
    except OSError as error:
        raise Unroutable("4.4.3", f"No answer about {name}") from error
    return found


def _looked_up(name: str) -> list[str]:
    # The system's way, /etc/hosts and all: it is a name of their network.
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise
        return []
    except UnicodeError:
        return []
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def is_near(address: str) -> bool:
    """Tell whether an address is this machine."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def may_be_sent_to(address: str) -> bool:
    """Tell whether an address is outside: a name somebody made up must not lead in."""
    if settings.MAILHOST_OUTBOUND_ALLOW_LOOPBACK:
        return True
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast


def is_ours(address: str) -> bool:
    """Tell whether our own SMTP server answers at an address: a loop."""
    if settings.MAILHOST_OUTBOUND_PORT != 25 + settings.MAILHOST_PORT_OFFSET:
        return False
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        try:
            trial.bind((address, 0))  # only addresses of this machine can be bound
        except OSError:
            return False
    return True
