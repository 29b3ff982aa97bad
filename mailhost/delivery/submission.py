"""What a user of ours sends. RFC 6409.

The sender and every author (From) must be the user's own; Date and Message-ID are
added, Bcc goes. Local recipients have it, and the others are queued, in one commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils import timezone

from accounts import addresses
from mailhost.delivery.incoming import (
    Plan,
    commit,
    deliver,
    forwarded,
    outcomes,
    plan_for,
    return_path,
)
from mailhost.delivery.outcomes import FAULT, QUEUED, Outcome, reply_to
from mailhost.delivery.reports import send_report
from mailhost.delivery.routes import Route, routes
from mailhost.outbound.completion import authors, complete
from mailhost.outbound.values import Envelope, Fate, Recipient
from mailhost.store.content import prepare
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from mailhost.store.values import Stored, Target

NOT_YOURS = "550 5.7.1 This sender address is not yours"
NO_AUTHOR = "550 5.6.0 The message has no From that can be read in one way"


class NotPermitted(Exception):
    """The user may not send this; the text is the reply."""


@dataclass(frozen=True)
class _Outgoing:
    """All that one submission becomes."""

    octets: bytes  # complete
    kept: bytes  # as local recipients get it
    plan: Plan
    found: Mapping[str, Route]
    out: list[tuple[bytes, Envelope]]

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(self.plan.targets.values())


async def submit(
    user_id: int,
    octets: bytes,
    envelope: Envelope,
    *,
    received: bytes = b"",
    peer: str = "",
) -> dict[str, Outcome]:
    """Send a message; returns after the commit. Raises NotPermitted.

    `received` is the Received field of this hop. A local address that is unknown is
    refused, the others get it.
    """
    names = tuple(r.address for r in envelope.recipients)
    found = await gate.read(
        examine, user_id, envelope.mail_from, authors(octets), names
    )
    going = _outgoing(user_id, octets, envelope, found, (received, peer))
    prepared = await gate.prepare(going.kept) if going.targets else None
    try:
        stored = await gate.write(
            sorted(going.plan.targets), commit, prepared, going.targets, going.out
        )
    except StoreError as error:
        if not going.out and len(going.targets) == 1:
            return _refused(going, envelope, error)
        return await _apart(going, envelope)
    result = _results(going, envelope, stored)
    await _tell_success(going, envelope, result)
    return result


def submit_sync(
    user_id: int, octets: bytes, envelope: Envelope, *, peer: str = ""
) -> dict[str, Outcome]:
    """Do as `submit`, in a thread; inside a transaction it becomes part of it.

    Raises NotPermitted, and StoreError if a local recipient cannot take it: then
    nothing is sent to anybody.
    """
    names = tuple(r.address for r in envelope.recipients)
    found = gate.read_sync(examine, user_id, envelope.mail_from, authors(octets), names)
    going = _outgoing(user_id, octets, envelope, found, (b"", peer))
    prepared = prepare(going.kept) if going.targets else None
    stored = gate.write_sync(
        sorted(going.plan.targets), commit, prepared, going.targets, going.out
    )
    return _results(going, envelope, stored)


def examine(
    user_id: int, mail_from: str, from_: Sequence[str], recipients: Sequence[str]
) -> dict[str, Route]:
    """Return where the recipients lead; raises NotPermitted. Reads only."""
    if not from_:
        raise NotPermitted(NO_AUTHOR)
    # The null sender is for reports that mail programs send. RFC 8098 §3
    wanted = {*from_, mail_from} - {""}
    if not all(addresses.sends_as(user_id, address) for address in wanted):
        raise NotPermitted(NOT_YOURS)
    return routes(recipients)


def _outgoing(
    user_id: int,
    octets: bytes,
    envelope: Envelope,
    found: Mapping[str, Route],
    trace: tuple[bytes, str],
) -> _Outgoing:
    received, peer = trace
    host = settings.MAILHOST_HOSTNAME
    made = received + complete(octets, host=host, now=timezone.now())
    local = [name for name, way in found.items() if way.is_local]
    plan = plan_for(made, local, found, envelope.mail_from, peer)
    outside = tuple(r for r in envelope.recipients if not found[r.address].is_local)
    out = forwarded(made, envelope.mail_from, plan)
    if outside:
        envelope = replace(envelope, recipients=outside, sender_id=user_id)
        out.append((made, envelope))
    kept = return_path(envelope.mail_from) + made
    return _Outgoing(made, kept, plan, found, out)


def _results(
    going: _Outgoing, envelope: Envelope, stored: Sequence[Stored]
) -> dict[str, Outcome]:
    names = [r.address for r in envelope.recipients]
    local = [name for name in names if going.found[name].is_local]
    rows = {row.account_id: row for row in stored}
    result = {name: Outcome(name, QUEUED) for name in names}
    return result | outcomes(local, going.found, going.plan, rows)


def _refused(
    going: _Outgoing, envelope: Envelope, error: StoreError
) -> dict[str, Outcome]:
    result = _results(going, envelope, [])
    known = {name for name, way in going.found.items() if way.is_known}
    reply = reply_to(error)
    return result | {name: Outcome(name, reply) for name in result if name in known}


async def _apart(going: _Outgoing, envelope: Envelope) -> dict[str, Outcome]:
    """Send where one account refuses: the others and the outside get it."""
    names = [r.address for r in envelope.recipients]
    local = [name for name in names if going.found[name].is_local]
    direct = [e for e in going.out if e[1].sender_id is not None]
    if direct:
        await gate.write((), commit, None, (), direct)
    result = {name: Outcome(name, QUEUED) for name in names}
    try:
        return result | await deliver(
            going.octets,
            mail_from=envelope.mail_from,
            recipients=local,
            known=going.found,
        )
    except Exception:
        if not direct:
            raise
        # What is queued will go out: only the rest has failed.
        return result | {name: Outcome(name, FAULT) for name in local}


async def _tell_success(
    going: _Outgoing, envelope: Envelope, result: Mapping[str, Outcome]
) -> None:
    """Report delivery to local recipients where NOTIFY=SUCCESS. RFC 3461 §5.2.2."""
    fates = [
        Fate(r.address, "delivered", "2.1.5", orcpt=r.orcpt)
        for r in envelope.recipients
        if "SUCCESS" in r.notify and result[r.address].stored
    ]
    await send_report(
        *(going.octets, envelope.mail_from, fates),
        ret=envelope.ret,
        envid=envelope.envid,
    )


__all__ = ["NotPermitted", "Recipient", "examine", "submit", "submit_sync"]
