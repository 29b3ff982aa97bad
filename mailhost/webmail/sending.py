"""A written message on its way: to its recipients, into Sent, into Drafts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from mailhost import delivery
from mailhost.delivery.copies import account_for
from mailhost.delivery.copies import with_role as with_role
from mailhost.delivery.scheduled import Recalled
from mailhost.outbound.values import Envelope, Recipient
from mailhost.store import append, change, flags
from mailhost.store.content import Prepared
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from mailhost.store.values import Stored
from mailhost.webmail import refusals
from mailhost.webmail.composing import Written
from mailhost.webmail.letters import Where

log = logging.getLogger(__name__)


class NotSent(Exception):
    """Nobody got the message; the text says why."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message: who did not get it, and whether a copy was kept."""

    refused: tuple[tuple[str, str], ...] = ()  # (address, why)
    is_kept: bool = True
    scheduled: int | None = None  # while it can be called off


def send(
    user: User, written: Written, *, peer: str, due: datetime, waits: bool
) -> Sent:
    """Send a message, now or when it is `due`, and keep a copy. Raises NotSent."""
    people = [*written.to, *written.cc, *written.bcc]
    recipients = tuple(dict.fromkeys(person.addr for person in people))
    envelope = Envelope(
        written.sender.addr,
        tuple(Recipient(address) for address in recipients),
        smtputf8=not all(a.isascii() for a in (*recipients, written.sender.addr)),
        sender_id=user.pk,
        envid=envid(written.message_id),
    )
    try:
        if waits:
            return _later(user, written, envelope, peer, due)
        octets = written.octets()
        outcomes = delivery.submit_sync(user.pk, octets, envelope, peer=peer)
    except (delivery.NotPermitted, StoreError) as error:
        raise NotSent(refusals.in_words(error)) from None
    refused = tuple(
        (one.recipient, refusals.reply(one.reply))
        for one in outcomes.values()
        if not one.is_accepted
    )
    if len(refused) == len(outcomes):
        raise NotSent("; ".join(f"{who}: {why}" for who, why in refused))
    return Sent(refused, _keep(user, written))


def envid(message_id: str) -> str:
    """Return the envelope id of a message of ours: by it its way out is found."""
    return message_id.partition("@")[0][:100]


def _later(
    user: User, written: Written, envelope: Envelope, peer: str, due: datetime
) -> Sent:
    """Have it sent when it is due; what cannot arrive is told now."""
    names = tuple(one.address for one in envelope.recipients)
    ways = gate.read_sync(delivery.routes, names)
    unknown = [name for name, way in ways.items() if way.is_local and not way.is_known]
    if unknown:
        raise NotSent(_("There is no %s here.") % ", ".join(unknown))
    number = delivery.schedule_sync(
        user.pk, written.octets(keep_bcc=True), envelope, due, peer=peer, copy=True
    )
    return Sent(scheduled=number)


def keep_draft(user: User, recalled: Recalled) -> Where:
    """Put a message that was called off into Drafts."""
    account_id = account_of(user, recalled.envelope.mail_from)
    prepared = gate.prepare_sync(recalled.octets)
    bits = flags.SEEN | flags.DRAFT
    stored = gate.write_sync(
        [account_id], _put, account_id, "drafts", "Drafts", prepared, bits
    )
    return Where(stored.account_id, stored.folder_id, stored.uid)


def _keep(user: User, written: Written) -> bool:
    """Put the copy into Sent. It went out already: a full account changes nothing."""
    account_id = account_of(user, written.sender.addr)
    try:
        put(account_id, "sent", "Sent", written, flags.SEEN)
    except StoreError:
        log.warning("The copy of a sent message was not kept", exc_info=True)
        return False
    return True


def save_draft(user: User, written: Written) -> Where:
    """Put a draft into Drafts. Raises StoreError, NotSent."""
    account_id = account_of(user, written.sender.addr)
    stored = put(account_id, "drafts", "Drafts", written, flags.SEEN | flags.DRAFT)
    return Where(stored.account_id, stored.folder_id, stored.uid)


def drop_draft(old: Where) -> None:
    """Remove a draft that was sent or saved anew; the caller saw to the rights."""
    gate.write_sync(
        [old.account_id],
        lambda: change.expunge(old.account_id, old.folder_id, [old.uid], force=True),
    )


def put(account_id: int, role: str, name: str, written: Written, bits: int) -> Stored:
    """Store a message of ours in the folder of a role, which is made if need be."""
    prepared = gate.prepare_sync(written.octets(keep_bcc=True))
    return gate.write_sync([account_id], _put, account_id, role, name, prepared, bits)


def _put(
    account_id: int, role: str, name: str, prepared: Prepared, bits: int
) -> Stored:
    folder = with_role(account_id, role, name)
    return append.append(account_id, folder.id, prepared, bits)


def account_of(user: User, address: str) -> int:
    """Return the account that keeps what is sent as an address: a shared one its own.

    Raises NotSent where the user has no account to keep anything in.
    """
    account_id = gate.read_sync(account_for, user.pk, address)
    if account_id is None:
        raise NotSent(_("You have no account to send from."))
    return account_id


def mark_origin(origin: Where, kind: str) -> None:
    r"""Note on a message that it was answered or forwarded: \Answered, $Forwarded."""
    bits, words = (0, ("$Forwarded",)) if kind == "forward" else (flags.ANSWERED, ())
    uids: Sequence[int] = [origin.uid]
    gate.write_sync(
        [origin.account_id],
        lambda: change.add_flags(
            origin.account_id, origin.folder_id, uids, bits, words
        ),
    )
