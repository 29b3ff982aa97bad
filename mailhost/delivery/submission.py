"""What a user of ours sends. RFC 6409.

The sender and every author (From) must be the user's own; Date and Message-ID are
added, Bcc goes, and what leaves is signed (DKIM). Local recipients have it, and the
others are queued, in one commit, which counts the message, too: who goes over a limit
sends nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import addresses
from mailhost.delivery import breach, copies
from mailhost.delivery.incoming import (
    Out,
    Plan,
    commit,
    forwarded,
    outcomes,
    plan_for,
    relayed,
    return_path,
    staged,
)
from mailhost.delivery.outcomes import QUEUED, Outcome
from mailhost.delivery.reports import tell_success
from mailhost.delivery.routes import Route, routes
from mailhost.outbound import states
from mailhost.outbound.completion import authors, complete
from mailhost.outbound.signing import signed
from mailhost.outbound.values import Envelope, Recipient
from mailhost.sending import limits
from mailhost.sending.limits import Standing, TooMuch
from mailhost.sending.models import Scheduled
from mailhost.store.content import Prepared, prepare
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from mailhost.store.values import Stored, Target

NOT_YOURS = "550 5.7.1 This sender address is not yours"
NO_AUTHOR = "550 5.6.0 The message has no From that can be read in one way"
HELD = "450 4.7.1 Sending is stopped for this login: ask your administrator"


class NotPermitted(Exception):
    """The user may not send this; the text is the reply."""


class CalledOff(Exception):
    """What was scheduled is not there any more: sent, or called off."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known before a message is sent."""

    routes: Mapping[str, Route]
    standing: Standing


@dataclass(frozen=True)
class _Outgoing:
    """All that one submission becomes."""

    user_id: int
    octets: bytes  # complete
    kept: bytes  # as local recipients get it
    plan: Plan
    found: Mapping[str, Route]
    out: Out
    standing: Standing
    scheduled: int | None = None  # the row that this message comes from

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(self.plan.targets.values())

    @property
    def outside(self) -> list[str]:
        """The addresses that are not ours."""
        return [name for name, way in self.found.items() if not way.is_local]


async def submit(  # noqa: PLR0913 - a submission has this many sides
    user_id: int,
    octets: bytes,
    envelope: Envelope,
    *,
    received: bytes = b"",
    peer: str = "",
    copy: bool | None = None,
    scheduled: int | None = None,
) -> dict[str, Outcome]:
    """Send a message; returns after the commit. Raises NotPermitted.

    `received` is the Received field of this hop. `copy`: put one into Sent; None: as
    the user has it set. `scheduled` is a row that goes in the same commit; raises
    CalledOff if it is gone. A local address that is unknown is refused, the others get
    it.
    """
    found = await gate.read(examine, user_id, octets, envelope)
    going = await gate.read(
        _outgoing, (user_id, scheduled), octets, envelope, found, (received, peer)
    )
    prepared = await gate.prepare(going.kept) if going.targets else None
    going = replace(going, out=await staged(going.out))
    try:
        stored = await _committed(going, prepared)
    except TooMuch as error:
        if await gate.write((), limits.hold, user_id, str(error)):
            await breach.tell(user_id, str(error))
        raise NotPermitted(HELD) from None
    result = _results(going, envelope, stored)
    if ends := _ends(going, envelope, result):
        await gate.write((), states.note, user_id, envelope.envid, ends)
    await tell_success(going.octets, envelope, result, found.routes)
    if found.standing.keeps_copy if copy is None else copy:
        await copies.keep(user_id, envelope.mail_from, octets, going.octets)
    return result


async def _committed(
    going: _Outgoing, prepared: Prepared | None
) -> Mapping[int, Stored | StoreError]:
    """Write all that it becomes; return what each account says. Raises TooMuch."""
    accounts, targets = sorted(going.plan.targets), going.targets
    try:
        stored = await gate.write(accounts, _commit, going, prepared)
    except StoreError as error:
        if not going.out and len(targets) == 1 and going.scheduled is None:
            return {targets[0].account_id: error}
        return await gate.write(accounts, _commit_what_fits, going, prepared)
    return {row.account_id: row for row in stored}


