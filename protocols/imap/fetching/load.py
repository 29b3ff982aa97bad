"""Read what a FETCH asks for, a batch of messages at a time. Runs SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailhost.mime.part import Part
from mailhost.mime.structure import from_json
from mailhost.store import read
from protocols.imap.fetching.batch import Batch
from protocols.imap.fetching.items import Body
from protocols.imap.fetching.plan import Plan
from protocols.imap.fetching.sections import body_value, header_value
from protocols.imap.responses import string

# Octets of a message that is read whole; of a larger one, only what is asked for.
WHOLE = 262_144


def load(batch: Batch, todo: Plan, folder_id: int) -> Batch:
    """Read what the plan asks for; messages that are gone are left out."""
    if todo.octets_only:
        return _load_octets(batch, todo, folder_id)
    rows: dict[int, tuple[Any, ...]] | None = None
    extra: dict[int, tuple[Any, ...]] | None = None
    if todo.content:
        rows = read.contents(folder_id, batch.uids, todo.content)
    if todo.message:
        extra = read.message_rows(folder_id, batch.uids, todo.message)
    _keep(batch, [d for d in (rows, extra) if d is not None])
    if rows is not None:
        batch.content = _columns(todo.content, rows, batch.uids)
    if extra is not None:
        batch.message = _columns(todo.message, extra, batch.uids)
    if todo.needs_octets:
        sizes = batch.content["size"]
        small = [u for u, s in zip(batch.uids, sizes, strict=True) if s <= WHOLE]
        batch.octets = read.octets_of(folder_id, small)
        _keep_whole(batch, sizes)
    if todo.bodies:
        batch.bodies = _bodies(batch, todo.bodies)
    return batch


def _load_octets(batch: Batch, todo: Plan, folder_id: int) -> Batch:
    """Read whole messages, in one query."""
    found = read.octets_of(folder_id, batch.uids)
    if len(found) < len(batch.uids):
        batch.keep([i for i, uid in enumerate(batch.uids) if uid in found])
    values = [string(found[uid]) for uid in batch.uids]
    batch.bodies = {body.label: values for body in todo.bodies}
    return batch


def _keep(batch: Batch, found: Sequence[dict[int, tuple[Any, ...]]]) -> None:
    """Leave out what is not in all of them."""
    if all(len(rows) == len(batch.uids) for rows in found):
        return
    batch.keep([i for i, u in enumerate(batch.uids) if all(u in d for d in found)])


def _keep_whole(batch: Batch, sizes: Sequence[int]) -> None:
    """Leave out small messages whose octets went meanwhile."""
    lost = {
        i
        for i, (u, s) in enumerate(zip(batch.uids, sizes, strict=True))
        if s <= WHOLE and u not in batch.octets and s
    }
    if lost:
        batch.keep([i for i in range(len(batch.uids)) if i not in lost])


def _columns(
    names: Sequence[str], rows: dict[int, tuple[Any, ...]], uids: Sequence[int]
) -> dict[str, Sequence[Any]]:
    columns = list(zip(*[rows[uid] for uid in uids], strict=True)) or [()] * len(names)
    return dict(zip(names, columns, strict=True))


def _bodies(batch: Batch, bodies: Sequence[Body]) -> dict[bytes, Sequence[bytes]]:
    """Return the value of each of these sections of each message."""
    if all(body.section.is_header_only for body in bodies):
        headers = batch.content["header"]
        return {b.label: list(map(header_value(b), headers)) for b in bodies}
    sources = [source(batch, i) for i in range(len(batch.uids))]
    return {b.label: [body_value(b, one) for one in sources] for b in bodies}


def source(batch: Batch, i: int) -> "Source":
    """Return the octets of one message of the batch."""
    content = batch.content
    root = from_json(content["parts"][i]) if "parts" in content else None
    return Source(
        content["content_id"][i], content["size"][i], content["header"][i],
        batch.octets.get(batch.uids[i]), root,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Where the octets of one message come from."""

    content_id: int
    size: int
    header: bytes
    octets: bytes | None  # None: too large to be held
    root: Part | None

    def slice(self, start: int, end: int) -> bytes:
        """Return octets [start, end). Runs SQL for a large message."""
        if end <= len(self.header):
            return self.header[start:end]
        if self.octets is not None:
            return self.octets[start:end]
        return read.octet_range(self.content_id, start, end)
