"""What has to be read for the items of a FETCH, and the template that they fill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from protocols.imap.fetching.batch import Batch
from protocols.imap.fetching.columns import Values, column
from protocols.imap.fetching.items import (
    FROM_CONTENT,
    FROM_MESSAGE,
    Body,
    Section,
    Wanted,
)

# What BODY[] asks for: the octets as they are.
WHOLE_MESSAGE = (Section(), None, False)


@dataclass(frozen=True, slots=True)
class Plan:
    """The items of one FETCH; for the same items the same plan will do."""

    wanted: tuple[Wanted, ...]
    bodies: tuple[Body, ...]  # those of `wanted`
    content: tuple[str, ...]  # columns of Content, content_id first
    message: tuple[str, ...]  # columns of Message
    needs_octets: bool
    octets_only: bool  # BODY[] and what the view has: no other column is read
    template: bytes  # one response
    word: bytes  # FETCH; UIDFETCH where the number is a UID. RFC 9586
    values: tuple[Values, ...]  # for its holes, the first one's excepted: the number

    @property
    def from_view(self) -> bool:
        """Whether no SQL is needed."""
        return not self.content and not self.message


def plan(wanted: Sequence[Wanted], word: bytes = b"FETCH") -> Plan:
    """Work out what to read and what to write."""
    bodies = tuple(one for one in wanted if isinstance(one, Body))
    content: dict[str, None] = {}
    message: dict[str, None] = {}
    for body in bodies:
        content["header"] = None
        if body.section.needs_structure or body.binary:
            content["parts"] = None
    for one in wanted:
        if not isinstance(one, Body) and one.name in FROM_CONTENT:
            content[FROM_CONTENT[one.name]] = None
        elif not isinstance(one, Body) and one.name in FROM_MESSAGE:
            message[FROM_MESSAGE[one.name]] = None
    octets = any(not body.section.is_header_only for body in bodies)
    whole = octets and all(one == WHOLE_MESSAGE for one in _of_content(wanted))
    columns = [column(one) for one in wanted]
    return Plan(
        wanted=tuple(wanted),
        bodies=bodies,
        content=("content_id", "size", *content) if content else (),
        message=tuple(message),
        needs_octets=octets,
        octets_only=whole and not message,
        template=b"* %d "
        + word
        + b" ("
        + b" ".join([c[0] for c in columns])
        + b")\r\n",
        word=word,
        values=tuple(c[1] for c in columns),
    )


def _of_content(wanted: Sequence[Wanted]) -> Iterator[tuple[object, ...]]:
    """Yield what the items that are read from Content ask for."""
    for one in wanted:
        if isinstance(one, Body):
            yield one.section, one.partial, one.binary
        elif one.name in FROM_CONTENT:
            yield (one.name,)


def lines(batch: Batch, todo: Plan) -> bytes:
    """Write the FETCH responses of a batch."""
    columns = [values(batch) for values in todo.values]
    rows = zip(batch.numbers, *columns, strict=True)
    if todo.needs_octets:
        return b"".join([todo.template % row for row in rows])
    # One large template is filled faster than many small ones and then joined.
    filling = tuple(chain.from_iterable(rows))
    return (todo.template * len(batch.numbers)) % filling
