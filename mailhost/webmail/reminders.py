"""Reminders of what nobody answers: from the form that sends, and on what was sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from mailhost.delivery.scheduled import Recalled
from mailhost.mime.message import parse
from mailhost.store import reminding
from mailhost.store.gate import gate
from mailhost.webmail import sending
from mailhost.webmail.composing import Written

LONGEST_ID = 500  # characters


def after(user: User, written: Written, days: int, sent_at: datetime) -> None:
    """Have a message come back some days after it is sent; 0 days: never."""
    if days:
        account_id = sending.account_of(user, written.sender.addr)
        due = sent_at + timedelta(days=days)
        set_(user, account_id, written.message_id, due)


def set_(user: User, account_id: int, message_id: str, due: datetime) -> None:
    """Have a message come back at `due`."""
    gate.write_sync(
        [account_id], reminding.remind, account_id, user.pk, message_id, due
    )


def call_off(user: User, written: Written) -> None:
    """Forget the reminder of what was not sent."""
    _forget(user, written.sender.addr, written.message_id)


def recalled(user: User, taken: Recalled) -> None:
    """Forget the reminder of what was called off."""
    _forget(user, taken.envelope.mail_from, parse(taken.octets).message_id)


def _forget(user: User, address: str, message_id: str) -> None:
    account_id = sending.account_of(user, address)
    gate.write_sync([account_id], reminding.forget, account_id, message_id)


@dataclass(frozen=True, slots=True)
class Reminder:
    """When a sent message comes back, None: never; and whether it was answered."""

    due: datetime | None
    is_answered: bool


def of(user: User, account_id: int, message_id: str) -> Reminder | None:
    """Return how it stands with a sent message; None where none can be set."""
    if not message_id or len(message_id) > LONGEST_ID:
        return None
    found = gate.read_sync(reminding.sent, account_id, message_id)
    if found is None:
        return None
    answered = gate.read_sync(reminding.is_answered, user.pk, found)
    due = gate.read_sync(reminding.due_of, account_id, message_id)
    return Reminder(None if answered else due, answered)
