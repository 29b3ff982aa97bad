"""Folders: make, list, rename, delete, subscribe. RFC 9051 §6.3."""

import secrets
import time
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection
from django.db.models import F

from accounts.models import Account
from mailhost.mail.models import (
    AccountState,
    Folder,
    FolderState,
    FolderTombstone,
    Message,
    Role,
    Subscription,
)
from mailhost.store import rights as permissions
from mailhost.store import sql
from mailhost.store.annotations import copy_annotations
from mailhost.store.errors import (
    BadName,
    FolderExists,
    FolderHasChildren,
    NoSuchFolder,
    RoleTaken,
    TooMany,
)
from mailhost.store.reading import NotBrief, here
from mailhost.store.state import Counts, bump_account, bump_folder, note
from mailhost.store.values import FolderInfo

SEPARATOR = "/"
MOST_FOLDERS = 10_000  # of an account
BRIEF_FOLDERS = 200  # that the event loop reads itself
LONGEST_NAME = 1_000  # characters
DEEPEST = 100  # levels

DEFAULTS = (
    ("INBOX", Role.INBOX),
    ("Drafts", Role.DRAFTS),
    ("Sent", Role.SENT),
    ("Archive", Role.ARCHIVE),
    ("Junk", Role.JUNK),
    ("Trash", Role.TRASH),
)

SUBSCRIBED = "SELECT name FROM mail_subscription WHERE user_id = %s ORDER BY name"
# As FolderInfo, past the ORM: every write by a folder's name begins with it.
OPEN = """
    SELECT f.id, f.account_id, f.name, f.role, f.uid_validity, s.uid_next,
        f.mailbox_id, s.modseq, s.messages, s.unseen, s.deleted, s.bytes, s.recent_uid
    FROM mail_folder f JOIN mail_folderstate s ON s.folder_id = f.id
"""


