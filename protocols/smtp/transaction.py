"""MAIL, RCPT, DATA: one message from its envelope to the answer. RFC 5321 §3.3."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from aiosmtpd.smtp import Envelope, syntax
from django.conf import settings
from typing_extensions import override

from mailhost.delivery import Route
from protocols.smtp import replies, trace
from protocols.smtp.connection import Closed
from protocols.smtp.data import Body
from protocols.smtp.hello import HelloConnection
from protocols.smtp.parameters import (
    MailOptions,
    RcptOptions,
    mail_options,
    rcpt_options,
)
from protocols.smtp.paths import Path, Refused, parse


@dataclass
class Transaction(Envelope):
    """An envelope in the making; `mail_from` None: MAIL was not said.

    aiosmtpd's own members stay unused.
    """

    mail_from: str | None = None
    options: MailOptions = field(default_factory=MailOptions)
    recipients: dict[str, RcptOptions] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)


class MailConnection(HelloConnection):
    """Takes messages; what is accepted is the services' word."""

    is_lmtp: ClassVar[bool] = False
    offers_dsn: ClassVar[bool] = False
    envelope: Transaction
    _body: Body | None = None
    _whole: "asyncio.Future[None] | None" = None

    # ---- For the services

    async def check_sender(self, address: str) -> None:
        """Raise Refused if this sender is not taken."""

    async def check_recipient(self, address: str) -> Route:
        """Return where it leads; raise Refused if that is nowhere."""
        raise NotImplementedError

    async def take(self, octets: bytes, received: bytes) -> Sequence[str]:
        """Take responsibility for a message; return the reply (LMTP: replies)."""
        raise NotImplementedError

    # ---- Commands

    @override
    def _create_envelope(self) -> Transaction:
        return Transaction()

    @syntax("MAIL FROM:<address>", extended=" [SP <mail-parameters>]")
    @override
    async def smtp_MAIL(self, arg: str | None) -> None:
        if not self.helo:
            raise Refused(replies.NEED_HELO)
        if self.envelope.mail_from is not None:
            raise Refused(replies.ONE_MAIL)
        path = parse(arg, "FROM")
        options = mail_options(
            path,
            max_bytes=self.context.limits.max_message_bytes,
            dsn=self.offers_dsn,
        )
        if path.address and "@" not in path.address:
            raise Refused(replies.BAD_ADDRESS)
        await self.check_sender(path.address)
        self.envelope.mail_from, self.envelope.options = path.address, options
        await self.say(replies.SENDER_OK)

    @syntax("RCPT TO:<address>", extended=" [SP <rcpt-parameters>]")
    @override
    async def smtp_RCPT(self, arg: str | None) -> None:
        if self.envelope.mail_from is None:
            raise Refused(replies.NEED_MAIL)
        path = parse(arg, "TO")
        self._check_form(path)
        options = rcpt_options(
            path, smtputf8=self.envelope.options.smtputf8, dsn=self.offers_dsn
        )
        if len(self.envelope.recipients) >= settings.MAILHOST_MAX_RECIPIENTS:
            raise Refused(replies.TOO_MANY_RECIPIENTS)  # RFC 5321 §4.5.3.1.10
        way = await self.check_recipient(path.address)
        self.envelope.recipients[path.address] = options
        self.envelope.routes[path.address] = way
        await self.say(replies.RECIPIENT_OK)

    @staticmethod
    def _check_form(path: Path) -> None:
        # RFC 5321 §4.5.1: postmaster may come without a domain
        if "@" not in path.address and path.address.lower() != "postmaster":
            raise Refused(replies.BAD_ADDRESS)

    @syntax("DATA")
    @override
    async def smtp_DATA(self, arg: str | None) -> None:
        if arg:
            raise Refused(replies.NO_ARGUMENT)
        if self.envelope.mail_from is None:
            raise Refused(replies.NEED_MAIL)
        if not self.envelope.recipients:
            raise Refused(replies.NEED_RCPT)
        body = await self._read_body()
        envelope = self.envelope
        try:
            if body.too_big:
                raise Refused(replies.TOO_BIG)
            said = await self.take(body.message(), self._received())
        except Refused as refused:
            said = [str(refused)]
        except (Closed, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - logged there, with its trace
            said = [await self.handle_exception(error)]
        self.forget_mail()
        self.log.info(
            "message from=%r recipients=%d reply=%r",
            *(envelope.mail_from, len(envelope.recipients), said[0]),
        )
        if self.is_lmtp and len(said) != len(envelope.recipients):
            said = list(said[:1]) * len(envelope.recipients)  # RFC 2033 §4.2
        for reply in said:
            await self.say(reply)

    # ---- The octets after DATA

    async def _read_body(self) -> Body:
        """Say 354 and collect what follows, past asyncio's reader."""
        body = Body(self.context.limits.max_message_bytes)
        early = b""
        if self._unread:
            early = await self._reader.read(1 << 30)
        self._body, self._whole = body, self.loop.create_future()
        self._replies += replies.GO_AHEAD.encode() + b"\r\n"
        if early:
            # Sent without waiting for the 354; still, only CRLF.CRLF ends it.
            self._body_received(early)
        if self._reader.at_eof():
            self._lose_body()
        await self.flush()
        await self._whole
        return body

    @override
    def data_received(self, data: bytes) -> None:
        if self._body is None:
            super().data_received(data)
        else:
            self._timer.touch()
            self._body_received(data)

    def _body_received(self, octets: bytes) -> None:
        assert self._body is not None
        rest = self._body.feed(octets)
        if rest is None:
            return
        self._body = None
        assert self._whole is not None
        self._whole.set_result(None)
        if rest:
            self._reader.feed_data(rest)

    def _lose_body(self) -> None:
        if self._body is not None and self._whole is not None:
            self._body = None
            self._whole.set_exception(Closed())

    @override
    def eof_received(self) -> bool:
        self._lose_body()
        return super().eof_received()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._lose_body()
        super().connection_lost(error)

    # ---- Trace

    def _received(self) -> bytes:
        return trace.received(
            helo=self.helo,
            peer=self.context.peer,
            host=self.hostname,
            protocol=trace.with_protocol(
                lmtp=self.is_lmtp,
                extended=self.is_extended,
                tls=self.context.tls,
                login=self.is_logged_in,
            ),
            show_peer=not self.is_logged_in,
        )

    @property
    def is_logged_in(self) -> bool:
        """Whether a user of ours is there."""
        return False
