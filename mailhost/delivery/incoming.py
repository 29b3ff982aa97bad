"""Deliver what came in from outside, or was made here."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from django.conf import settings

from mailhost.delivery.judged import TRUSTED, Judged
from mailhost.delivery.junk import keep_here
from mailhost.delivery.outcomes import (
    ACCEPTED,
    FAULT,
    LOOP,
    UNKNOWN,
    Outcome,
    reply_to,
)
from mailhost.delivery.routes import Route, routes
from mailhost.delivery.sealed import sealed
from mailhost.mime.headers import block_end, get_all
from mailhost.outbound import queue, received, srs
from mailhost.outbound.completion import authors, hops
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store import blocking
from mailhost.store.content import Prepared
from mailhost.store.deliver import deliver_many
from mailhost.store.errors import MessageTooBig, OverQuota, StoreError
from mailhost.store.gate import gate
from mailhost.store.reading import NotBrief
from mailhost.store.roles import by_role
from mailhost.store.values import Stored, Target

# What leaves, and the row of the queue where it is staged already.
Out = list[tuple[bytes, Envelope, int | None]]


@dataclass(slots=True)
class Plan:
    """The rows that a message becomes."""

    targets: dict[int, Target] = field(default_factory=dict)  # by account
    forwards: dict[str, list[str]] = field(default_factory=dict)  # via -> addresses
    askers: dict[str, str] = field(default_factory=dict)  # via -> its recipient
    alone: set[str] = field(default_factory=set)  # via of what leads to no account
    quarantine: str = ""  # why the forwards wait for an administrator
    relayed: list[str] = field(default_factory=list)
    has_reports: bool = False  # of other servers, on our mail
    refused: dict[str, str] = field(default_factory=dict)  # recipient -> reply
    judged: Judged = TRUSTED

    @property
    def leaves(self) -> bool:
        """Whether some of it goes into the queue."""
        return bool(self.forwards or self.relayed)


async def deliver(  # noqa: PLR0913 - a delivery has this many sides
    octets: bytes,
    *,
    mail_from: str,
    recipients: Sequence[str],
    peer: str = "",
    known: Mapping[str, Route] | None = None,
    judged: Judged = TRUSTED,
    wishes: Envelope | None = None,
) -> dict[str, Outcome]:
    """Deliver a message to each recipient; returns after the commit.

    `octets` have the Received of this host but no Return-Path, which is added here.
    `known` are the routes if they were looked up already; `wishes` is the envelope, for
    what leaves by an alias. Of a local address that is
    unknown the outcome is a refusal; outside addresses are refused too: no relay.
    """
    if known is None:
        known = await gate.read(routes, tuple(recipients))
    plan = plan_for(octets, recipients, known, mail_from, peer)
    if judged is not TRUSTED:
        await _apply(judged, plan)
        if judged.is_junk and plan.forwards:
            keep_here(plan, known)
    if any(known[recipient].blocks for recipient in recipients):
        await _to_junk(octets, plan)
    try:
        stored = await _store(octets, wishes or Envelope(mail_from, ()), plan)
    except StoreError as error:
        return dict(_all_refused(recipients, error))
    return outcomes(recipients, known, plan, stored)


async def _apply(judged: Judged, plan: Plan) -> None:
    """Give each target what was found; junk goes into the account's Junk."""
    plan.judged = judged
    junk: dict[int, int] = {}
    if judged.is_junk and plan.targets:
        junk = await gate.read(by_role, tuple(plan.targets), "junk")
    for account, target in plan.targets.items():
        plan.targets[account] = replace(
            target, verdict=judged.verdict, folder_id=junk.get(account)
        )


def _all_refused(
    recipients: Sequence[str], error: StoreError
) -> Iterator[tuple[str, Outcome]]:
    """Yield one answer for all, who are to be tried again together."""
    is_for_all = isinstance(error, OverQuota | MessageTooBig)
    reply = reply_to(error) if is_for_all or len(recipients) == 1 else FAULT
    for recipient in recipients:
        yield recipient, Outcome(recipient, reply)


