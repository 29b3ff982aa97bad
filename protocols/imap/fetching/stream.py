"""FETCH of one very large message, piece by piece: it is never held as a whole."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

from mailhost.store import read
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Fatal
from protocols.imap.fetching.batch import Batch
from protocols.imap.fetching.columns import column
from protocols.imap.fetching.items import Body
from protocols.imap.fetching.load import Source, load, source
from protocols.imap.fetching.plan import Plan
from protocols.imap.fetching.sections import body_value, encoding_of, plain_span
from protocols.imap.responses import without_nul
from protocols.imap.session import Session

PIECE = 1024 * 1024  # octets read at a time


def stream(
    session: Session, batch: Batch, todo: Plan, folder_id: int
) -> Generator[bytes | Effect, Any, None]:
    """Yield the response of a batch of one message; nothing if it is gone."""
    others = replace(todo, bodies=(), needs_octets=False, octets_only=False)
    batch = yield Read(load, (batch, others, folder_id))
    if not batch.uids:
        return
    octets = source(batch, 0)
    for one in todo.wanted:
        if isinstance(one, Body) and one.binary:
            encoding_of(one, octets)  # to be refused before anything is said
    session.mid_response = True
    yield b"* %d %b (" % (batch.numbers[0], todo.word)
    between = b""
    for one in todo.wanted:
        yield between
        between = b" "
        if isinstance(one, Body):
            yield from _body(one, octets)
        else:
            written, values = column(one)
            yield written % (values(batch)[0],)
    yield b")\r\n"
    session.mid_response = False


def _body(body: Body, source: Source) -> Generator[bytes | Effect, Any, None]:
    span = plain_span(body, source)
    if span is None:
        value = yield Read(body_value, (body, source))
        yield body.label + b" " + value
        return
    start, end = span
    yield body.label + b" {%d}\r\n" % (end - start)
    for a, b in _pieces(start, end):
        octets = yield Read(read.octet_range, (source.content_id, a, b))
        if len(octets) != b - a:
            # The length has been told: there is no way to take it back.
            raise Fatal("The message went while it was read")
        yield without_nul(octets)


def _pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    for a in range(start, end, PIECE):
        yield a, min(a + PIECE, end)
