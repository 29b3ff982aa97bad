"""Sent messages that come back to INBOX if nobody answers them in time.

Known by Message-ID, since the copy in Sent may not be there yet (send later). Whether
there is an answer is looked at when the time comes: a message of the conversation that
came after it, from somebody else, and that no machine wrote.
"""

from datetime import datetime

from django.utils import timezone

from accounts.addresses import addresses_of
from mailhost.mail.models import Reminder
from mailhost.mime.headers import get
from mailhost.store import change, flags, folders, sql
from mailhost.store.gate import gate
from mailhost.store.messageids import Named, named
from mailhost.store.snoozing import BACK, plan, surface

JOB = "remind"
WORD = "$reminder"
LATER = 50  # newest messages of a conversation that are looked at
ANSWERS = f"""
    SELECT c.from_address, c.header FROM mail_message m
    JOIN mail_content c ON c.id = m.content_id JOIN mail_folder f ON f.id = m.folder_id
    WHERE m.thread_id = %s
        AND c.created_at > (SELECT created_at FROM mail_content WHERE id = %s)
        AND f.role NOT IN ('trash', 'junk', 'drafts')
    ORDER BY c.created_at DESC LIMIT {LATER}
"""  # noqa: S608 - our own number


def remind(account_id: int, user_id: int, message_id: str, due: datetime) -> None:
    """Have a sent message come back at `due` if nobody answered it by then."""
    Reminder.objects.update_or_create(
        account_id=account_id,
        message_id=message_id,
        defaults={"due": due, "user_id": user_id},
    )
    plan(account_id, Reminder, JOB)


def forget(account_id: int, message_id: str) -> bool:
    """Call a reminder off; tell whether there was one."""
    rows = Reminder.objects.filter(account_id=account_id, message_id=message_id)
    gone = bool(rows.delete()[0])
    plan(account_id, Reminder, JOB)
    return gone


def due_of(account_id: int, message_id: str) -> datetime | None:
    """Return when a message comes back; None: nobody waits for an answer."""
    rows = Reminder.objects.filter(account_id=account_id, message_id=message_id)
    return rows.values_list("due", flat=True).first()


def sent(account_id: int, message_id: str) -> Named | None:
    """Return where a message that was sent is; None for nowhere."""
    found = named(account_id, message_id)
    return next((one for one in found if one.role != "drafts"), None)


def is_answered(user_id: int, of: Named) -> bool:
    """Tell whether somebody else has written into the conversation since."""
    mine = {address.casefold() for address in addresses_of(user_id)}
    rows = sql.rows(ANSWERS, [of.thread_id, of.content_id])
    return any(
        address.casefold() not in mine and not _by_machine(bytes(header))
        for address, header in rows
    )


def _by_machine(header: bytes) -> bool:
    """Whether a program wrote it: an absence notice, a report. RFC 3834 §5."""
    how = (get(header, b"Auto-Submitted") or b"no").lower()
    return how.split(b";")[0].strip() != b"no"


def come_back(account: int) -> None:
    """Bring back what nobody answered in time; the job."""
    while gate.write_sync([account], _one_back, account):
        pass


def _one_back(account_id: int) -> bool:
    """Settle one that is due; tell whether there was one."""
    rows = Reminder.objects.filter(account_id=account_id, due__lte=timezone.now())
    row = rows.order_by("due").first()
    if row is None:
        plan(account_id, Reminder, JOB)
        return False
    found = sent(account_id, row.message_id)
    inbox = folders.folder_by_role(account_id, "inbox")
    if found and inbox and not is_answered(row.user_id, found):
        _copy_back(account_id, found, inbox.id)
    row.delete()
    return True


def _copy_back(account_id: int, found: Named, inbox_id: int) -> None:
    uid = found.uid
    if found.folder_id != inbox_id:
        copied = change.copy(account_id, found.folder_id, [uid], account_id, inbox_id)
        uid = copied.first
        surface(inbox_id, [uid])
    change.remove_flags(account_id, inbox_id, [uid], flags.SEEN)
    change.add_flags(account_id, inbox_id, [uid], 0, (WORD, BACK))
