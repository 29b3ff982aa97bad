"""What FETCH can be asked for, as values. RFC 9051 §6.4.5."""

import enum
from dataclasses import dataclass

from mailhost.mime.part import Part


class Kind(enum.Enum):
    """What of a part a section names."""

    ALL = ""
    HEADER = "HEADER"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"


@dataclass(frozen=True, slots=True)
class Section:
    """The inside of BODY[…]: part numbers, what of the part, and which fields."""

    part: str = ""  # 1.2.3; "" is the message itself
    kind: Kind = Kind.ALL
    fields: tuple[bytes, ...] = ()

    @property
    def needs_structure(self) -> bool:
        return bool(self.part)

    @property
    def is_header_only(self) -> bool:
        """Whether the stored header block is enough."""
        return not self.part and self.kind in {
            Kind.HEADER, Kind.FIELDS, Kind.FIELDS_NOT,
        }  # fmt: skip

    def span(self, root: Part | None, header: int, size: int) -> tuple[int, int] | None:
        """Return [start, end) in the message; None: there is no such part.

        `header`: octets of the message's header block; `root` is None where
        `needs_structure` is False.
        """
        if not self.part or root is None:
            return self._top(header, size)
        part = root.find(self.part)
        if part is None:
            return None
        if self.kind is Kind.ALL:
            return part.body
        if self.kind is Kind.MIME:
            return part.header
        if not part.is_message or not part.children:
            return None
        inner = part.children[0]
        return inner.body if self.kind is Kind.TEXT else inner.header

    def _top(self, header: int, size: int) -> tuple[int, int]:
        if self.kind is Kind.ALL:
            return 0, size
        return (header, size) if self.kind is Kind.TEXT else (0, header)


@dataclass(frozen=True, slots=True)
class Body:
    """BODY[…], BINARY[…], and RFC822 with its kin."""

    label: bytes  # as it is answered, partial included: BODY[TEXT]<0>
    section: Section
    partial: tuple[int, int] | None = None  # first octet, most octets
    peek: bool = True
    binary: bool = False
    size_only: bool = False  # BINARY.SIZE


@dataclass(frozen=True, slots=True)
class Item:
    """An attribute without arguments, such as FLAGS or ENVELOPE."""

    name: str


# Those that the view answers without SQL.
FROM_VIEW = frozenset({"FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "MODSEQ"})
# Column of Content that holds the value.
FROM_CONTENT = {
    "ENVELOPE": "envelope",
    "BODYSTRUCTURE": "bodystructure",
    "BODY": "body",
    "PREVIEW": "preview",
}
# Column of Message that holds it.
FROM_MESSAGE = {"EMAILID": "email_id", "THREADID": "thread_id", "SAVEDATE": "saved_at"}
NAMES = FROM_VIEW | set(FROM_CONTENT) | set(FROM_MESSAGE)

MACROS = {
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}
Wanted = Item | Body
