"""One attempt: find the hosts of a domain, and give one of them the message.

What one connection must prove is the routing's to say (mailhost.outbound.security); a
host that cannot prove it is passed over, and mail that no host may take waits.
"""

import contextlib
import logging
from dataclasses import dataclass, field, replace

from mailhost.outbound.pool import Pool
from mailhost.outbound.routing import Hop, Unroutable
from mailhost.outbound.security import OPPORTUNISTIC, Kind
from mailhost.outbound.session import NoConnection, Session, connect
from mailhost.outbound.transaction import Stale, Transaction, must_have_tls
from mailhost.outbound.values import (
    Envelope,
    Outgoing,
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
    domain: str, envelope: Envelope, octets: Outgoing, pool: Pool | None = None
) -> Tried:
    """Try once; the results are in the order of the recipients. Never raises."""
    own = pool or Pool()
    try:
        return await _deliver(domain, envelope, octets, own)
    finally:
        if pool is None:
            await own.tidy(everything=True)


async def _deliver(
    domain: str, envelope: Envelope, octets: Outgoing, pool: Pool
) -> Tried:
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
        while (session := await _session(hop, address, pool, course)) is not None:
            with contextlib.suppress(Stale):  # it had rested; another one is taken
                return await _over(session, envelope, octets, pool, course)
    result = Result(Verdict.LATER, course.status, course.last)
    failures = {session.failure for session in course.sessions}
    if must_have_tls(envelope) and failures == {"starttls-not-supported"}:
        result = Result(Verdict.FAILED, "5.7.10", course.last)
    dialogue = "\n".join(course.lines)
    return Tried((result,) * count, dialogue=dialogue, sessions=tuple(course.sessions))


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
    session: Session, envelope: Envelope, octets: Outgoing, pool: Pool, course: _Course
) -> Tried:
    session.messages += 1
    transaction = Transaction(session, envelope)
    try:
        results = await transaction.run(octets)
    except BaseException:
        session.wire.close()  # cancelled: nobody knows what it would say next
        session.client.close()
        raise
    dialogue = session.client.dialogue.text(course.lines)
    await pool.put(session)
    return Tried(
        tuple(results),
        session.hop.host,
        session.address,
        session.security,
        dialogue,
        tuple(course.sessions),
    )
