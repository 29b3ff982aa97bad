"""AUTHENTICATE. RFC 9051 §6.2.2; with an initial response RFC 4959 §3."""

import binascii
from dataclasses import dataclass, field
from typing import Self

from protocols.imap.commands.base import Run
from protocols.imap.commands.login import log_in
from protocols.imap.effects import Await
from protocols.imap.errors import Bad, No
from protocols.imap.parser import ATOM, Parser
from protocols.imap.session import Session
from protocols.sasl import Credentials, SaslError, start


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
        mechanism = start(self.mechanism)
        if mechanism is None:
            raise No("There is no such mechanism", "CANNOT")
        response = None if self.initial is None else _decoded(self.initial)
        while True:
            try:
                said = mechanism.step(response)
            except SaslError as error:
                raise Bad(str(error)) from None
            if isinstance(said, Credentials):
                return (yield from log_in(session, said.login, said.password))
            challenge = binascii.b2a_base64(said.octets, newline=False)
            yield b"+ " + challenge + b"\r\n"
            line = yield Await(line=True)
            if line == b"*":
                raise Bad("Cancelled")
            response = _decoded(line or b"=")


def _decoded(base64: bytes) -> bytes:
    if base64 == b"=":
        return b""
    try:
        return binascii.a2b_base64(base64, strict_mode=True)
    except binascii.Error:
        raise Bad("Not base64") from None
