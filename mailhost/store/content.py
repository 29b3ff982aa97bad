"""A message on its way in: parsed and hashed before any transaction is open."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailhost.mail.models import Blob, BlobChunk
from mailhost.mime.addresses import Address
from mailhost.mime.message import PARSER_VERSION, Parsed, parse
from mailhost.mime.structure import to_json
from mailhost.mime.subjects import is_reply_or_forward

CHUNK = 262_144  # octets of a BlobChunk


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the rows of a message are made of.

    `row` are the columns of Content but its blob. `blob_id` is set once the octets
    are staged; `octets` is then empty.
    """

    size: int
    row: dict[str, Any]
    octets: bytes
    message_id: str
    ancestors: tuple[str, ...]  # ids it refers to, nearest last
    base_subject: str
    is_reply: bool
    sent_at: datetime | None
    blob_id: int | None = None


def prepare(octets: bytes) -> Prepared:
    """Parse and hash a message. No SQL; never raises, whatever the octets."""
    parsed = parse(octets)
    ancestors = (*parsed.references, *parsed.in_reply_to)
    return Prepared(
        size=len(octets),
        row=_row(octets, parsed),
        octets=octets,
        message_id=parsed.message_id,
        ancestors=ancestors,
        base_subject=parsed.base_subject,
        is_reply=is_reply_or_forward(parsed.subject),
        sent_at=parsed.sent_at,
    )


def _row(octets: bytes, parsed: Parsed) -> dict[str, Any]:
    sender = parsed.from_[0] if parsed.from_ else Address("", "", "")
    return {
        "size": len(octets),
        "sha256": hashlib.sha256(octets).digest(),
        "parser_version": PARSER_VERSION,
        "header": parsed.header,
        "envelope": parsed.envelope,
        "bodystructure": parsed.bodystructure,
        "body": parsed.body,
        "parts": to_json(parsed.root),
        "sent_at": parsed.sent_at,
        "subject": parsed.subject,
        "base_subject": parsed.base_subject,
        "addresses": _addresses(parsed),
        "from_name": sender.name[:255],
        "from_address": _spelled(sender)[:320],
        "message_id": parsed.message_id,
        "references": "\n".join(_references(parsed)),
        "preview": parsed.preview[:255],
        "has_attachment": parsed.has_attachment,
        "importance": parsed.importance,
    }


def _references(parsed: Parsed) -> list[str]:
    """Return the ids that a thread is built by: RFC 5256 §3, THREAD, REFERENCES."""
    references = [one for one in parsed.references if "@" in one]
    return references or [one for one in parsed.in_reply_to if "@" in one][:1]


def _spelled(address: Address) -> str:
    return f"{address.mailbox}@{address.host}" if address.mailbox else ""


def _addresses(parsed: Parsed) -> str:
    lists: dict[str, Sequence[Address]] = {
        "from": parsed.from_,
        "sender": parsed.sender,
        "reply_to": parsed.reply_to,
        "to": parsed.to,
        "cc": parsed.cc,
        "bcc": parsed.bcc,
    }
    found: dict[str, Any] = {
        k: [[a.name, _spelled(a)] for a in v] for k, v in lists.items() if v
    }
    if parsed.groups:
        found["groups"] = parsed.groups
    return json.dumps(
        found,
        ensure_ascii=False,
        separators=(",", ":"),
    )


def chunks_of(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number, octets) of each chunk."""
    if len(octets) <= CHUNK:
        yield 0, octets
        return
    for number, start in enumerate(range(0, len(octets), CHUNK)):
        yield number, octets[start : start + CHUNK]


def stage_blob(size: int) -> int:
    """Make the row of a blob whose chunks follow in transactions of their own."""
    return Blob.objects.create(size=size, complete=False).pk


def stage_chunks(blob_id: int, chunks: list[tuple[int, bytes]]) -> None:
    """Store chunks of a staged blob."""
    BlobChunk.objects.bulk_create(
        [
            BlobChunk(blob_id=blob_id, number=number, octets=octets)
            for number, octets in chunks
        ]
    )
