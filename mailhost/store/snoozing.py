r"""Messages that leave INBOX and come back at their time: the folder \Snoozed.

A row says when; the keyword $snoozed says it to mail programs. What somebody takes out
of the folder meanwhile, by any program, stays where they put it. One job for each
account, due when its next message is; all that happens to one is one transaction that
holds the account, so that no message comes back twice or is lost between.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.models import Account
from mailhost.jobs import schedule
from mailhost.mail.models import Message, Snooze, Subscription
from mailhost.store import change, flags, folders, read, roles, sql
from mailhost.store.errors import NoSuchFolder
from mailhost.store.gate import gate
from mailhost.store.values import Copied, FolderInfo

JOB = "wake"
ROLE, NAME = "snoozed", "Snoozed"
WORD = "$snoozed"
# A message that somebody is to look at anew: it goes when it is read. As WORD of
# muting: draft-ietf-mailmaint-messageflag-mailboxattribute (text not read).
BACK = "$new"
AT_ONCE = 500  # messages of one transaction


def snooze(
    account_id: int, folder_id: int, uids: Sequence[int], due: datetime
) -> Copied:
    """Put messages away until `due`; return where they are, as `move` does.

    Of those that lie there already only the time changes.
    """
    place = folder(account_id)
    emails = read.message_rows(folder_id, uids, ("email_id",))
    if folder_id == place.id:
        copied = Copied(place.uid_validity, sorted(emails), place.modseq)
    else:
        change.add_flags(account_id, folder_id, uids, 0, (WORD,))
        change.remove_flags(account_id, folder_id, uids, 0, (BACK,))
        copied = change.move(account_id, folder_id, uids, account_id, place.id)
    rows = [
        Snooze(account_id=account_id, email_id=email_id, due=due)
        for (email_id,) in emails.values()
    ]
    Snooze.objects.bulk_create(
        rows,
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["account", "email_id"],
        update_fields=["due"],
    )
    plan(account_id, Snooze, JOB)
    return copied


def folder(account_id: int) -> FolderInfo:
    """Return the folder of what is put away, made where there is none."""
    found = folders.folder_by_role(account_id, ROLE)
    if found is not None:
        return found
    try:
        found = folders.open_folder(account_id, NAME)
    except NoSuchFolder:
        owner = Account.objects.values_list("owner_id", flat=True).get(pk=account_id)
        if owner is not None:
            Subscription.objects.get_or_create(user_id=owner, name=NAME)
        return folders.create_folder(account_id, NAME, ROLE)
    roles.set_role(account_id, found.id, ROLE)
    return found


def take_out(
    account_id: int, folder_id: int, uids: Sequence[int], to_folder_id: int
) -> Copied:
    r"""Move messages from \Snoozed; they are waited for no longer."""
    emails = read.message_rows(folder_id, uids, ("email_id",))
    change.remove_flags(account_id, folder_id, uids, 0, (WORD,))
    copied = change.move(account_id, folder_id, uids, account_id, to_folder_id)
    _forget(account_id, [email_id for (email_id,) in emails.values()])
    plan(account_id, Snooze, JOB)
    return copied


def _forget(account_id: int, email_ids: Sequence[int]) -> None:
    if email_ids:
        condition, parameters = sql.one_of("email_id", email_ids)
        sql.run(
            f"DELETE FROM mail_snooze WHERE account_id = %s AND {condition}",  # noqa: S608
            [account_id, *parameters],
        )


def times(account_id: int, email_ids: Sequence[int]) -> dict[int, datetime]:
    """Return {email id: when it comes back} of those that are put away."""
    rows = Snooze.objects.filter(account_id=account_id, email_id__in=list(email_ids))
    return dict(rows.values_list("email_id", "due"))


def plan(account_id: int, rows: type[Model], job: str) -> None:
    """Have the job of an account run when its next row is due; holds the account."""
    mine: Any = rows._default_manager.filter(account_id=account_id)  # noqa: SLF001
    due = mine.order_by("due").values_list("due", flat=True).first()
    if due is None:
        schedule.cancel(job, str(account_id))
    else:
        schedule.later(job, {"account": account_id}, due=due, key=str(account_id))


def wake(account: int) -> None:
    """Bring back what is due; the job."""
    while gate.write_sync([account], _wake_some, account):
        pass


def _wake_some(account_id: int) -> bool:
    """Bring back some of what is due; tell whether there may be more."""
    rows = Snooze.objects.filter(account_id=account_id, due__lte=timezone.now())
    due = list(rows.order_by("due").values_list("email_id", flat=True)[:AT_ONCE])
    place = folders.folder_by_role(account_id, ROLE)
    inbox = folders.folder_by_role(account_id, "inbox")
    found = Message.objects.filter(account_id=account_id, email_id__in=due)
    here = [m for m in found if place is not None and m.folder_id == place.id]
    for m in found:
        if m not in here:  # somebody took it out by another program
            change.remove_flags(account_id, m.folder_id, [m.uid], 0, (WORD,))
    if here and place is not None and inbox is not None:
        _bring_back(account_id, place.id, here, inbox.id)
    _forget(account_id, due)
    plan(account_id, Snooze, JOB)
    return len(due) == AT_ONCE


def _bring_back(
    account_id: int, folder_id: int, found: Sequence[Message], inbox_id: int
) -> None:
    """Move messages to INBOX; the newest of each conversation is unread and on top."""
    uids = sorted(m.uid for m in found)
    newest: dict[int, Message] = {}
    for m in sorted(found, key=lambda m: (m.internal_date, m.pk)):
        newest[m.thread_id or -m.uid] = m
    heads = sorted(m.uid for m in newest.values())
    change.remove_flags(account_id, folder_id, uids, 0, (WORD,))
    change.remove_flags(account_id, folder_id, heads, flags.SEEN)
    change.add_flags(account_id, folder_id, heads, 0, (BACK,))
    copied = change.move(account_id, folder_id, uids, account_id, inbox_id)
    moved = dict(copied.pairs)
    surface(inbox_id, [moved[uid] for uid in heads if uid in moved])


def surface(folder_id: int, uids: Sequence[int]) -> None:
    """Let messages that came into a folder in this transaction stand on top of it.

    Their rows are new there: nobody was told another date of them.
    """
    if uids:
        condition, parameters = sql.among("uid", sorted(uids))
        sql.run(
            "UPDATE mail_message SET internal_date = %s"  # noqa: S608
            f" WHERE folder_id = %s AND {condition}",
            [*sql.adapted([timezone.now()]), folder_id, *parameters],
        )
