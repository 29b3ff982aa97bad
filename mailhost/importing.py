"""Mail taken in from files: the one way of the command, the demo and the browser.

In batches, a transaction each. What the folder holds already is passed over, so that an
import that is made again, or goes on, copies nothing twice.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from django.conf import settings

from mailhost.mailfiles import Found
from mailhost.store import folders
from mailhost.store.append import Item, append_many
from mailhost.store.content import (
    CHUNK,
    Prepared,
    chunks_of,
    prepare,
    stage_blob,
    stage_chunks,
)
from mailhost.store.doubles import Doubles
from mailhost.store.errors import MessageTooBig, NoSuchFolder
from mailhost.store.gate import gate
from mailhost.store.values import FolderInfo, Stored

BATCH_MESSAGES = 400
BATCH_OCTETS = 8 * 1024 * 1024


@dataclass(slots=True)
class Taken:
    """How many messages went where."""

    stored: int = 0
    known: int = 0  # the folder held them already
    large: int = 0  # over what one message may have
    progress: int = 0  # octets of the source that are behind us


Also: TypeAlias = Callable[[Sequence[Found], Sequence[Stored], Taken], None]


def folder_for(account_id: int, name: str) -> FolderInfo:
    """Return the folder of this name, made when it is not there."""
    try:
        return folders.open_folder(account_id, name)
    except NoSuchFolder:
        return gate.write_sync([account_id], folders.create_folder, account_id, name)


def import_messages(  # noqa: PLR0913 - two to be told, two to be said
    account_id: int,
    folder_id: int,
    found: Iterable[Found],
    told: Callable[[Taken, Found], None] | None = None,
    also: Also | None = None,
    *,
    doubles: bool = False,
    skip_large: bool = False,
) -> Taken:
    """Put messages into a folder in batches, a transaction each; return how many.

    told(taken, last) is called after each batch is committed; also(batch, stored,
    taken) inside of its transaction, `batch` being what was stored. `doubles`: what
    the folder holds already comes again. Raises OverQuota, NoSuchFolder, and, unless
    `skip_large`, MessageTooBig; what was told stays.
    """
    taken = Taken()
    known = None if doubles else Doubles(account_id, folder_id)
    for batch in _batches(found):
        small = [one for one in batch if not _is_large(one)]
        if len(small) < len(batch) and not skip_large:
            raise MessageTooBig("A message is larger than messages may be")
        pairs = [(one, prepare(one.octets)) for one in small]
        fresh = _fresh(pairs, known)
        now = Taken(
            taken.stored + len(fresh),
            taken.known + len(pairs) - len(fresh),
            taken.large + len(batch) - len(small),
            batch[-1].progress,
        )
        _put(account_id, folder_id, fresh, now, also)
        taken = now
        if told is not None:
            told(taken, batch[-1])
    return taken


Pair: TypeAlias = tuple[Found, Prepared]


def _fresh(pairs: list[Pair], known: Doubles | None) -> list[Pair]:
    if known is None:
        return pairs
    items = [(prepared, one.octets) for one, prepared in pairs]
    told = gate.read_sync(known.are_known, items)
    return [pair for pair, is_known in zip(pairs, told, strict=True) if not is_known]


def _put(
    account_id: int, folder_id: int, fresh: list[Pair], now: Taken, also: Also | None
) -> None:
    items: list[Item] = [
        (_staged(prepared), one.flags, one.keywords, one.date)
        for one, prepared in fresh
    ]

    def put() -> None:
        stored = append_many(account_id, folder_id, items) if items else []
        if also is not None:
            also([one for one, _ in fresh], stored, now)

    if items or also is not None:
        gate.write_sync([account_id], put)


def _is_large(one: Found) -> bool:
    return one.is_large or len(one.octets) > settings.MAILHOST_MAX_MESSAGE_BYTES


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


def _staged(prepared: Prepared) -> Prepared:
    """Write the chunks of a big message ahead, so that no transaction is long."""
    if prepared.size <= CHUNK:
        return prepared
    blob_id = gate.write_sync([], stage_blob, prepared.size)
    for chunk in chunks_of(prepared.octets):
        gate.write_sync([], stage_chunks, blob_id, [chunk])
    return replace(prepared, octets=b"", blob_id=blob_id)
