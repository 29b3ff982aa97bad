"""What people said of messages: junk, or not. Material for a filter that learns.

A report is a row, and a keyword of the message that other programs know ($Junk,
$NotJunk: RFC 9051 §2.3.2); both are taken back with the deed. The content is found by
account and e-mail, as long as a copy is kept.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from mailhost.mail.models import JunkReport, Message
from mailhost.store import change, sql

JUNK, NOT_JUNK = "$Junk", "$NotJunk"
AT_ONCE = 500


def report(
    account_id: int, folder_id: int, uids: Sequence[int], user_id: int, *, is_junk: bool
) -> None:
    """Note of messages what somebody says. In a transaction that holds the account."""
    word, other = (JUNK, NOT_JUNK) if is_junk else (NOT_JUNK, JUNK)
    change.remove_flags(account_id, folder_id, uids, 0, (other, other[1:]))
    change.add_flags(account_id, folder_id, uids, 0, (word,))
    JunkReport.objects.bulk_create(
        [
            JunkReport(
                account_id=account_id,
                email_id=email_id,
                is_junk=is_junk,
                user_id=user_id,
                at=timezone.now(),
            )
            for email_id in _emails(folder_id, uids)
        ],
        update_conflicts=True,
        unique_fields=["account", "email_id"],
        update_fields=["is_junk", "user", "at"],
        batch_size=AT_ONCE,
    )


def take_back(account_id: int, folder_id: int, uids: Sequence[int]) -> None:
    """Forget what was said of messages. In a transaction that holds the account."""
    change.remove_flags(account_id, folder_id, uids, 0, (JUNK, NOT_JUNK))
    emails = _emails(folder_id, uids)
    for start in range(0, len(emails), AT_ONCE):
        some = emails[start : start + AT_ONCE]
        JunkReport.objects.filter(account_id=account_id, email_id__in=some).delete()


def _emails(folder_id: int, uids: Sequence[int]) -> list[int]:
    if not uids:
        return []
    condition, parameters = sql.among("uid", sorted(uids))
    found = sql.rows(
        f"SELECT email_id FROM mail_message WHERE folder_id = %s AND {condition}",  # noqa: S608 - our own names
        [folder_id, *parameters],
    )
    return list(dict.fromkeys(email for (email,) in found))


def material(since: datetime | None = None) -> Iterator[tuple[int, bool, int]]:
    """Yield (account, is it junk, content) of what was reported and is still there."""
    rows = JunkReport.objects.all()
    if since is not None:
        rows = rows.filter(at__gte=since)
    for account_id, email_id, is_junk in rows.values_list(
        "account_id", "email_id", "is_junk"
    ).iterator(AT_ONCE):
        copies = Message.objects.filter(account_id=account_id, email_id=email_id)
        content = copies.values_list("content_id", flat=True).first()
        if content is not None:
            yield account_id, is_junk, content
