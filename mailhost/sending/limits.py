"""How much a user may send a day, counted in rows that all processes share.

Who goes over a limit is held: nothing more is taken from them, what waits in the queue
stays there, and the administrators hear of it. Synchronous, for the gate.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from mailhost.outbound.models import QueueRecipient, State
from mailhost.sending.models import Correspondent, Sender, SendingDay

log = logging.getLogger(__name__)

HELD_BY_LIMIT = "Held here: its sender went over a limit"
KEEP = timedelta(days=30)  # how long counters are kept


class TooMuch(Exception):
    """A limit is passed; the text says which."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a user sends now; 0: no limit."""

    messages_a_day: int
    new_recipients_a_day: int
    keeps_copy: bool = False
    is_held: bool = False


def standing(user_id: int) -> Standing:
    """Return what applies to a user; one query."""
    row = Sender.objects.filter(pk=user_id).first() or Sender()
    server = settings.MAILHOST_SEND_MESSAGES_A_DAY
    server_new = settings.MAILHOST_SEND_NEW_RECIPIENTS_A_DAY
    own, own_new = row.messages_a_day, row.new_recipients_a_day
    return Standing(
        server if own is None else own,
        server_new if own_new is None else own_new,
        row.keeps_copy,
        row.held_at is not None,
    )


def count(user_id: int, outside: Iterable[str], most: Standing) -> None:
    """Count a message that is about to be sent, and outside addresses new to its user.

    In the transaction that sends it. Raises TooMuch.
    """
    if not most.messages_a_day and not most.new_recipients_a_day:
        return
    new = _new(user_id, outside) if most.new_recipients_a_day else []
    today = _add(user_id, messages=1, new_recipients=len(new))
    if most.messages_a_day and today.messages > most.messages_a_day:
        raise TooMuch(f"more than {most.messages_a_day} messages a day")
    if new and today.new_recipients > most.new_recipients_a_day:
        raise TooMuch(f"more than {most.new_recipients_a_day} new recipients a day")
    rows = [Correspondent(user_id=user_id, address=address) for address in new]
    Correspondent.objects.bulk_create(rows, ignore_conflicts=True)


def _new(user_id: int, outside: Iterable[str]) -> list[str]:
    """Return the addresses that the user has not written to yet."""
    wanted = sorted({address.casefold()[:320] for address in outside})
    if not wanted:
        return []
    mine = Correspondent.objects.filter(user_id=user_id, address__in=wanted)
    known = set(mine.values_list("address", flat=True))
    return [address for address in wanted if address not in known]


def _add(user_id: int, *, messages: int, new_recipients: int) -> SendingDay:
    """Add to today's counters; their row is locked until the transaction ends."""
    row = {"user_id": user_id, "day": timezone.now().date()}
    today = SendingDay.objects.filter(**row)
    more = {
        "messages": F("messages") + messages,
        "new_recipients": F("new_recipients") + new_recipients,
    }
    if not today.update(**more):
        SendingDay.objects.bulk_create([SendingDay(**row)], ignore_conflicts=True)
        today.update(**more)
    return today.get()


def hold(user_id: int, why: str) -> bool:
    """Stop a user from sending, and what they have queued; False: it was so already."""
    Sender.objects.bulk_create([Sender(user_id=user_id)], ignore_conflicts=True)
    held = Sender.objects.filter(pk=user_id, held_at=None).update(
        held_at=timezone.now(), held_why=why[:200]
    )
    if held:
        log.warning("user %s is held: %s", user_id, why)
        _waiting(user_id).filter(state=State.QUEUED).update(
            state=State.HELD, last_reply=HELD_BY_LIMIT
        )
    return bool(held)


def release(user_id: int) -> None:
    """Let a user go on: what was held goes out, and the day counts anew."""
    Sender.objects.filter(pk=user_id).update(held_at=None, held_why="")
    SendingDay.objects.filter(user_id=user_id).delete()
    _waiting(user_id).filter(state=State.HELD, last_reply=HELD_BY_LIMIT).update(
        state=State.QUEUED, last_reply="", due=timezone.now()
    )


def _waiting(user_id: int) -> QuerySet[QueueRecipient]:
    return QueueRecipient.objects.filter(message__sender=user_id)


def sweep() -> None:
    """Forget the counters of days long gone."""
    SendingDay.objects.filter(day__lt=timezone.now().date() - KEEP).delete()
