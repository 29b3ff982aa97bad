"""What a mail server shows on port 25 to one who only looks."""

import ssl
from dataclasses import dataclass

from aiosmtplib.errors import SMTPException
from django.conf import settings

from mailhost.outbound import resolver
from mailhost.outbound.routing import Hop
from mailhost.outbound.security import Kind, Security, chain_of
from mailhost.outbound.session import NoConnection, connect


@dataclass(frozen=True, slots=True)
class Shown:
    """The name, TLS version and certificates of a server; or why there are none."""

    name: str = ""
    version: str = ""
    certificate: bytes | None = None  # DER
    chain: list[bytes] | None = None
    distrust: str = ""  # why the certificate is not believed
    error: str = ""


async def shown_by(host: str) -> Shown:
    """Connect to the first address that answers; raises NoAnswer."""
    addresses, _secure = await resolver.addresses(host)
    last = "it has no address"
    for address in addresses:
        hop = Hop(host, (address,), settings.MAILHOST_OUTBOUND_PORT)
        try:
            return await _look(hop, address)
        except NoConnection as error:
            last = str(error)
    return Shown(error=last)


async def _look(hop: Hop, address: str) -> Shown:
    session = await connect(hop, address)
    try:
        tls: ssl.SSLObject | None = session.client.get_transport_info("ssl_object")
        greeting = session.client.last_ehlo_response
        name = greeting.message.split()[0] if greeting and greeting.message else ""
        if tls is None:
            return Shown(name)
        return Shown(
            name,
            tls.version() or "",
            tls.getpeercert(binary_form=True),
            chain_of(tls),
            distrust=await _distrust(hop, address),
        )
    finally:
        await session.close()


async def _distrust(hop: Hop, address: str) -> str:
    """Say why who verifies would not believe the certificate; empty: they do."""
    strict = Hop(hop.host, hop.addresses, hop.port, security=Security(Kind.PKIX))
    try:
        await (await connect(strict, address)).close()
    except (NoConnection, SMTPException) as error:
        return str(error)
    return ""
