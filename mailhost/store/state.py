"""The counters of accounts and folders: one UPDATE … RETURNING each.

modseq rises under the account's row lock. A modseq told to anyone is never issued
again: on SQLite the first write after the machine restarted leaps ahead, because flag
changes committed without a sync may be lost with the power.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from mailhost.mail.models import AccountState
from mailhost.store import changes, sql
from mailhost.store.errors import NoSuchFolder
from mailhost.store.reading import here

LEAP = 65_536

BUMP_ACCOUNT = f"""
    UPDATE mail_accountstate
    SET modseq = modseq + CASE WHEN boot_id = %s OR boot_id = '' THEN 1
                               ELSE {LEAP + 1} END,
        boot_id = %s, bytes = bytes + %s, messages = messages + %s
    WHERE account_id = %s RETURNING modseq, bytes
"""  # noqa: S608 - the only thing formatted in is our constant

BUMP_FOLDER = """
    UPDATE mail_folderstate
    SET modseq = %s, uid_next = uid_next + %s, messages = messages + %s,
        unseen = unseen + %s, deleted = deleted + %s, bytes = bytes + %s
    WHERE folder_id = %s RETURNING uid_next
"""


@functools.cache
def boot_id() -> str:
    """Identify the running of this machine since it started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return "unknown"


def lock_accounts(accounts: Sequence[int]) -> None:
    """Hold these accounts until the transaction ends; ascending, so none deadlocks."""
    if (here.wrapper or connection).vendor == "sqlite" or not accounts:
        return  # BEGIN IMMEDIATE holds everything
    list(
        AccountState.objects.filter(account_id__in=list(accounts))
        .order_by("account_id")
        .select_for_update(no_key=True)
        .values_list("account_id")
    )


def bump_account(account_id: int, *, bytes_: int = 0, messages: int = 0) -> int:
    """Take the account's next modseq and tell of it on commit.

    Raises NoSuchFolder when the account is gone.
    """
    boot = boot_id() if (here.wrapper or connection).vendor == "sqlite" else ""
    row = sql.row(BUMP_ACCOUNT, [boot, boot, bytes_, messages, account_id])
    if row is None:
        raise NoSuchFolder("The account is gone")
    modseq = int(row[0])
    changes.tell_on_commit(account_id, modseq)
    return modseq


def note(account_id: int, column: str) -> int:
    """Take the next modseq and keep it in this column too: see AccountState.

    Raises NoSuchFolder when the account is gone.
    """
    modseq = bump_account(account_id)
    sql.run(
        f"UPDATE mail_accountstate SET {column} = %s WHERE account_id = %s",  # noqa: S608 - a name from our code
        [modseq, account_id],
    )
    return modseq


@dataclass(slots=True)
class Counts:
    """What a change adds to a folder's counters; negative where it takes away."""

    uids: int = 0
    messages: int = 0
    unseen: int = 0
    deleted: int = 0
    bytes: int = 0

    def taken_away(self) -> "Counts":
        """Return what taking these messages out of a folder adds to it."""
        return Counts(0, -self.messages, -self.unseen, -self.deleted, -self.bytes)


def bump_folder(folder_id: int, modseq: int, add: Counts) -> int:
    """Add to the folder's counters; return its uid_next after it.

    Raises NoSuchFolder when the folder is gone.
    """
    row = sql.row(
        BUMP_FOLDER,
        [
            modseq,
            add.uids,
            add.messages,
            add.unseen,
            add.deleted,
            add.bytes,
            folder_id,
        ],
    )
    if row is None:
        raise NoSuchFolder("The folder is gone")
    return int(row[0])
