"""AUTHENTICATE. RFC 9051 §6.2.2; with an initial response RFC 4959 §3."""

import binascii
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Self

from accounts.auth import Login, LoginRefused
from protocols.imap.commands.base import Run
from protocols.imap.commands.login import check, logged_in
from protocols.imap.effects import Await, Effect
from protocols.imap.errors import Bad, No
from protocols.imap.parser import ATOM, Parser
from protocols.imap.session import Session
from protocols.sasl import Challenge, Exchange, SaslError, start


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Log in by a SASL mechanism; lines of base64 go to and fro."""

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)  # still base64; b"=": ""

    @classmethod
    def parse(cls, p: Parser) -> Self:
        p.sp()
        mechanism = p.atom()
        initial = p.match(ATOM, "base64")[0] if p.takes(b" ") else None
        p.crlf()
        return cls(mechanism, initial)

    def run(self, session: Session) -> Run:
        if not session.at.may_log_in:
            raise No("Start TLS first", "PRIVACYREQUIRED")
        exchange = start(self.mechanism, session.at.sasl)
        if exchange is None:
            raise No("There is no such mechanism", "CANNOT")
        try:
            login = yield from self._log_in(session, exchange)
        except SaslError as error:
            raise Bad(str(error)) from None
        return (yield from logged_in(session, login))

    def _log_in(
        self, session: Session, exchange: Exchange
    ) -> Generator[bytes | Effect, Any, Login]:
        initial = None if self.initial is None else _decoded(self.initial)
        said = exchange.step(initial)
        while not isinstance(said, Login):
            if isinstance(said, Challenge):
                said = exchange.step((yield from _ask(said.octets)))
                continue
            try:
                said = exchange.answered((yield from check(session, said)))
            except LoginRefused as error:
                said = exchange.refused(error)
        return said


def _ask(challenge: bytes) -> Generator[bytes | Effect, Any, bytes]:
    yield b"+ " + binascii.b2a_base64(challenge, newline=False) + b"\r\n"
    line = yield Await(line=True)
    if line == b"*":
        raise Bad("Cancelled")
    return _decoded(line or b"=")


def _decoded(base64: bytes) -> bytes:
    if base64 == b"=":
        return b""
    try:
        return binascii.a2b_base64(base64, strict_mode=True)
    except binascii.Error:
        raise Bad("Not base64") from None
