"""From what the client wrote to what is stored. RFC 9051 §6.3.12, RFC 4469 §3.

A message over 256 KB is kept in a file until it is parsed; one is parsed at a time.
"""

import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from mailhost.mime.structure import from_json
from mailhost.store import read
from mailhost.store.append import Item
from mailhost.store.content import Prepared
from mailhost.store.errors import NoSuchFolder, NoSuchMessage, StoreError
from mailhost.store.folders import open_folder
from mailhost.store.rights import require_on
from protocols.imap.appending.grammar import Message, Part
from protocols.imap.appending.urls import MessageUrl, message_url, shown
from protocols.imap.effects import Effect, Prepare, Read
from protocols.imap.errors import No
from protocols.imap.fetching.load import Source
from protocols.imap.fetching.sections import body_octets, plain_span
from protocols.imap.framing import SPOOL_OVER, Piece
from protocols.imap.names import places
from protocols.imap.session import Session

STEP = 1024 * 1024  # octets copied at a time

Steps = Generator[bytes | Effect, Any, Item]


def assembled(session: Session, message: Message) -> Steps:
    """Put a message together and have it parsed. Raises No for what cannot be."""
    most = session.at.max_message
    first = message.parts[0]
    if len(message.parts) > 1 or isinstance(first, str):
        with tempfile.SpooledTemporaryFile(SPOOL_OVER) as whole:
            yield from _catenate(session, message.parts, whole)
            prepared = yield from _prepared(whole, most)
    else:
        prepared = yield from _prepared(first, most)
    header = prepared.row["header"]
    if session.at.refuse_raw_headers and not session.utf8 and not header.isascii():
        raise No("Say ENABLE UTF8=ACCEPT before you send such a header", "CANNOT")
    return prepared, message.flags, message.keywords, message.date


def _prepared(piece: Piece, most: int) -> Generator[bytes | Effect, Any, Prepared]:
    size = len(piece) if isinstance(piece, bytes) else piece.tell()
    if size > most:
        raise No("The message is too big", "TOOBIG")
    if not size:
        raise No("The message is empty")  # RFC 3502 §6.3.11
    source: bytes | Callable[[], bytes]
    if isinstance(piece, bytes):
        source = piece
    elif size <= SPOOL_OVER:
        source = _whole(piece)
    else:
        source = lambda: _whole(piece)  # noqa: E731 - read where it is parsed
    prepared: Prepared = yield Prepare(source)
    return prepared


def _catenate(
    session: Session, parts: Sequence[Part], whole: IO[bytes]
) -> Generator[bytes | Effect, Any, None]:
    most = session.at.max_message
    for part in parts:
        if isinstance(part, str):
            yield from _copy_url(session, part, whole, most)
        else:
            _copy_piece(part, whole, most)


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _copy_piece(piece: Piece, whole: IO[bytes], most: int) -> None:
    size = len(piece) if isinstance(piece, bytes) else piece.tell()
    _check_room(whole, size, most)
    if isinstance(piece, bytes):
        whole.write(piece)
        return
    piece.seek(0)
    while octets := piece.read(STEP):
        whole.write(octets)


def _check_room(whole: IO[bytes], size: int, most: int) -> None:
    if whole.tell() + size > most:
        raise No("The message is too big", "TOOBIG")


def _copy_url(
    session: Session, written: str, whole: IO[bytes], most: int
) -> Generator[bytes | Effect, Any, None]:
    """Copy what a URL names, unchanged. Raises No BADURL."""
    refusal = No("There is no such message or part", f"BADURL {shown(written)}")
    url = message_url(written)
    if url is None:
        raise refusal
    try:
        question = asked(session, url)
        source = yield Read(look_up, (question,))
    except StoreError:
        raise refusal from None
    span = plain_span(url.body, source)
    if span is None:
        octets = yield Read(body_octets, (url.body, source))
        if octets is None:
            raise refusal
        _check_room(whole, len(octets), most)
        whole.write(octets)
        return
    _check_room(whole, span[1] - span[0], most)
    for a, b in steps(*span):
        octets = yield Read(source.slice, (a, b))
        if len(octets) != b - a:
            raise refusal
        whole.write(octets)


def steps(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut [start, end) into pieces of STEP octets."""
    for a in range(start, end, STEP):
        yield a, min(a + STEP, end)


@dataclass(frozen=True, slots=True)
class Question:
    """A message somebody wants to read: in which folder, and for whom."""

    account_id: int
    name: str
    user_id: int | None
    uid_validity: int | None
    uid: int


def asked(session: Session, url: MessageUrl) -> Question:
    """Return whose message a URL names. Raises NoSuchFolder."""
    if url.mailbox is not None:
        account_id, name = places(session, url.mailbox)
    elif session.selected is not None:
        folder = session.selected.folder
        account_id, name = folder.account_id, folder.name
    else:
        raise NoSuchFolder("No mailbox is selected")
    user_id = session.asker(account_id)
    return Question(account_id, name, user_id, url.uid_validity, url.uid)


def look_up(question: Question) -> Source:
    """Return where the octets of a message come from. Runs SQL.

    Raises NoSuchFolder, NotPermitted, and NoSuchMessage for another UIDVALIDITY too.
    """
    folder = open_folder(question.account_id, question.name, question.user_id)
    require_on(folder, "r")
    columns = ("content_id", "size", "header", "parts")
    rows: dict[int, tuple[Any, ...]] = {}
    if question.uid_validity in {None, folder.uid_validity}:
        rows = read.contents(folder.id, [question.uid], columns)
    if question.uid not in rows:
        raise NoSuchMessage("No such message")
    content_id, size, header, parts = rows[question.uid]
    return Source(content_id, size, header, None, from_json(parts))
