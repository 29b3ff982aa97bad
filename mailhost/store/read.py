"""Read messages: many rows at once, and ranges of their octets.

Each call is one query per few hundred messages. Callers have checked the rights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from mailhost.mail.models import Content, Message, Tombstone
from mailhost.store import sql
from mailhost.store.content import CHUNK
from mailhost.store.errors import NoSuchMessage
from mailhost.store.values import Place

CONTENT_COLUMNS = frozenset(
    field.column
    for field in Content._meta.concrete_fields  # noqa: SLF001 - public
)
MESSAGE_COLUMNS = frozenset({
    "uid", "modseq", "created_modseq", "flags", "keywords", "internal_date",
    "saved_at", "size", "content_id", "email_id", "thread_id",
})  # fmt: skip


def contents(
    folder_id: int, uids: Sequence[int], columns: tuple[str, ...]
) -> dict[int, tuple[Any, ...]]:
    """Return {uid: values} of these columns of Content for the messages there are.

    "content_id" stands for Content's own id; binary columns come as bytes.
    """
    if not uids:
        return {}
    chosen = ", ".join(_content_column(name) for name in columns)
    condition, parameters = sql.among("m.uid", uids)
    found = sql.rows(
        f"SELECT m.uid, {chosen} FROM mail_message m"  # noqa: S608 - names from the model
        " JOIN mail_content c ON c.id = m.content_id"
        f" WHERE m.folder_id = %s AND {condition}",
        [folder_id, *parameters],
    )
    if connection.vendor == "sqlite":
        return {row[0]: row[1:] for row in found}
    return {row[0]: tuple(map(_plain, row[1:])) for row in found}


def _content_column(name: str) -> str:
    if name == "content_id":
        return "c.id"
    if name not in CONTENT_COLUMNS:
        raise ValueError(f"no column {name}")
    return f'c."{name}"'


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def message_rows(
    folder_id: int, uids: Sequence[int], columns: tuple[str, ...]
) -> dict[int, tuple[Any, ...]]:
    """Return {uid: values} of these columns of Message for the messages there are."""
    if not set(columns) <= MESSAGE_COLUMNS:
        raise ValueError(f"no such column in {columns}")
    if not uids:
        return {}
    condition, parameters = sql.among("uid", uids)
    found = Message.objects.filter(folder_id=folder_id).extra(  # noqa: S610 - `among` writes no values
        where=[condition], params=parameters
    )
    return {row[0]: row[1:] for row in found.values_list("uid", *columns)}


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as a list shows it."""

    folder_id: int
    uid: int
    modseq: int
    flags: int
    keywords: str
    internal_date: datetime
    size: int
    content_id: int
    email_id: int
    thread_id: int | None
    subject: str
    from_name: str
    from_address: str
    addresses: str  # JSON, as Content has it
    preview: str
    has_attachment: bool
    sent_at: datetime | None
    importance: int | None
    id: int

    @property
    def place(self) -> Place:
        """Where it stands in a list by date."""
        return Place(self.internal_date, self.id)


LISTED = (
    "folder_id", "uid", "modseq", "flags", "keywords", "internal_date", "size",
    "content_id", "email_id", "thread_id", "content__subject", "content__from_name",
    "content__from_address", "content__addresses", "content__preview",
    "content__has_attachment", "content__sent_at", "content__importance",
    "id",
)  # fmt: skip


def page(
    folder_id: int, *, before_uid: int | None = None, limit: int = 50
) -> list[Listed]:
    """Return the newest messages, those under `before_uid` only; newest first."""
    rows = Message.objects.filter(folder_id=folder_id)
    if before_uid is not None:
        rows = rows.filter(uid__lt=before_uid)
    return [Listed(*row) for row in rows.order_by("-uid").values_list(*LISTED)[:limit]]


def listed(folder_id: int, uid: int) -> Listed:
    """Return one message. Raises NoSuchMessage."""
    row = (
        Message.objects.filter(folder_id=folder_id, uid=uid)
        .values_list(*LISTED)
        .first()
    )
    if row is None:
        raise NoSuchMessage("No such message")
    return Listed(*row)