def submit_sync(
    user_id: int, octets: bytes, envelope: Envelope, *, peer: str = ""
) -> dict[str, Outcome]:
    """Do as `submit`, in a thread; inside a transaction it becomes part of it.

    Raises NotPermitted, and StoreError if a local recipient cannot take it: then
    nothing is sent to anybody.
    """
    found = gate.read_sync(examine, user_id, octets, envelope)
    going = _outgoing((user_id, None), octets, envelope, found, (b"", peer))
    prepared = prepare(going.kept) if going.targets else None
    try:
        stored = gate.write_sync(sorted(going.plan.targets), _commit, going, prepared)
    except TooMuch as error:
        if gate.write_sync((), limits.hold, user_id, str(error)):
            breach.tell_sync(user_id, str(error))
        raise NotPermitted(HELD) from None
    result = _results(going, envelope, {row.account_id: row for row in stored})
    if ends := _ends(going, envelope, result):
        gate.write_sync((), states.note, user_id, envelope.envid, ends)
    return result


def _ends(
    going: _Outgoing, envelope: Envelope, result: Mapping[str, Outcome]
) -> list[tuple[str, bool, str]]:
    """Return what became of it on this host, where its sender gave it an id.

    After the commit that answers: who is cut off between has the mail, and no line.
    """
    if not envelope.envid or not envelope.mail_from:
        return []
    return [
        (name, one.is_accepted, one.reply)
        for name, one in result.items()
        if going.found[name].is_local
    ]


def examine(user_id: int, octets: bytes, envelope: Envelope) -> Examined:
    """Return where the recipients lead; raises NotPermitted. Reads only."""
    from_ = authors(octets)
    if not from_:
        raise NotPermitted(NO_AUTHOR)
    # The null sender is for reports that mail programs send. RFC 8098 §3
    wanted = {*from_, envelope.mail_from} - {""}
    if not all(addresses.sends_as(user_id, address) for address in wanted):
        raise NotPermitted(NOT_YOURS)
    standing = limits.standing(user_id)
    if standing.is_held:
        raise NotPermitted(HELD)
    return Examined(routes(r.address for r in envelope.recipients), standing)


def _outgoing(
    who: tuple[int, int | None],
    octets: bytes,
    envelope: Envelope,
    found: Examined,
    trace: tuple[bytes, str],
) -> _Outgoing:
    (user_id, scheduled), (received, peer) = who, trace
    host, ways = settings.MAILHOST_HOSTNAME, found.routes
    made = complete(octets, host=host, now=timezone.now())
    if any(way.outside or not way.is_local for way in ways.values()):
        made = signed(made, authors(octets)[0])
    made = received + made
    local = [name for name, way in ways.items() if way.is_local]
    plan = plan_for(made, local, ways, envelope.mail_from, peer)
    outside = tuple(r for r in envelope.recipients if not ways[r.address].is_local)
    own = replace(envelope, sender_id=user_id)
    out = forwarded(made, envelope, plan) + relayed(made, own, plan)
    if outside:
        out.append((made, replace(own, recipients=outside), None))
    kept = return_path(envelope.mail_from) + made
    return _Outgoing(
        user_id, made, kept, plan, ways, out, found.standing, scheduled=scheduled
    )


def _commit(going: _Outgoing, prepared: Prepared | None) -> list[Stored]:
    """Write all that it becomes; inside one transaction of the gate."""
    _count(going)
    return commit(prepared, going.targets, going.out)


def _count(going: _Outgoing) -> None:
    if going.scheduled is not None:
        row = Scheduled.objects.filter(pk=going.scheduled, user_id=going.user_id)
        if not row.delete()[0]:
            raise CalledOff
    limits.count(going.user_id, going.outside, going.standing)


def _results(
    going: _Outgoing, envelope: Envelope, stored: Mapping[int, Stored | StoreError]
) -> dict[str, Outcome]:
    names = [r.address for r in envelope.recipients]
    local = [name for name in names if going.found[name].is_local]
    result = {name: Outcome(name, QUEUED) for name in names}
    return result | outcomes(local, going.found, going.plan, stored)


def _commit_what_fits(
    going: _Outgoing, prepared: Prepared | None
) -> dict[int, Stored | StoreError]:
    """Do as `_commit` where an account refuses: the others and the outside get it."""
    _count(going)
    refused = {t.account_id: e for t in going.targets if (e := _fault(prepared, t))}
    good = [t for t in going.targets if t.account_id not in refused]
    stored = commit(prepared, good, going.out)
    return {**refused, **{row.account_id: row for row in stored}}


def _fault(prepared: Prepared | None, target: Target) -> StoreError | None:
    """Try an account alone, and take it back; return what it says."""
    assert prepared is not None
    try:
        with transaction.atomic():
            commit(prepared, [target], ())
            transaction.set_rollback(True)
    except StoreError as error:
        return error
    return None


__all__ = [
    "CalledOff",
    "Examined",
    "NotPermitted",
    "Recipient",
    "examine",
    "submit",
    "submit_sync",
]