def plan_for(
    octets: bytes,
    recipients: Sequence[str],
    found: Mapping[str, Route],
    mail_from: str,
    peer: str,
) -> Plan:
    """Say what rows the message becomes; changes nothing."""
    plan = Plan()
    header = octets[: block_end(octets, 0, len(octets))]
    if hops(header) > settings.MAILHOST_MAX_HOPS:
        plan.refused = dict.fromkeys(recipients, LOOP)
        return plan
    now = datetime.now(UTC)
    for recipient in recipients:
        way = found[recipient]
        if not way.is_known:
            plan.refused[recipient] = UNKNOWN
        elif way.outside and _was_here(header, way.canonical):
            plan.refused[recipient] = LOOP
        elif way.kind == "returned" and mail_from:
            # Only what comes back: else we would send for anybody who saw the address.
            plan.refused[recipient] = UNKNOWN
        elif way.kind == "relayed":
            plan.relayed.append(recipient)
        elif way.kind == "reports":
            plan.has_reports = True
        else:
            for account in way.accounts:
                plan.targets.setdefault(
                    account,
                    Target(
                        account,
                        internal_date=now,
                        delivered_to=recipient[:320],
                        mail_from=mail_from[:320],
                        peer=peer[:300],
                    ),
                )
            if way.outside:
                plan.forwards[way.canonical] = list(way.outside)
                plan.askers[way.canonical] = recipient
                plan.alone |= set() if way.accounts else {way.canonical}
    return plan


async def _to_junk(octets: bytes, plan: Plan) -> None:
    """Aim at Junk for the accounts that have blocked an author."""
    accounts, senders = tuple(plan.targets), tuple(authors(octets))
    if not accounts or not senders:
        return
    try:
        found = gate.glance(blocking.junk_of, accounts, senders)
    except NotBrief:
        found = await gate.read(blocking.junk_of, accounts, senders)
    for account, folder_id in found.items():
        plan.targets[account] = replace(plan.targets[account], folder_id=folder_id)


def _was_here(header: bytes, canonical: str) -> bool:
    name = canonical.encode().lower()
    return any(v.strip().lower() == name for v in get_all(header, b"Delivered-To"))


async def _store(
    octets: bytes, envelope: Envelope, plan: Plan
) -> dict[int, Stored | StoreError]:
    """Commit the plan; if the whole is refused, each account by itself.

    Raises StoreError, with nothing stored, where nobody could be told of a part.
    """
    if plan.has_reports:
        await asyncio.to_thread(received.note, octets)
    if not plan.targets and not plan.leaves:
        return {}
    kept = return_path(envelope.mail_from) + octets
    targets = tuple(plan.targets.values())
    try:
        if not plan.leaves:
            stored = await gate.deliver(await gate.prepare(kept), targets)
        else:
            prepared = await gate.prepare(kept) if targets else None
            out = await staged(await _leaving(octets, envelope, plan))
            stored = await gate.write(
                sorted(plan.targets), commit, prepared, targets, out
            )
    except StoreError as error:
        if not plan.judged.sender_is_real:
            raise
        if len(targets) == 1 and not plan.leaves:
            return {targets[0].account_id: error}
        return await _store_apart(octets, envelope, plan)
    return {row.account_id: row for row in stored}


async def _store_apart(
    octets: bytes, envelope: Envelope, plan: Plan
) -> dict[int, Stored | StoreError]:
    kept = return_path(envelope.mail_from) + octets
    result: dict[int, Stored | StoreError] = {}
    for account, target in plan.targets.items():
        try:
            result[account] = (await gate.deliver(await gate.prepare(kept), (target,)))[
                0
            ]
        except StoreError as error:
            result[account] = error
    if plan.leaves:
        out = await staged(await _leaving(octets, envelope, plan))
        await gate.write((), commit, None, (), out)
    return result


async def _leaving(octets: bytes, envelope: Envelope, plan: Plan) -> Out:
    """Return what leaves: forwards in a name of ours, relayed mail as it is."""
    out = relayed(octets, envelope, plan)
    if plan.forwards:
        sender = envelope.mail_from
        if sender:
            sender = await gate.write((), srs.rewritten, sender)
        envelope = replace(envelope, mail_from=sender, quarantine=plan.quarantine)
        out += await sealed(forwarded(octets, envelope, plan), plan)
    return out