def content_of(folder_id: int, uid: int) -> int:
    """Return the content of a message. Raises NoSuchMessage."""
    return listed(folder_id, uid).content_id


OCTETS = """
    SELECT k.octets FROM mail_content c JOIN mail_blobchunk k ON k.blob_id = c.blob_id
    WHERE c.id = %s AND k.number BETWEEN %s AND %s ORDER BY k.number
"""


def octets(content_id: int) -> bytes:
    """Return all octets of a message. Raises NoSuchMessage."""
    chunks = [bytes(row[0]) for row in sql.rows(OCTETS, [content_id, 0, 1 << 30])]
    if not chunks:
        raise NoSuchMessage("No such message")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def whole_contents(content_ids: Sequence[int]) -> dict[int, bytes]:
    """Return {content id: all octets} of those that are one chunk."""
    condition, parameters = sql.one_of("c.id", content_ids)
    found = sql.rows(
        "SELECT c.id, k.octets FROM mail_content c"  # noqa: S608
        " JOIN mail_blobchunk k ON k.blob_id = c.blob_id"
        f" WHERE {condition} AND k.number = 0 AND c.size <= {CHUNK}",
        parameters,
    )
    return {content_id: bytes(octets) for content_id, octets in found}


def searchable(content_ids: Sequence[int]) -> list[tuple[int, int, bytes, str]]:
    """Return (id, size, header, parts) of the contents there are."""
    if not content_ids:
        return []
    condition, parameters = sql.among("id", sorted(content_ids))
    return [
        (id_, size, bytes(header), parts)
        for id_, size, header, parts in sql.rows(
            f"SELECT id, size, header, parts FROM mail_content WHERE {condition}",  # noqa: S608
            parameters,
        )
    ]


def octet_range(content_id: int, start: int, end: int) -> bytes:
    """Return the octets [start, end) of a message, reading only their chunks."""
    if end <= start:
        return b""
    first, last = start // CHUNK, (end - 1) // CHUNK
    found = b"".join(
        bytes(row[0]) for row in sql.rows(OCTETS, [content_id, first, last])
    )
    return found[start - first * CHUNK : end - first * CHUNK]


def octets_of(folder_id: int, uids: Sequence[int]) -> dict[int, bytes]:
    """Return {uid: all octets} for the messages there are. Mind their size."""
    if not uids:
        return {}
    condition, parameters = sql.among("m.uid", uids)
    found: dict[int, bytes] = {}
    for uid, chunk in sql.rows(
        "SELECT m.uid, k.octets FROM mail_message m"  # noqa: S608
        " JOIN mail_content c ON c.id = m.content_id"
        " JOIN mail_blobchunk k ON k.blob_id = c.blob_id"
        f" WHERE m.folder_id = %s AND {condition} ORDER BY m.uid, k.number",
        [folder_id, *parameters],
    ):
        found[uid] = found[uid] + bytes(chunk) if uid in found else bytes(chunk)
    return found


def chunk_numbers(size: int) -> Iterator[int]:
    """Yield the numbers of the chunks of a blob of this size."""
    return iter(range(max(1, -(-size // CHUNK))))


def chunk(content_id: int, number: int) -> bytes:
    """Return one chunk of a message, to stream it. Raises NoSuchMessage."""
    found = sql.rows(OCTETS, [content_id, number, number])
    if not found:
        raise NoSuchMessage("No such message")
    return bytes(found[0][0])


def expunged_contents(folder_id: int, uids: Sequence[int]) -> dict[int, int]:
    """Return {uid: content id} of expunged messages whose content is still kept."""
    rows = Tombstone.objects.filter(
        folder_id=folder_id, uid__in=list(uids), content__isnull=False
    )
    return {
        uid: content
        for uid, content in rows.values_list("uid", "content_id")
        if content
    }
