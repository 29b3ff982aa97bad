"""One attempt: connect to the hosts of a domain until one takes the message.

TLS is opportunistic towards MX hosts (RFC 7435): any certificate, and without TLS where
it fails. A smarthost that wants a password must have TLS with a good certificate,
unless it is on this machine.
"""

import contextlib
import ipaddress
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib import SMTPResponse
from aiosmtplib.errors import (
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)
from django.conf import settings

from mailhost.outbound.routing import Hop, Unroutable, hops
from mailhost.outbound.values import Envelope, Recipient, Result, Verdict

log = logging.getLogger(__name__)

CONNECT_SECONDS = 30.0
REPLY_SECONDS = 300.0  # RFC 5321 §4.5.3.2: five minutes for most
MOST_CONNECTIONS = 6  # addresses tried for one domain in one attempt


class NoConnection(Exception):
    """This address cannot be spoken with; the next one may."""


class NoTls(NoConnection):
    """TLS was offered and did not work."""


async def deliver(domain: str, envelope: Envelope, octets: bytes) -> list[Result]:
    """Try once; return a result for each recipient, in their order. Never raises."""
    try:
        found = await hops(domain)
    except Unroutable as error:
        verdict = Verdict.FAILED if error.status[0] == "5" else Verdict.LATER
        return [Result(verdict, error.status, str(error))] * len(envelope.recipients)
    last = "no host answered"
    addresses = [(hop, address) for hop in found for address in hop.addresses]
    for hop, address in addresses[:MOST_CONNECTIONS]:
        try:
            client = await _connected(hop, address, verified=must_have_tls(envelope))
        except NoConnection as error:
            last = f"{hop.host} [{address}]: {error}"
            continue
        try:
            return await _Transaction(client, hop.host, envelope).run(octets)
        finally:
            await _farewell(client)
    return [Result(Verdict.LATER, "4.4.1", last)] * len(envelope.recipients)


def must_have_tls(envelope: Envelope) -> bool:
    """Tell whether it goes over verified TLS or not at all. RFC 8689 §4.2.1.

    A report does not: it would be lost (§5).
    """
    return envelope.tls == "required" and bool(envelope.mail_from)


async def _connected(hop: Hop, address: str, *, verified: bool) -> aiosmtplib.SMTP:
    try:
        return await _greeted(hop, address, tls=True, verified=verified)
    except NoTls:
        if hop.login or verified:
            raise
        return await _greeted(hop, address, tls=False)


async def _greeted(
    hop: Hop, address: str, *, tls: bool, verified: bool = False
) -> aiosmtplib.SMTP:
    """Connect, say hello, start TLS where it is offered, log in where we must."""
    client = aiosmtplib.SMTP(
        hostname=address,
        port=hop.port,
        local_hostname=settings.MAILHOST_HOSTNAME,
        timeout=CONNECT_SECONDS,
        start_tls=False,
        use_tls=hop.implicit_tls,
        tls_context=_context(hop, verified=verified),
    )
    try:
        await client.connect()
        await client.ehlo(timeout=REPLY_SECONDS)
        if tls and not hop.implicit_tls and client.supports_extension("starttls"):
            await _start_tls(client, hop)
        elif hop.login and not hop.implicit_tls and not _is_near(address):
            raise NoConnection("the smarthost offers no TLS")
        if hop.login:
            await client.login(hop.login, hop.password)
    except NoConnection:
        client.close()
        raise
    except (SMTPException, OSError, ValueError, UnicodeError) as error:
        client.close()
        raise NoConnection(_said(error)) from error
    return client


async def _start_tls(client: aiosmtplib.SMTP, hop: Hop) -> None:
    try:
        await client.starttls(server_hostname=hop.host, timeout=CONNECT_SECONDS)
        await client.ehlo(timeout=REPLY_SECONDS)
    except (SMTPException, OSError) as error:
        raise NoTls(f"TLS failed: {_said(error)}") from error


