"""Whom of the senders to tell what: reports of the queue's rows. Synchronous."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User
from mailhost.outbound.dsn import Report, report
from mailhost.outbound.models import Delay, QueueRecipient, State
from mailhost.outbound.queue import octets_of
from mailhost.outbound.values import Fate, Notice

MOST_LOOKED_AT = 500  # rows at once
UNTOLD = (
    "NOT outbound_queuerecipient.told"
    " AND outbound_queuerecipient.state IN ('sent', 'failed')"
)

Rows = Sequence[QueueRecipient]


def notices(most: int = 50) -> list[Notice]:
    """Return the reports that senders wait for, one for each message; reads only."""
    return [
        *(_notice(rows, is_delay=False) for rows in _groups(_untold(), most)),
        *(_notice(rows, is_delay=True) for rows in _groups(_late(), most)),
    ]


def settle_silently() -> None:
    """Note that nobody is told of what became of reports.

    A report on a report is never made: RFC 3464 §1, RFC 5321 §4.5.5.
    """
    _silent().update(told=True)


def is_silent_due() -> bool:
    """Tell whether `settle_silently` has something to do; reads only."""
    return _silent().exists()


def told(notice: Notice) -> None:
    """Note that the sender has the report."""
    rows = QueueRecipient.objects.filter(pk__in=notice.recipient_ids)
    if notice.is_delay:
        rows.update(delay=Delay.TOLD)
    else:
        rows.update(told=True)


def _untold() -> list[int]:
    """Return some rows of which a sender is to hear, by the index alone.

    In its words, since SQLite would not see that it serves parameters; in its order,
    since PostgreSQL would read all rows where it expects to find some soon.
    """
    rows = QueueRecipient.objects.extra(where=[UNTOLD])  # noqa: S610 - a constant
    return list(rows.order_by("state").values_list("pk", flat=True)[:MOST_LOOKED_AT])


def _late() -> list[int]:
    rows = QueueRecipient.objects.filter(delay=Delay.DUE).order_by("delay")
    return list(rows.values_list("pk", flat=True)[:MOST_LOOKED_AT])


def _silent() -> QuerySet[QueueRecipient]:
    return QueueRecipient.objects.filter(pk__in=_untold(), message__mail_from="")


def _groups(ids: Sequence[int], most: int) -> Iterable[Rows]:
    rows = QueueRecipient.objects.filter(pk__in=ids)
    some = rows.exclude(message__mail_from="").select_related("message__sender")
    groups: dict[int, list[QueueRecipient]] = {}
    for row in some.defer("message__octets").order_by("message_id", "pk")[:most]:
        groups.setdefault(row.message_id, []).append(row)
    return groups.values()


def _notice(rows: Rows, *, is_delay: bool) -> Notice:
    message = rows[0].message
    made = report(
        Report(
            to=message.mail_from,
            host=settings.MAILHOST_HOSTNAME,
            fates=tuple(_fate(row, is_delay=is_delay) for row in rows),
            # RFC 8689 §5: the report goes where TLS may not be had
            original=b""
            if message.asked.get("tls") == "required"
            else octets_of(message.pk),
            whole=message.ret == "FULL" and not is_delay,
            envid=message.envid,
            arrived_at=message.created_at,
            language=language_of(message.sender, message.mail_from),
        )
    )
    ids = tuple(row.pk for row in rows)
    return Notice(message.mail_from, made.octets, ids, is_delay, made.smtputf8)


def _fate(row: QueueRecipient, *, is_delay: bool) -> Fate:
    action = "delayed" if is_delay else "relayed"
    if row.state == State.FAILED:
        action = "failed"
    until = row.message.expires_at if is_delay else None
    return Fate(
        address=row.address,
        action=action,
        status=_final(row),
        reply=row.last_reply,
        host=row.last_host,
        orcpt=row.orcpt,
        last_attempt_at=row.last_attempt_at,
        retried_until=until,
    )


def _final(row: QueueRecipient) -> str:
    # A failure that was temporary until time ran out is final now. RFC 3463 §3.5
    if row.state == State.FAILED and not row.status.startswith("5."):
        return "5.4.7"
    return row.status or "2.0.0"


def language_of(sender: User | None, address: str) -> str:
    """Return the language of who gets a report; empty: not known."""
    if sender is not None:
        return sender.language
    mine = User.objects.filter(email=address.lower()).values_list("language", flat=True)
    return mine.first() or ""
