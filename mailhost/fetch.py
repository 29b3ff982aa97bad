"""The HTTP client for what strangers name: one URL, asked with care.

A name is resolved once and the connection goes to that address; addresses that are not
global are refused (MAILHOST_FETCH_ALLOW_PRIVATE is for tests), redirects are examined
as if they were asked for, and octets and seconds are bounded. Certificates are
verified always. No cookies, no credentials, no proxies, no compression.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, urljoin, urlsplit

import h11
from django.conf import settings

AGENT = "mailhost"
CHUNK = 65_536


class Failed(Exception):
    """There is no answer; the text says why, in few words."""


class Untrusted(Failed):
    """The certificate does not prove the name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked, apart from where."""

    most_octets: int
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    schemes: tuple[str, ...] = ("https",)


async def get(
    url: str,
    *,
    most_octets: int,
    seconds: float,
    redirects: int = 3,
    schemes: tuple[str, ...] = ("https",),
) -> Answer:
    """Fetch a URL; raises Failed. `seconds` hold for all of it."""
    return await _run(url, _Request(most_octets, schemes=schemes), seconds, redirects)


async def post(
    url: str, body: bytes, *, content_type: str, most_octets: int, seconds: float
) -> Answer:
    """Send a body to a URL; raises Failed. Redirects are not followed."""
    headers = {"Content-Type": content_type}
    return await _run(url, _Request(most_octets, "POST", body, headers), seconds, 0)


async def _run(url: str, request: _Request, seconds: float, redirects: int) -> Answer:
    try:
        async with asyncio.timeout(seconds):
            answer = await _once(url, request)
            while redirects > 0 and (target := _target(answer)):
                redirects -= 1
                url = urljoin(url, target)
                answer = await _once(url, request)
            return answer
    except TimeoutError:
        raise Failed("it took too long") from None


def _target(answer: Answer) -> str:
    """Return where an answer sends us; empty: nowhere."""
    moved = answer.status in {301, 302, 303, 307, 308}
    return answer.headers.get("location", "") if moved else ""


async def _once(url: str, request: _Request) -> Answer:
    parts, port = _checked(url, request.schemes)
    host = parts.hostname or ""
    address = await _address(host, port)
    context = _context(settings.MAILHOST_FETCH_CA_FILE)
    try:
        reader, writer = await asyncio.open_connection(
            *(address, port),
            ssl=context if parts.scheme == "https" else None,
            server_hostname=host if parts.scheme == "https" else None,
            limit=CHUNK * 2,
        )
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(error.verify_message) from error
    except OSError as error:
        raise Failed("no connection") from error
    try:
        return await _exchange(url, parts, request, (reader, writer))
    except (h11.ProtocolError, OSError) as error:
        raise Failed(f"not HTTP ({type(error).__name__})") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            writer.transport.abort()


def _checked(url: str, schemes: tuple[str, ...]) -> tuple[SplitResult, int]:
    if len(url) > 2000 or not url.isascii() or not url.isprintable() or " " in url:
        raise Failed("not a URL that can be fetched")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Failed("not a URL that can be fetched") from None
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
        raise Failed("not a URL that can be fetched")
    if port not in {80, 443} and not settings.MAILHOST_FETCH_ALLOW_PRIVATE:
        raise Failed("not a port for the web")
    if settings.MAILHOST_FETCH_ALLOW_PRIVATE and port == 443:
        port = settings.MAILHOST_FETCH_PORT
    return parts, port


async def _address(host: str, port: int) -> str:
    """Resolve once; every address must be one that strangers may lead us to."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Failed("the name has no address") from None
    addresses = [str(row[4][0]) for row in found]
    allowed = [a for a in addresses if is_global(a)]
    if settings.MAILHOST_FETCH_ALLOW_PRIVATE:
        allowed = addresses
    if not allowed:
        raise Failed("the address is not a public one")
    return allowed[0]


# Where IPv4 addresses hide that may be inside, and what was once local.
HIDING = [
    ipaddress.ip_network(name)
    for name in ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10", "5f00::/16")
]


def is_global(address: str) -> bool:
    """Tell whether an address is out on the internet, and nothing but."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    # 6to4 and NAT64 carry an IPv4 address that may be inside.
    inner = getattr(ip, "sixtofour", None)
    if ip in ipaddress.ip_network("64:ff9b::/96"):
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    hides = ip.version == 6 and any(ip in network for network in HIDING)
    good = ip.is_global and not ip.is_multicast and not hides
    return good and (inner is None or inner.is_global)


@lru_cache(maxsize=4)
def _context(authorities: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities or None)


async def _exchange(
    url: str,
    parts: SplitResult,
    request: _Request,
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> Answer:
    reader, writer = streams
    wire = h11.Connection(h11.CLIENT)
    headers = {
        "Host": parts.netloc,
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Length": str(len(request.body)),
        **request.headers,
    }
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    writer.write(
        (
            wire.send(
                h11.Request(
                    method=request.method, target=target, headers=[*headers.items()]
                )
            )
            or b""
        )
        + (wire.send(h11.Data(data=request.body)) or b"")
        + (wire.send(h11.EndOfMessage()) or b"")
    )
    await writer.drain()
    status, got, body = 0, {}, bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
            got = {k.decode("latin-1"): v.decode("latin-1") for k, v in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > request.most_octets:
                raise Failed("the answer is too long")
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            if not status:
                raise Failed("no answer")
            return Answer(status, got, bytes(body), url)
