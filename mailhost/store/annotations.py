"""METADATA entries of folders and of accounts. RFC 5464 §3.

An entry is named by what follows "/private" or "/shared": "/comment"; names compare
without case and are kept in lower case. `user_id` says whose private entry it is, None
asks for the one that all share. `folder_id` None is the account as a whole: what its
user sees as the server. Callers have checked the rights.

A removed entry leaves a row that says so, so that other sessions hear of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from mailhost.mail.models import Annotation, Folder
from mailhost.store import sql
from mailhost.store.errors import EntryTooBig, NoSuchFolder, TooManyEntries
from mailhost.store.state import bump_account

LONGEST_VALUE = 65_536  # octets
MOST_ENTRIES = 100  # of a user, or shared, on one folder
MOST_REMOVED = 100  # removals remembered; likewise

CHANGED = """
    SELECT folder_id, user_id, entry, modseq FROM mail_annotation
    WHERE account_id = %s AND modseq > %s AND (user_id = %s OR user_id IS NULL)
    ORDER BY modseq, id
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value. `folder_id` None: of the account."""

    folder_id: int | None
    shared: bool
    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class EntryChange:
    """That an entry was set or removed."""

    folder_id: int | None
    shared: bool
    name: str
    modseq: int


def annotation(
    account_id: int, folder_id: int | None, user_id: int | None, entry: str
) -> bytes | None:
    """Return the value of one entry; None where there is none."""
    value = (
        _place(account_id, folder_id, user_id)
        .filter(entry=entry.lower(), removed=None)
        .values_list("value", flat=True)
        .first()
    )
    return None if value is None else bytes(value)


def _place(
    account_id: int, folder_id: int | None, user_id: int | None
) -> QuerySet[Annotation]:
    keys: dict[str, object] = {"folder_id": folder_id, "user_id": user_id}
    return Annotation.objects.filter(account_id=account_id, **keys)


def annotations(
    account_id: int, folders: Iterable[int | None], user_id: int
) -> list[Entry]:
    """Return what this user sees of these folders: their own entries, and the shared.

    One query, however many folders: ordered by folder, private first, by name.
    """
    wanted = list(folders)
    where = Q(folder_id__in=[one for one in wanted if one is not None])
    if None in wanted:
        where |= Q(folder_id=None)
    rows = (
        Annotation.objects.filter(where, _seen_by(user_id), removed=None)
        .filter(account_id=account_id)
        .values_list("folder_id", "user_id", "entry", "value")
    )
    found = [
        Entry(f, user is None, name, bytes(value)) for f, user, name, value in rows
    ]
    return sorted(found, key=lambda e: (e.folder_id or 0, e.shared, e.name))


def annotations_changed(account_id: int, user_id: int, since: int) -> list[EntryChange]:
    """Return the entries this user sees that changed after modseq `since`."""
    return [
        EntryChange(folder_id, whose is None, name, modseq)
        for folder_id, whose, name, modseq in sql.rows(
            CHANGED, [account_id, since, user_id]
        )
    ]


def _seen_by(user_id: int) -> Q:
    return Q(user_id=user_id) | Q(user_id=None)


def annotate(
    account_id: int,
    folder_id: int | None,
    user_id: int | None,
    values: Iterable[tuple[str, bytes | None]],
) -> int:
    """Set entries of one folder, all or none; None removes. Returns the modseq.

    Part of a transaction that holds the account. Raises NoSuchFolder, EntryTooBig,
    TooManyEntries. RFC 5464 §4.3.
    """
    _check_folder(account_id, folder_id)
    modseq = bump_account(account_id)
    place = _place(account_id, folder_id, user_id)
    for name, value in values:
        if value is not None and len(value) > LONGEST_VALUE:
            raise EntryTooBig("The value is too big")
        removed = True if value is None else None
        fields = {"value": value or b"", "modseq": modseq, "removed": removed}
        if place.filter(entry=name.lower()).update(**fields) or value is None:
            continue
        Annotation.objects.create(
            account_id=account_id,
            folder_id=folder_id,
            user_id=user_id,
            entry=name.lower(),
            **fields,
        )
    if place.filter(removed=None).count() > MOST_ENTRIES:
        raise TooManyEntries("Too many entries")
    removals = place.filter(removed=True)
    if removals.count() > MOST_REMOVED:
        removals.exclude(modseq=modseq).delete()
    return modseq


def _check_folder(account_id: int, folder_id: int | None) -> None:
    if (
        folder_id is not None
        and not Folder.objects.filter(pk=folder_id, account_id=account_id).exists()
    ):
        raise NoSuchFolder("No such folder")


def copy_annotations(account_id: int, from_folder_id: int, to_folder_id: int) -> None:
    """Give a folder the entries of another. RFC 5464 §4.1: RENAME of INBOX."""
    rows = list(Annotation.objects.filter(folder_id=from_folder_id, removed=None))
    for row in rows:
        row.pk, row.folder_id = None, to_folder_id
    Annotation.objects.filter(account_id=account_id).bulk_create(rows)
