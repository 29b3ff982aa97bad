"""Everything that is stored of a message, from its octets in one call."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailhost.mime import imap, words
from mailhost.mime.addresses import Address, Entry, mailboxes
from mailhost.mime.dates import parse_date
from mailhost.mime.limits import MAX_MESSAGE_ID, MAX_REFERENCES
from mailhost.mime.part import Part
from mailhost.mime.preview import has_attachment, preview
from mailhost.mime.subjects import base_subject
from mailhost.mime.tree import Tree

__all__ = ["PARSER_VERSION", "Parsed", "Part", "parse"]

# Raised when `parse` yields something else for the same octets; a job then renders
# what older versions stored.
PARSER_VERSION = 3

# msg-id = "<" id-left "@" id-right ">"                                RFC 5322 §3.6.4
MESSAGE_ID = re.compile(rb"<([^<>\s]++)>")
IMPORTANCES = {
    b"high": 1, b"normal": 0, b"low": -1,
    b"1": 1, b"2": 1, b"3": 0, b"4": -1, b"5": -1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """A message as it is stored. No text in it holds a NUL or a lone surrogate.

    `envelope`, `body` and `bodystructure` are complete IMAP values; see `imap` for how
    8-bit header octets are rendered.
    """

    root: Part
    header: bytes  # the header block with its blank line, as it arrived
    envelope: bytes  # FETCH ENVELOPE
    bodystructure: bytes  # FETCH BODYSTRUCTURE, with extension data
    body: bytes  # FETCH BODY, without
    sent_at: datetime | None  # the Date field in UTC; None if unreadable
    subject: str  # decoded
    base_subject: str  # RFC 5256 §2.1, casemapped
    from_: tuple[Address, ...]
    sender: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    groups: Mapping[str, str]  # the group a list begins with: {"to": "friends"}
    message_id: str  # without <>; "" if none
    in_reply_to: tuple[str, ...]  # ids without <>, at most MAX_REFERENCES
    references: tuple[str, ...]  # ids without <>, the last MAX_REFERENCES
    preview: str  # RFC 8970, at most MAX_PREVIEW characters, one line
    has_attachment: bool
    importance: int  # 1 high, -1 low, else 0


def parse(octets: bytes | memoryview) -> Parsed:
    """Read a message. Never raises, whatever the octets; linear time.

    A memoryview is copied once; bytes are not.
    """
    octets = bytes(octets)
    tree = Tree(octets)
    root = tree.read()
    fields, entries = tree.fields, tree.entries
    subject = words.decode(fields.get(b"subject", b""))
    people = {name: mailboxes(found) for name, found in entries.items()}
    return Parsed(
        root=root,
        header=octets[: root.header[1]],
        envelope=imap.envelope(fields, entries),
        bodystructure=b"".join(tree.structure),
        body=b"".join(tree.body),
        sent_at=parse_date(fields[b"date"]) if b"date" in fields else None,
        subject=subject,
        base_subject=base_subject(subject),
        from_=people.get(b"from", ()),
        sender=people.get(b"sender", ()),
        reply_to=people.get(b"reply-to", ()),
        to=people.get(b"to", ()),
        cc=people.get(b"cc", ()),
        bcc=people.get(b"bcc", ()),
        groups=_leading_groups(entries),
        message_id=_message_id(fields),
        in_reply_to=_ids(fields, b"in-reply-to"),
        references=_ids(fields, b"references"),
        preview=preview(octets, root),
        has_attachment=has_attachment(root),
        importance=importance(fields),
    )


def importance(fields: Mapping[bytes, bytes]) -> int:
    """Return how much its author makes of it: 1 high, -1 low, else 0.

    Importance is RFC 2156 §5.3.4 (text not read), X-Priority what programs write.
    """
    word = fields.get(b"importance", b"").strip().lower()
    if word in IMPORTANCES:
        return IMPORTANCES[word]
    return IMPORTANCES.get(fields.get(b"x-priority", b"").strip()[:1], 0)


def _leading_groups(entries: Mapping[bytes, Sequence[Entry]]) -> dict[str, str]:
    """Return the names of groups that stand first, by field."""
    return {
        name.decode("ascii"): words.decode(found[0].mailbox)
        for name, found in entries.items()
        if found and found[0].host is None and found[0].mailbox
    }


def _ids(fields: Mapping[bytes, bytes], name: bytes) -> tuple[str, ...]:
    """Return the ids of a field, the last ones if they are many."""
    value = fields.get(name)
    if not value:
        return ()
    found = MESSAGE_ID.findall(value)[-MAX_REFERENCES:]
    return tuple([words.decode(id_) for id_ in found if len(id_) <= MAX_MESSAGE_ID])


def _message_id(fields: Mapping[bytes, bytes]) -> str:
    """Return the id; one written without its angle brackets counts too."""
    value = fields.get(b"message-id", b"")
    match = MESSAGE_ID.search(value)
    octets = match[1] if match else value.strip(b"<> \t")
    return words.decode(octets) if len(octets) <= MAX_MESSAGE_ID else ""