def _context(hop: Hop, *, verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if verified:
        return context
    if not hop.login or all(_is_near(address) for address in hop.addresses):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_near(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


async def _farewell(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(SMTPException, OSError):
        await client.quit(timeout=5)
    client.close()


@dataclass
class _Transaction:
    """MAIL, RCPT, DATA on one connection."""

    client: aiosmtplib.SMTP
    host: str
    envelope: Envelope

    async def run(self, octets: bytes) -> list[Result]:
        """Return a result for each recipient."""
        recipients = self.envelope.recipients
        if refusal := self._lacks_tls():
            return [refusal] * len(recipients)
        if self._needs_utf8() and not self.client.supports_extension("smtputf8"):
            # RFC 6531 §3.3; RFC 6533 §3
            text = "The server does not take internationalized addresses"
            return [Result(Verdict.FAILED, "5.6.7", text, self.host)] * len(recipients)
        try:
            await self._mail(len(octets))
            refused = await self._recipients(recipients)
            if len(refused) == len(recipients):
                return [refused[n] for n in range(len(recipients))]
            response = await self.client.data(octets, timeout=REPLY_SECONDS * 2)
        except (SMTPException, OSError) as error:
            return [self._result(error)] * len(recipients)
        return [
            refused.get(n) or self._sent(recipient, response)
            for n, recipient in enumerate(recipients)
        ]

    def _lacks_tls(self) -> Result | None:
        """Return the failure where a message that requires TLS cannot go on."""
        if not must_have_tls(self.envelope):
            return None
        if self.client.get_transport_info("sslcontext") is None:
            text, status = "The server offers no TLS", "5.7.10"
        elif not self.client.supports_extension("requiretls"):
            text, status = "The server does not know REQUIRETLS", "5.7.30"
        else:
            return None
        return Result(Verdict.FAILED, status, text, self.host)

    async def _mail(self, size: int) -> None:
        options = []
        if self.client.supports_extension("size"):
            options.append(f"SIZE={size}")
        if self.client.supports_extension("8bitmime"):
            options.append("BODY=8BITMIME")
        if self._needs_utf8():
            options.append("SMTPUTF8")
        if must_have_tls(self.envelope):
            options.append("REQUIRETLS")
        if self._has_dsn():
            options += [f"RET={self.envelope.ret}"] if self.envelope.ret else []
            options += [f"ENVID={self.envelope.envid}"] if self.envelope.envid else []
        await self.client.mail(
            self.envelope.mail_from,
            options=options,
            encoding="utf-8",
            timeout=REPLY_SECONDS,
        )

    async def _recipients(self, recipients: Sequence[Recipient]) -> dict[int, Result]:
        """Say RCPT for each; return the results of those that were refused."""
        refused: dict[int, Result] = {}
        for number, recipient in enumerate(recipients):
            try:
                await self.client.rcpt(
                    recipient.address,
                    options=self._options(recipient),
                    encoding="utf-8",
                    timeout=REPLY_SECONDS,
                )
            except SMTPRecipientRefused as error:
                refused[number] = self._result(error)
        return refused

    def _options(self, recipient: Recipient) -> list[str]:
        if not self._has_dsn():
            return []
        notify = [f"NOTIFY={recipient.notify}"] if recipient.notify else []
        return notify + ([f"ORCPT={recipient.orcpt}"] if recipient.orcpt else [])

    def _sent(self, recipient: Recipient, response: SMTPResponse) -> Result:
        return Result(
            Verdict.SENT,
            "2.0.0",
            f"{response.code} {response.message}",
            self.host,
            relayed=not self._has_dsn(),
        )

    def _result(self, error: Exception) -> Result:
        if isinstance(error, SMTPRecipientRefused | SMTPResponseException):
            status = _status(error.code, error.message)
            verdict = Verdict.FAILED if status[0] == "5" else Verdict.LATER
            return Result(verdict, status, _said(error), self.host)
        return Result(Verdict.LATER, "4.4.2", _said(error), self.host)

    def _has_dsn(self) -> bool:
        return self.client.supports_extension("dsn")

    def _needs_utf8(self) -> bool:
        names = [
            self.envelope.mail_from,
            *(r.address for r in self.envelope.recipients),
        ]
        return self.envelope.smtputf8 or not all(name.isascii() for name in names)


def _status(code: int, message: str) -> str:
    """Return the enhanced code of a reply, or one that says as much as the reply."""
    word = message.split(" ", 1)[0]
    pieces = word.split(".")
    good = len(pieces) == 3 and all(p.isascii() and p.isdigit() for p in pieces)
    if good and pieces[0] == str(code)[0] and len(word) <= 11:
        return word
    return "5.0.0" if 500 <= code <= 599 else "4.0.0"


def _said(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
