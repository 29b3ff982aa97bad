"""Put messages into folders: the one path of append, delivery and import.

Many at once cost a few statements: one insert for each table, one update for each
account and folder.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from mailhost.mail.models import Blob
from mailhost.store import flags as f
from mailhost.store import muting, sql, threads
from mailhost.store.content import Prepared, chunks_of
from mailhost.store.errors import NoSuchFolder
from mailhost.store.quota import Usage, usage_of
from mailhost.store.state import Counts, bump_account, bump_folder
from mailhost.store.values import Stored, Target

_random = random.SystemRandom()

BLOB = ("size", "complete", "storage_key", "created_at")
CHUNK_COLUMNS = ("blob_id", "number", "octets")
MESSAGE = (
    "account_id", "folder_id", "uid", "modseq", "created_modseq", "flags", "keywords",
    "internal_date", "saved_at", "size", "content_id", "email_id", "thread_id",
)  # fmt: skip
ARRIVAL = (
    "account_id", "email_id", "delivered_to", "mail_from", "peer", "verdict",
)  # fmt: skip
PLACES = """
    SELECT f.account_id, f.id, f.uid_validity, s.bytes, s.messages, a.quota_bytes,
        a.quota_messages
    FROM mail_folder f
    JOIN accounts_account a ON a.id = f.account_id
    JOIN mail_accountstate s ON s.account_id = f.account_id
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that messages are put into, and what its account may hold."""

    account_id: int
    folder_id: int
    uid_validity: int
    usage: Usage


@dataclass(slots=True)
class Filing:
    """One message for one folder."""

    content_id: int
    prepared: Prepared
    target: Target
    place: Place


def new_email_id() -> int:
    """Return 63 random bits that are not zero. RFC 8474 §5.1."""
    return _random.getrandbits(63) or 1


def make_contents(prepared: Sequence[Prepared]) -> list[int]:
    """Insert blobs, chunks and contents; staged blobs become complete.

    Returns the ids of the contents, in the order given.
    """
    now = timezone.now()
    staged = [p.blob_id for p in prepared if p.blob_id is not None]
    if staged:
        Blob.objects.filter(pk__in=staged).update(complete=True)
    direct = [p for p in prepared if p.blob_id is None]
    rows = [(p.size, True, "", now) for p in direct]
    blobs = sql.insert("mail_blob", BLOB, rows, returning=True)
    chunks = [
        (blob, number, octets)
        for blob, p in zip(blobs, direct, strict=True)
        for number, octets in chunks_of(p.octets)
    ]
    sql.insert("mail_blobchunk", CHUNK_COLUMNS, chunks)
    fresh = iter(blobs)
    contents = [
        (p.blob_id if p.blob_id is not None else next(fresh), now, *p.row.values())
        for p in prepared
    ]
    columns = ("blob_id", "created_at", *prepared[0].row) if prepared else ()
    return sql.insert("mail_content", columns, contents, returning=True)


def places(targets: Sequence[Target]) -> dict[tuple[int, int | None], Place]:
    """Look up the folders of these targets, under (account, folder or None).

    Raises NoSuchFolder for one that is not there.
    """
    inboxes = {t.account_id for t in targets if t.folder_id is None}
    named = {t.folder_id for t in targets if t.folder_id is not None}
    found: dict[tuple[int, int | None], Place] = {}
    if inboxes:
        condition, parameters = sql.one_of("f.account_id", list(inboxes))
        for place in _places(f"f.role = 'inbox' AND {condition}", parameters):
            found[place.account_id, None] = place
    if named:
        for place in _places(*sql.one_of("f.id", list(named))):
            found[place.account_id, place.folder_id] = place
    if any((t.account_id, t.folder_id) not in found for t in targets):
        raise NoSuchFolder("The folder is gone")
    return found


def _places(condition: str, parameters: Sequence[Any]) -> list[Place]:
    rows = sql.rows(f"{PLACES} WHERE {condition}", parameters)
    return [
        Place(a, p, v, usage_of((octets, count), *most))
        for a, p, v, octets, count, *most in rows
    ]


def file_all(filings: Sequence[Filing]) -> list[Stored]:
    """Insert the messages; return where each was put, in the order given.

    Raises OverQuota, with nothing written that outlives the caller's savepoint.
    """
    now = timezone.now()
    modseqs = _bump_accounts(filings)
    joined = threads.join(
        [
            threads.Newcomer(filing.place.account_id, filing.prepared)
            for filing in filings
        ]
    )
    muting.divert(filings, joined)
    uids = _take_uids(filings, modseqs)
    stored = [
        Stored(
            x.place.account_id,
            x.place.folder_id,
            x.place.uid_validity,
            uid,
            new_email_id(),
            modseqs[x.place.account_id],
        )
        for x, uid in zip(filings, uids, strict=True)
    ]
    rows = [
        _message(x, s, thread, now)
        for x, s, thread in zip(filings, stored, joined, strict=True)
    ]
    sql.insert("mail_message", MESSAGE, rows)
    _note_arrivals(filings, stored)
    return stored


def _message(x: Filing, s: Stored, thread: int, now: datetime) -> tuple[Any, ...]:
    return (
        s.account_id,
        s.folder_id,
        s.uid,
        s.modseq,
        s.modseq,
        x.target.flags,
        " ".join(x.target.keywords),
        x.target.internal_date or now,
        now,
        x.prepared.size,
        x.content_id,
        s.email_id,
        thread,
    )


def _note_arrivals(filings: Sequence[Filing], stored: Sequence[Stored]) -> None:
    rows = [
        (
            s.account_id,
            s.email_id,
            x.target.delivered_to[:320],
            x.target.mail_from[:320],
            x.target.peer[:300],
            x.target.verdict,
        )
        for x, s in zip(filings, stored, strict=True)
        if x.target.delivered_to
    ]
    sql.insert("mail_arrival", ARRIVAL, rows)


def _bump_accounts(filings: Sequence[Filing]) -> dict[int, int]:
    """Count the messages into their accounts; return the modseq each account took."""
    modseqs: dict[int, int] = {}
    by_account = sorted(filings, key=lambda x: x.place.account_id)
    for account_id, group in itertools.groupby(
        by_account, lambda x: x.place.account_id
    ):
        members = list(group)
        size = sum(x.prepared.size for x in members)
        members[0].place.usage.check(size, len(members))
        modseqs[account_id] = bump_account(
            account_id, bytes_=size, messages=len(members)
        )
    return modseqs


def _take_uids(filings: Sequence[Filing], modseqs: dict[int, int]) -> list[int]:
    """Give each message the next UID of its folder, in the order given."""
    counts: dict[int, Counts] = {}
    for x in filings:
        c = counts.setdefault(x.place.folder_id, Counts())
        c.uids += 1
        c.messages += 1
        c.bytes += x.prepared.size
        c.unseen += not x.target.flags & f.SEEN
        c.deleted += bool(x.target.flags & f.DELETED)
    accounts = {x.place.folder_id: x.place.account_id for x in filings}
    following = {
        folder: bump_folder(folder, modseqs[accounts[folder]], counts[folder])
        - counts[folder].uids
        for folder in sorted(counts)
    }
    uids = []
    for x in filings:
        uids.append(following[x.place.folder_id])
        following[x.place.folder_id] += 1
    return uids