def relayed(octets: bytes, envelope: Envelope, plan: Plan) -> Out:
    """Return what leaves for domains of others that we take mail for."""
    if not plan.relayed:
        return []
    wishes = {recipient.address: recipient for recipient in envelope.recipients}
    asked = [wishes.get(address, Recipient(address)) for address in plan.relayed]
    if not plan.judged.sender_is_real:
        asked = [replace(each, notify="NEVER") for each in asked]
    return [(octets, replace(envelope, recipients=tuple(asked)), None)]


async def staged(out: Out) -> Out:
    """Put large messages into the queue piece by piece, before the one commit."""
    found = []
    for octets, envelope, row in out:
        pieces = queue.pieces_of(octets) if row is None else []
        place = await gate.write((), queue.stage, octets, soft=True) if pieces else row
        for number, piece in enumerate(pieces):
            assert place is not None
            await gate.write((), queue.stage_chunk, place, number, piece, soft=True)
        found.append((octets, envelope, place))
    return found


def commit(
    prepared: Prepared | None,
    targets: Sequence[Target],
    out: Sequence[tuple[bytes, Envelope, int | None]],
) -> list[Stored]:
    """Write what stays and what goes out; inside one transaction of the gate."""
    for octets, envelope, row in out:
        queue.enqueue(octets, envelope, row)
    if prepared is None or not targets:
        return []
    return deliver_many([(prepared, targets)])[0]


def forwarded(octets: bytes, envelope: Envelope, plan: Plan) -> Out:
    """Return what leaves for the addresses that aliases forward to."""
    # Delivered-To goes only into the copies that leave: it is how loops are seen.
    wishes = {recipient.address: recipient for recipient in envelope.recipients}
    return [
        (
            f"Delivered-To: {via}\r\n".encode() + octets,
            _sent_on(envelope, _wish(plan, wishes, via), outside, via in plan.alone),
            None,
        )
        for via, outside in plan.forwards.items()
    ]


def _wish(plan: Plan, wishes: Mapping[str, Recipient], via: str) -> Recipient:
    """Return what is asked for an alias; for who is not real, that nobody is told."""
    asked = wishes.get(plan.askers[via], Recipient(via))
    return asked if plan.judged.sender_is_real else replace(asked, notify="NEVER")


def _sent_on(
    envelope: Envelope,
    asked: Recipient,
    outside: Sequence[str],
    alone: bool,  # noqa: FBT001 - private
) -> Envelope:
    """Return the envelope of a copy that leaves.

    What the sender wants to know goes along where the alias leads to one address and
    nowhere else; if not, only NEVER does. RFC 3461 §5.2.7.2, §5.2.7.3 (a)
    """
    if alone and len(outside) == 1:
        one = (replace(asked, address=outside[0]),)
        return replace(envelope, recipients=one, sender_id=None)
    notify = "NEVER" if asked.notify == "NEVER" else ""
    several = tuple(Recipient(address, notify) for address in outside)
    return replace(envelope, recipients=several, envid="", ret="", sender_id=None)


def outcomes(
    recipients: Sequence[str],
    found: Mapping[str, Route],
    plan: Plan,
    stored: Mapping[int, Stored | StoreError],
) -> dict[str, Outcome]:
    """Return what became of it for each recipient."""
    result: dict[str, Outcome] = {}
    for recipient in recipients:
        refused = plan.refused.get(recipient)
        mine = [stored[a] for a in found[recipient].accounts if a in stored]
        kept = tuple(row for row in mine if isinstance(row, Stored))
        failed = [row for row in mine if isinstance(row, StoreError)]
        leaves = found[recipient].canonical in plan.forwards
        if refused is None and failed and not kept and not leaves:
            refused = reply_to(failed[0])
        result[recipient] = Outcome(recipient, refused or ACCEPTED, kept)
    return result


def return_path(mail_from: str) -> bytes:
    """Return the field that final delivery adds. RFC 5321 §4.4."""
    return b"Return-Path: <" + mail_from.encode("utf-8", "replace") + b">\r\n"
