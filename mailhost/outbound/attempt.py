"""One attempt: find the hosts of a domain, and give one of them the message.

What one connection must prove is the routing's to say (mailhost.outbound.security); a
host that cannot prove it is passed over, and mail that no host may take waits.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aiosmtplib import SMTPResponse
from aiosmtplib.errors import SMTPException, SMTPRecipientRefused, SMTPResponseException

from mailhost.outbound import asked
from mailhost.outbound.pool import Pool
from mailhost.outbound.routing import Hop, Unroutable
from mailhost.outbound.security import OPPORTUNISTIC, Kind
from mailhost.outbound.session import (
    REPLY_SECONDS,
    NoConnection,
    Session,
    connect,
    said,
)
from mailhost.outbound.values import (
    Envelope,
    Recipient,
    Result,
    TlsSession,
    Tried,
    Verdict,
)

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 6  # addresses tried for one domain in one attempt


@dataclass(slots=True)
class _Course:
    """What happened in one attempt, for the admin and the TLS report."""

    lines: list[str] = field(default_factory=list)
    sessions: list[TlsSession] = field(default_factory=list)
    last: str = "no host answered"
    status: str = "4.4.1"

    def failed(self, hop: Hop, address: str, text: str, failure: str) -> None:
        self.last = f"{hop.host} [{address}]: {text}"
        if failure:
            self.status = "4.7.5"
            self.sessions.append(_tls(hop, address, failure))


async def deliver(
    domain: str, envelope: Envelope, octets: bytes, pool: Pool | None = None
) -> Tried:
    """Try once; the results are in the order of the recipients. Never raises."""
    own = pool or Pool()
    try:
        return await _deliver(domain, envelope, octets, own)
    finally:
        if pool is None:
            await own.tidy(everything=True)


async def _deliver(domain: str, envelope: Envelope, octets: bytes, pool: Pool) -> Tried:
    count = len(envelope.recipients)
    try:
        found = await pool.hops(domain)
    except Unroutable as error:
        verdict = Verdict.FAILED if error.status[0] == "5" else Verdict.LATER
        return Tried((Result(verdict, error.status, str(error)),) * count)
    course = _Course()
    found = [_demanded(hop, envelope) for hop in found]
    addresses = [(hop, address) for hop in found for address in hop.addresses]
    for hop, address in addresses[:MOST_CONNECTIONS]:
        session = await _session(hop, address, pool, course)
        if session is not None:
            return await _over(session, envelope, octets, pool, course)
    result = Result(Verdict.LATER, course.status, course.last)
    failures = {session.failure for session in course.sessions}
    if must_have_tls(envelope) and failures == {"starttls-not-supported"}:
        result = Result(Verdict.FAILED, "5.7.10", course.last)
    dialogue = "\n".join(course.lines)
    return Tried((result,) * count, dialogue=dialogue, sessions=tuple(course.sessions))


def must_have_tls(envelope: Envelope) -> bool:
    """Tell whether it goes over verified TLS or not at all. RFC 8689 §4.2.1.

    A report does not: it would be lost (§5).
    """
    return envelope.tls == "required" and bool(envelope.mail_from)


def _demanded(hop: Hop, envelope: Envelope) -> Hop:
    """Return the hop with what this message asks of its security. RFC 8689 §4.1."""
    if must_have_tls(envelope) and hop.security.kind is not Kind.DANE:
        security = replace(hop.security, kind=Kind.PKIX, testing=False)
        return replace(hop, security=security)
    if envelope.tls == "optional" and not hop.login:
        return replace(hop, security=OPPORTUNISTIC)
    return hop


async def _session(
    hop: Hop, address: str, pool: Pool, course: _Course
) -> Session | None:
    """Return a connection, resting or new; None if this address gives none."""
    if hop.security.refused and hop.security.kind is Kind.PKIX:
        # RFC 8461 §4.1: in mode enforce a host that is not named is not used.
        course.failed(
            hop, address, "not named by the MTA-STS policy", "validation-failure"
        )
        course.lines.append(f"* {course.last}")
        return None
    if (session := await pool.take(hop, address)) is not None:
        return session
    try:
        session = await connect(hop, address)
    except NoConnection as error:
        course.lines += error.lines
        course.failed(hop, address, str(error), error.failure)
        return None
    course.sessions.append(_tls(hop, address, _soft_failure(session)))
    return session


def _soft_failure(session: Session) -> str:
    """Return what a policy in mode testing would have refused. RFC 8461 §5.."""
    wanted = session.hop.security
    if wanted.testing and wanted.refused:
        return "validation-failure"
    if wanted.testing and not session.security.startswith("TLS"):
        return session.failure or "starttls-not-supported"
    return session.failure


def _tls(hop: Hop, address: str, failure: str) -> TlsSession:
    security = hop.security
    return TlsSession(security.policy_type, security.policy, failure, hop.host, address)


async def _over(
    session: Session, envelope: Envelope, octets: bytes, pool: Pool, course: _Course
) -> Tried:
    session.messages += 1
    transaction = _Transaction(session, envelope)
    try:
        results = await transaction.run(octets)
    except BaseException:
        session.client.close()  # cancelled: nobody knows what it would say next
        raise
    dialogue = session.client.dialogue.text(course.lines)
    if transaction.is_clean:
        await pool.put(session)
    else:
        await session.close()
    return Tried(
        tuple(results),
        session.hop.host,
        session.address,
        session.security,
        dialogue,
        tuple(course.sessions),
    )


@dataclass
class _Transaction:
    """MAIL, RCPT, DATA on one connection."""

    session: Session
    envelope: Envelope
    is_clean: bool = True  # whether the connection may be used again

    def __post_init__(self) -> None:
        self.client = self.session.client
        self.host = self.session.hop.host

    async def run(self, octets: bytes) -> list[Result]:
        """Return a result for each recipient."""
        recipients = self.envelope.recipients
        if refusal := self._lacks_tls():
            return [refusal] * len(recipients)
        if self._needs_utf8() and not self.client.supports_extension("smtputf8"):
            # RFC 6531 §3.3; RFC 6533 §3
            text = "The server does not take internationalized addresses"
            return [Result(Verdict.FAILED, "5.6.7", text, self.host)] * len(recipients)
        refused: dict[int, Result] = {}
        try:
            await self._mail(len(octets))
            await self._recipients(recipients, refused)
            if len(refused) == len(recipients):
                return [refused[n] for n in range(len(recipients))]
            response = await self.client.send(octets, REPLY_SECONDS * 2)
        except (SMTPException, OSError) as error:
            answered = isinstance(error, SMTPResponseException) and error.code != 421
            self.is_clean = answered
            return self._all_but(refused, error)
        return [
            refused.get(n) or self._sent(recipient, response)
            for n, recipient in enumerate(recipients)
        ]

    def _lacks_tls(self) -> Result | None:
        """Return the failure where a message that requires TLS cannot go on."""
        wanted = must_have_tls(self.envelope)
        if not wanted or self.client.supports_extension("requiretls"):
            return None
        text = "The server does not know REQUIRETLS"
        return Result(Verdict.FAILED, "5.7.30", text, self.host)

    def _all_but(self, refused: dict[int, Result], error: Exception) -> list[Result]:
        """What ends the transaction counts for those who were not refused before."""
        count = len(self.envelope.recipients)
        return [refused.get(n) or self._result(error) for n in range(count)]

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
        now = datetime.now(UTC)
        options += asked.options(self.envelope, now, self.client.supports_extension)
        await self.client.mail(
            self.envelope.mail_from,
            options=options,
            encoding="utf-8",
            timeout=REPLY_SECONDS,
        )

    async def _recipients(
        self, recipients: Sequence[Recipient], refused: dict[int, Result]
    ) -> None:
        """Say RCPT for each; put in the results of those that were refused."""
        for number, recipient in enumerate(recipients):
            try:
                await self.client.rcpt(
                    recipient.address,
                    options=self._options(recipient),
                    encoding="utf-8",
                    timeout=REPLY_SECONDS,
                )
            except SMTPRecipientRefused as error:
                if error.code == 421:
                    raise
                refused[number] = self._result(error)

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
            return Result(verdict, status, said(error), self.host)
        return Result(Verdict.LATER, "4.4.2", said(error), self.host)

    def _has_dsn(self) -> bool:
        return bool(self.client.supports_extension("dsn"))

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