def normalise(name: str) -> str:
    """Return the name as it is stored: INBOX in upper case, text in NFC.

    Raises BadName for what cannot be a folder's name. RFC 9051 §5.1.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    head, slash, rest = name.partition(SEPARATOR)
    if head.upper() == "INBOX":
        name = f"INBOX{slash}{rest}"
    levels = name.split(SEPARATOR)
    if not all(levels) or len(name) > LONGEST_NAME or len(levels) > DEEPEST:
        raise BadName("A folder's name has one to 1,000 characters and no empty level")
    if name.isascii() and name.isprintable():
        return name
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in name):
        raise BadName("A folder's name holds no control characters")
    return name


def to_make(name: str) -> str:
    """Return the name of a folder to be made: a separator at its end says nothing.

    Raises BadName. RFC 9051 §6.3.4.
    """
    return normalise(name.rstrip(SEPARATOR) or name)


def make_default_folders(account_id: int) -> None:
    """Give a new account its counters, its folders, and its owner the subscriptions."""
    AccountState.objects.get_or_create(account_id=account_id)
    owner = Account.objects.values_list("owner_id", flat=True).get(pk=account_id)
    for name, role in DEFAULTS:
        create_folder(account_id, name, role)
        if owner is not None:
            Subscription.objects.get_or_create(user_id=owner, name=name)


def list_folders(account_id: int, user_id: int | None = None) -> list[FolderInfo]:
    """Return the folders the user may see, INBOX first, then by name.

    `user_id` None asks for the account itself: every folder, every right.
    """
    base = permissions.ALL
    subscribed: set[str] = set()
    if user_id is not None:
        base = permissions.account_rights(user_id, account_id)
        subscribed = set(subscriptions(user_id))
    most = BRIEF_FOLDERS if here.brief else 1 << 62
    rows = sql.rows(f"{OPEN} WHERE f.account_id = %s LIMIT %s", [account_id, most])
    if here.brief and len(rows) == most:
        raise NotBrief
    extra: dict[int, str] = {}
    if user_id is not None and base != permissions.ALL:
        extra = permissions.rights_by_folder(user_id, account_id)
    found = [
        info(row, permissions.ordered(base + extra.get(row[0], "")), subscribed)
        for row in rows
    ]
    return sorted(
        (one for one in found if "l" in one.rights),
        key=lambda one: (one.name != "INBOX", one.name),
    )


def info(
    row: tuple[Any, ...],
    rights: str = permissions.ALL,
    subscribed: Collection[str] = (),
) -> FolderInfo:
    """Return a row of `OPEN` as a value."""
    known = dict(zip(FolderInfo.__slots__, row, strict=False))
    return FolderInfo(**known, subscribed=row[2] in subscribed, rights=rights)


def open_folder(
    account_id: int, name: str, user_id: int | None = None, any_of: str = "l"
) -> FolderInfo:
    """Return the folder of this name.

    Raises NoSuchFolder alike for an absent one and one on which the user holds none of
    the rights `any_of`. RFC 4314 §4: some commands need no "l".
    """
    return _one(user_id, any_of, account_id=account_id, name=_asked(name))


def folder_by_id(
    account_id: int, folder_id: int, user_id: int | None = None
) -> FolderInfo:
    """Return the folder; raises NoSuchFolder as `open_folder` does."""
    return _one(user_id, "l", account_id=account_id, id=folder_id)


def folder_by_role(account_id: int, role: str) -> FolderInfo | None:
    """Return the folder with this role, or None."""
    try:
        return _one(None, "l", account_id=account_id, role=role)
    except NoSuchFolder:
        return None


def _asked(name: str) -> str:
    try:
        return normalise(name)
    except BadName:
        raise NoSuchFolder("No such folder") from None


def _one(user_id: int | None, any_of: str, **which: object) -> FolderInfo:
    condition = " AND ".join(f"f.{column} = %s" for column in which)
    row = sql.row(f"{OPEN} WHERE {condition}", list(which.values()))
    if row is None:
        raise NoSuchFolder("No such folder")
    held, subscribed = permissions.ALL, set[str]()
    if user_id is not None:
        held = permissions.rights(user_id, row[0])
        subscribed = set(
            Subscription.objects.filter(user_id=user_id, name=row[2]).values_list(
                "name", flat=True
            )
        )
    if not set(any_of) & set(held):
        raise NoSuchFolder("No such folder")
    return info(row, held, subscribed)


def create_folder(account_id: int, name: str, role: str = "") -> FolderInfo:
    """Make a folder, and the levels above it that are missing.

    Raises BadName, FolderExists, RoleTaken, TooMany. RFC 9051 §6.3.4.
    """
    name = to_make(name)
    if Folder.objects.filter(account_id=account_id, name=name).exists():
        raise FolderExists("There is a folder of this name")
    if role and Folder.objects.filter(account_id=account_id, role=role).exists():
        raise RoleTaken("Another folder has this role")
    if Folder.objects.filter(account_id=account_id).count() >= MOST_FOLDERS:
        raise TooMany("The account has too many folders")
    levels = name.split(SEPARATOR)
    above = [SEPARATOR.join(levels[:n]) for n in range(1, len(levels))]
    there = set(
        Folder.objects.filter(account_id=account_id, name__in=above).values_list(
            "name", flat=True
        )
    )
    modseq = bump_account(account_id)
    for missing in [n for n in above if n not in there]:
        _insert(account_id, missing, "", modseq)
    return _one(None, "l", id=_insert(account_id, name, role, modseq))


def _insert(account_id: int, name: str, role: str, modseq: int) -> int:
    folder = Folder.objects.create(
        account_id=account_id,
        name=name,
        role=role,
        uid_validity=next_uid_validity(account_id),
        mailbox_id=secrets.token_hex(12),
    )
    # A folder of this name that was there before may have told higher modseqs: the
    # account's counter only rises, so this one is above them.
    FolderState.objects.create(folder_id=folder.pk, modseq=modseq)
    permissions.inherit(account_id, name.rpartition(SEPARATOR)[0], folder.pk)
    return folder.pk


def next_uid_validity(account_id: int) -> int:
    """Take a UIDVALIDITY never used before in the account: max(now, last + 1)."""
    now = int(time.time())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mail_accountstate SET next_uid_validity ="
            " CASE WHEN next_uid_validity > %s THEN next_uid_validity + 1"
            " ELSE %s + 1 END WHERE account_id = %s RETURNING next_uid_validity - 1",
            [now, now, account_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise NoSuchFolder("The account is gone")
    return int(row[0])


def rename_folder(account_id: int, old: str, new: str) -> None:
    """Rename a folder and all below it; INBOX keeps its name and gives its messages.

    Raises NoSuchFolder, FolderExists, BadName. RFC 9051 §6.3.6.
    """
    old, new = _asked(old), to_make(new)
    folder = Folder.objects.filter(account_id=account_id, name=old).first()
    if folder is None:
        raise NoSuchFolder("No such folder")
    if new == old or Folder.objects.filter(account_id=account_id, name=new).exists():
        raise FolderExists("There is a folder of this name")
    if old == "INBOX":
        _rename_inbox(account_id, folder.pk, new)
        return
    if new.startswith(old + SEPARATOR):
        raise BadName("A folder cannot move below itself")
    _make_parents(account_id, new)
    modseq = bump_account(account_id)
    moving = Folder.objects.filter(
        account_id=account_id, name__startswith=old + SEPARATOR
    )
    # SQLite compares LIKE without case: settle it here.
    moved = [f for f in moving if f.name.startswith(old + SEPARATOR)]
    for one in [folder, *moved]:
        _entomb(one, modseq)
        one.name = normalise(new + one.name[len(old) :])
        one.save(update_fields=["name"])
        bump_folder(one.pk, modseq, Counts())


def _rename_inbox(account_id: int, inbox_id: int, new: str) -> None:
    # RFC 9051 §6.3.6: its messages move to the new name, INBOX stays, emptied.
    from mailhost.store.change import move

    target = create_folder(account_id, new)
    uids = list(
        Message.objects.filter(folder_id=inbox_id)
        .order_by("uid")
        .values_list("uid", flat=True)
    )
    if uids:
        move(account_id, inbox_id, uids, account_id, target.id)
    copy_annotations(account_id, inbox_id, target.id)


def _make_parents(account_id: int, name: str) -> None:
    parent = name.rpartition(SEPARATOR)[0]
    if (
        parent
        and not Folder.objects.filter(account_id=account_id, name=parent).exists()
    ):
        create_folder(account_id, parent)


def _entomb(folder: Folder, modseq: int) -> None:
    FolderTombstone.objects.create(
        account_id=folder.account_id,
        name=folder.name,
        mailbox_id=folder.mailbox_id,
        uid_validity=folder.uid_validity,
        modseq=modseq,
    )


def delete_folder(account_id: int, name: str) -> None:
    """Delete a folder and what is in it. INBOX and a folder with children stay.

    Raises NoSuchFolder, BadName (INBOX), FolderHasChildren. RFC 9051 §6.3.5.
    """
    from mailhost.store.change import drop_messages

    name = _asked(name)
    folder = Folder.objects.filter(account_id=account_id, name=name).first()
    if folder is None:
        raise NoSuchFolder("No such folder")
    if name == "INBOX":
        raise BadName("INBOX cannot be deleted")
    below = Folder.objects.filter(
        account_id=account_id, name__startswith=name + SEPARATOR
    ).values_list("name", flat=True)
    if any(child.startswith(name + SEPARATOR) for child in below):
        raise FolderHasChildren("There are folders below it")
    modseq = drop_messages(account_id, folder.pk)
    _entomb(folder, modseq)
    folder.delete()


def subscriptions(user_id: int) -> list[str]:
    """Return the names the user is subscribed to, by name."""
    return [name for (name,) in sql.rows(SUBSCRIBED, [user_id])]


def subscribe(user_id: int, name: str) -> None:
    """Subscribe the user to a name, whether a folder has it or not."""
    if Subscription.objects.filter(user_id=user_id).count() >= MOST_FOLDERS:
        raise TooMany("Too many subscriptions")
    name = normalise(name)
    if Subscription.objects.get_or_create(user_id=user_id, name=name)[1]:
        _tell_subscriptions(user_id)


def unsubscribe(user_id: int, name: str) -> None:
    """Undo `subscribe`; a name that is not subscribed is no error."""
    if Subscription.objects.filter(user_id=user_id, name=_asked(name)).delete()[0]:
        _tell_subscriptions(user_id)


def _tell_subscriptions(user_id: int) -> None:
    """Let the sessions of the user's own account look again."""
    for account_id in Account.objects.filter(owner=user_id).values_list("pk"):
        note(*account_id, "subscribed_modseq")


def claim_recent(folder_id: int) -> int:
    r"""Return the first UID that no session was told as \Recent, and claim the rest.

    RFC 3501 §2.3.2.
    """
    rows = FolderState.objects.filter(folder_id=folder_id)
    first = rows.values_list("recent_uid", flat=True).first()
    if first is None:
        raise NoSuchFolder("The folder is gone")
    rows.update(recent_uid=F("uid_next"))
    return first


def account_usage(account_id: int) -> tuple[int, int]:
    """Return the octets and the messages that the account holds."""
    row: Sequence[int] | None = (
        AccountState.objects.filter(account_id=account_id)
        .values_list("bytes", "messages")
        .first()
    )
    return (row[0], row[1]) if row else (0, 0)
