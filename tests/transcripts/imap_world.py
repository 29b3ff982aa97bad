"""Mailboxes and messages for IMAP tests, made through the store."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from mailhost.store import append, change, folders
from mailhost.store.content import prepare
from mailhost.store.errors import NoSuchFolder
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo

if TYPE_CHECKING:
    from accounts.models import User

BITS = {"s": 1, "a": 2, "f": 4, "d": 8, "t": 16}
FIRST_DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


def write(accounts: Sequence[int], fn: Callable[..., Any], *args: Any) -> Any:
    """Do as the gate, inside the test's own transaction; a refusal undoes its part."""
    with transaction.atomic():
        return gate.write_sync(accounts, fn, *args)


def mailbox(user: "User", name: str) -> FolderInfo:
    """Return alice's folder of that name, new if there is none."""
    try:
        return folders.open_folder(user.account.pk, name)
    except NoSuchFolder:
        made: FolderInfo = write(
            [user.account.pk], folders.create_folder, user.account.pk, name
        )
        return made


def fill(user: "User", name: str, words: Sequence[str]) -> FolderInfo:
    """Put messages into a folder so that they have these UIDs and flags.

    UID n arrived on day n of 2026, about noon, has subject "Message n" and n lines.
    """
    box = mailbox(user, name)
    wanted = {int(w.rstrip("".join(BITS))): w.lstrip("0123456789") for w in words}
    gone = []
    for uid in range(1, max(wanted, default=0) + 1):
        flags = sum(BITS[c] for c in wanted.get(uid, ""))
        stored = write(
            [box.account_id], append.append, box.account_id, box.id,
            prepare(text(uid)), flags, (), FIRST_DAY + timedelta(days=uid - 1),
        )  # fmt: skip
        assert stored.uid == uid
        if uid not in wanted:
            gone.append(uid)
    if gone:
        write([box.account_id], _remove, box.account_id, box.id, gone)
    return folders.open_folder(box.account_id, name)


def _remove(account_id: int, folder_id: int, uids: list[int]) -> None:
    change.expunge(account_id, folder_id, uids, force=True)


def text(n: int) -> bytes:
    return (
        b"From: Ann <ann@example.test>\r\nTo: alice@example.test\r\n"
        b"Subject: Message %d\r\nDate: Thu, 1 Jan 2026 12:00:00 +0100\r\n"
        b"Message-ID: <%d@example.test>\r\n\r\n%b" % (n, n, b"A line.\r\n" * n)
    )


def message(user: "User", name: str, octets: bytes) -> None:
    """Put one more message into a folder."""
    box = mailbox(user, name)
    write(
        [box.account_id],
        append.append,
        box.account_id,
        box.id,
        prepare(octets),
        0,
        (),
        FIRST_DAY,
    )


def share(user: "User", name: str, what: Sequence[str]) -> int:
    """Make a shared account with an INBOX; the user may do `what` there."""
    from accounts.models import Membership
    from accounts.newcomers import make_shared_account

    account = make_shared_account(name)
    rights = dict.fromkeys(what, True)
    Membership.objects.create(account=account, user=user, **rights)
    return account.pk
