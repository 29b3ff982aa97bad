"""Many messages of one folder at once: what COPY, MOVE and EXPUNGE are made of.

One statement for all of them each, in which the rows never leave the database.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from mailhost.store import flags as f
from mailhost.store import sql
from mailhost.store.errors import NoSuchFolder
from mailhost.store.state import Counts


@dataclass(frozen=True, slots=True)
class Chosen:
    """Messages of a folder, by UID; none of them changes while the account is held."""

    folder_id: int
    uids: Sequence[int]
    counts: Counts  # what they add to a folder
    where: str  # the condition that names them
    parameters: Sequence[Any]

    def __len__(self) -> int:
        return len(self.uids)


def choose(
    account_id: int, folder_id: int, uids: Sequence[int] | None, needed: int = 0
) -> Chosen:
    """Return those of `uids` that there are, None: of all; `needed`: with this flag."""
    condition, parameters = "1 = 1", list[Any]()
    if uids is not None:
        condition, parameters = (
            sql.among("uid", sorted(uids)) if uids else ("1 = 0", [])
        )
    if needed:
        condition += f" AND flags & {needed} <> 0"
    rows = sql.rows(
        "SELECT uid, flags, size FROM mail_message"  # noqa: S608
        f" WHERE account_id = %s AND folder_id = %s AND {condition} ORDER BY uid",
        [account_id, folder_id, *parameters],
    )
    if not rows:
        return Chosen(folder_id, (), Counts(), "1 = 0", ())
    found, flags, sizes = zip(*rows, strict=True)
    kinds = Counter(flags)
    counts = Counts(
        uids=len(found),
        messages=len(found),
        unseen=sum(n for bits, n in kinds.items() if not bits & f.SEEN),
        deleted=sum(n for bits, n in kinds.items() if bits & f.DELETED),
        bytes=sum(sizes),
    )
    condition, parameters = sql.among("uid", found)
    where = f"folder_id = %s AND {condition}"
    return Chosen(folder_id, found, counts, where, [folder_id, *parameters])


def copy_rows(chosen: Chosen, folder_id: int, first: int, modseq: int) -> None:
    """Insert copies into another folder of the account, UIDs from `first` on."""
    sql.run(
        "INSERT INTO mail_message (account_id, folder_id, uid, modseq, created_modseq,"  # noqa: S608
        " flags, keywords, internal_date, saved_at, size, content_id, email_id,"
        " thread_id)"
        f" SELECT account_id, %s, {_numbered(chosen, first)}, %s, %s,"
        " flags, keywords, internal_date, %s, size, content_id, email_id, thread_id"
        f" FROM mail_message WHERE {chosen.where} ORDER BY uid",
        [folder_id, modseq, modseq, *_now(), *chosen.parameters],
    )


def move_rows(chosen: Chosen, folder_id: int, first: int, modseq: int) -> None:
    """Give the rows to another folder of the account, UIDs from `first` on.

    For those who look at what changed they are new there; `entomb` says that they left.
    """
    values = "folder_id = %s, modseq = %s, created_modseq = %s, saved_at = %s"
    parameters = [folder_id, modseq, modseq, *_now(), *chosen.parameters]
    if _together(chosen):
        moved = sql.run(
            f"UPDATE mail_message SET uid = {_numbered(chosen, first)}, {values}"  # noqa: S608
            f" WHERE {chosen.where}",
            parameters,
        )
    else:
        moved = sql.run(
            f"UPDATE mail_message SET uid = numbered.uid, {values}"  # noqa: S608
            f" FROM (SELECT id, {_numbered(chosen, first)} AS uid FROM mail_message"
            f" WHERE {chosen.where}) AS numbered WHERE mail_message.id = numbered.id",
            parameters,
        )
    _check(moved, chosen)


def entomb(chosen: Chosen, modseq: int) -> None:
    """Leave tombstones of messages that are about to go. RFC 7162 §3.2.7."""
    left = sql.run(
        "INSERT INTO mail_tombstone"  # noqa: S608
        " (account_id, folder_id, uid, modseq, email_id, content_id, expunged_at)"
        " SELECT account_id, folder_id, uid, %s, email_id, content_id, %s"
        f" FROM mail_message WHERE {chosen.where}",
        [modseq, *_now(), *chosen.parameters],
    )
    _check(left, chosen)


def delete_rows(chosen: Chosen) -> None:
    """Delete the messages."""
    sql.run(f"DELETE FROM mail_message WHERE {chosen.where}", chosen.parameters)  # noqa: S608


def _together(chosen: Chosen) -> bool:
    return chosen.uids[-1] - chosen.uids[0] == len(chosen.uids) - 1


def _numbered(chosen: Chosen, first: int) -> str:
    """Return the expression of a row's new UID: they follow each other."""
    if _together(chosen):
        return f"uid + {first - chosen.uids[0]}"
    return f"{first - 1} + row_number() OVER (ORDER BY uid)"


def _now() -> list[Any]:
    return list(sql.adapted([timezone.now()]))


def _check(touched: int, chosen: Chosen) -> None:
    if touched != len(chosen):
        raise NoSuchFolder("The messages changed meanwhile")
