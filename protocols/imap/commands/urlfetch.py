"""URLFETCH. RFC 4467 (text not read)."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from mailhost.store.errors import StoreError
from mailhost.store.urlkeys import signer
from protocols.imap.appending.assemble import Question, look_up, steps
from protocols.imap.commands.base import Run
from protocols.imap.effects import Effect, Read
from protocols.imap.errors import Bad, Fatal
from protocols.imap.fetching.load import Source
from protocols.imap.fetching.sections import body_value, plain_span
from protocols.imap.parser import Parser
from protocols.imap.responses import quoted, without_nul
from protocols.imap.session import Session
from protocols.imap.urlauth import AuthUrl, is_right, is_url, signed_url

MOST_URLS = 100  # of one command


@dataclass(frozen=True, slots=True)
class Urlfetch:
    """Tell what signed URLs lead to; NIL for each that is not, or no longer, good."""

    urls: tuple[str, ...]

    @classmethod
    def parse(cls, p: Parser) -> Self:
        urls: list[str] = []
        while not urls or p.next() == b" ":
            p.sp()
            urls.append(p.astring())
            if not is_url(urls[-1]):
                raise Bad("This is no URL")
            if len(urls) > MOST_URLS:
                raise Bad("Too many URLs", "LIMIT")
        p.crlf()
        return cls(tuple(urls))

    def run(self, session: Session) -> Run:
        session.mid_response = True  # each line is told in pieces
        for url in self.urls:
            yield b"* URLFETCH " + quoted(url).encode()
            source = None
            signed = signed_url(url)
            if signed is not None and _may_use(session, signed[0]):
                source = yield Read(_found, signed)
            if signed is None or source is None:
                yield b" NIL\r\n"
            else:
                yield from _tell(signed[0], source)
        return ""


def _may_use(session: Session, url: AuthUrl) -> bool:
    return (
        url.host == session.at.hostname.lower()
        and url.is_for(session.who().email)
        and not url.is_over(datetime.now(UTC))
    )


def _found(url: AuthUrl, token: bytes) -> Source | None:
    """Return the message, if its owner has signed this and could read it now."""
    message = url.message
    try:
        held = signer(url.user, url.mailbox)
        if held is None or not is_right(held.key, url, token):
            return None
        return look_up(
            Question(
                held.account_id, url.mailbox, None, message.uid_validity, message.uid
            )
        )
    except StoreError:
        return None


def _tell(url: AuthUrl, source: Source) -> Generator[bytes | Effect, Any, None]:
    body = url.message.body
    span = plain_span(body, source)
    if span is None:
        value = yield Read(body_value, (body, source))
        yield b" " + value + b"\r\n"
        return
    yield b" {%d}\r\n" % (span[1] - span[0])
    for a, b in steps(*span):
        octets = yield Read(source.slice, (a, b))
        if len(octets) != b - a:
            raise Fatal("The message went while it was read")
        yield without_nul(octets)
    yield b"\r\n"
