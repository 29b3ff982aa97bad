"""Use cases across layers, for commands, jobs and the admin: import, removal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from mailhost.mailfiles import Found
from mailhost.store import folders, removal
from mailhost.store.append import Item, append_many
from mailhost.store.content import (
    CHUNK,
    Prepared,
    chunks_of,
    prepare,
    stage_blob,
    stage_chunks,
)
from mailhost.store.errors import MessageTooBig, NoSuchFolder
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo, Stored

Also: TypeAlias = Callable[[Sequence[Found], Sequence[Stored]], None]

BATCH_MESSAGES = 400
BATCH_OCTETS = 8 * 1024 * 1024


def folder_for(account_id: int, name: str) -> FolderInfo:
    """Return the folder of this name, made when it is not there."""
    try:
        return folders.open_folder(account_id, name)
    except NoSuchFolder:
        return gate.write_sync([account_id], folders.create_folder, account_id, name)


def import_messages(
    account_id: int,
    folder_id: int,
    found: Iterable[Found],
    told: Callable[[int, Found], None] | None = None,
    also: Also | None = None,
) -> int:
    """Put messages into a folder in batches, a transaction each; return how many.

    told(count, last) is called after each batch is committed; also(batch, stored)
    inside of its transaction. Raises OverQuota, MessageTooBig, NoSuchFolder; what was
    told stays.
    """

    def put(items: list[Item]) -> None:
        stored = append_many(account_id, folder_id, items)
        if also is not None:
            also(batch, stored)

    count = 0
    for batch in _batches(found):
        items = [_item(one) for one in batch]
        gate.write_sync([account_id], put, items)
        count += len(items)
        if told is not None:
            told(count, batch[-1])
    return count


def _batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    octets = 0
    for one in found:
        if batch and (
            len(batch) >= BATCH_MESSAGES or octets + len(one.octets) > BATCH_OCTETS
        ):
            yield batch
            batch, octets = [], 0
        batch.append(one)
        octets += len(one.octets)
    if batch:
        yield batch


def _item(one: Found) -> Item:
    if len(one.octets) > settings.MAILHOST_MAX_MESSAGE_BYTES:
        raise MessageTooBig(f"A message has {len(one.octets)} octets")
    return _staged(prepare(one.octets)), one.flags, one.keywords, one.date


def _staged(prepared: Prepared) -> Prepared:
    """Write the chunks of a big message ahead, so that no transaction is long."""
    if prepared.size <= CHUNK:
        return prepared
    blob_id = gate.write_sync([], stage_blob, prepared.size)
    for chunk in chunks_of(prepared.octets):
        gate.write_sync([], stage_chunks, blob_id, [chunk])
    return replace(prepared, octets=b"", blob_id=blob_id)


def remove_deleted(now: datetime | None = None) -> int:
    """Remove accounts whose grace time is over, with their users; return how many.

    Their octets go by the collecting job, as everything that nobody holds.
    """
    horizon = (now or timezone.now()) - timedelta(
        days=settings.MAILHOST_DELETE_GRACE_DAYS
    )
    count = 0
    for account in Account.objects.filter(deleted_at__lt=horizon, active=False):
        removal.empty(account.pk)
        # The user takes the account along, and what else is theirs.
        (account.owner or account).delete()
        count += 1
    return count
