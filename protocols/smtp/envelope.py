"""MAIL and RCPT: who writes to whom, and what they ask for. RFC 5321 §3.3."""

from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import Envelope, syntax
from django.conf import settings
from typing_extensions import override

from mailhost.delivery import Route
from protocols.smtp import replies
from protocols.smtp.connection import Closed
from protocols.smtp.parameters import (
    NOTHING_SAID,
    MailOptions,
    RcptOptions,
    mail_options,
    rcpt_options,
)
from protocols.smtp.paths import Path, Refused, parse
from protocols.smtp.receiving import ReceivingConnection
from protocols.smtp.spool import Spool


@dataclass
class Transaction(Envelope):
    """An envelope in the making; `mail_from` None: MAIL was not said.

    aiosmtpd's own members stay unused.
    """

    mail_from: str | None = None
    options: MailOptions = NOTHING_SAID
    recipients: dict[str, RcptOptions] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)  # each RCPT that was answered 250
    chunks: Spool | None = None  # what BDAT brought so far
    has_failed: bool = False  # a BDAT was refused

    def forget(self) -> None:
        """Give up what was kept."""
        if self.chunks is not None:
            self.chunks.close()
            self.chunks = None


class EnvelopeConnection(ReceivingConnection):
    """Hears of messages; which senders and recipients are taken, the services say."""

    envelope: Transaction
    _transactions = 0

    # ---- For the services

    async def check_sender(self, address: str) -> None:
        """Raise Refused if this sender is not taken."""

    async def check_recipient(self, address: str) -> Route:
        """Return where it leads; raise Refused if that is nowhere."""
        raise NotImplementedError

    # ---- Commands

    @override
    def _create_envelope(self) -> Transaction:
        return Transaction()

    @override
    def forget_mail(self) -> None:
        old: Any = self.envelope
        if old is not None:
            old.forget()
        super().forget_mail()

    @override
    async def _handle_client(self) -> None:
        try:
            await super()._handle_client()
        finally:
            self.envelope.forget()

    @property
    @override
    def is_between_mail(self) -> bool:
        return self.envelope.mail_from is None

    @syntax("MAIL FROM:<address>", extended=" [SP <mail-parameters>]")
    @override
    async def smtp_MAIL(self, arg: str | None) -> None:
        if not self.helo:
            raise Refused(replies.NEED_HELO)
        if self.envelope.mail_from is not None:
            raise Refused(replies.ONE_MAIL)
        self._count()
        path = parse(arg, "FROM")
        options = mail_options(path, max_bytes=self._most, offered=self.offered)
        if path.address and "@" not in path.address:
            raise Refused(replies.BAD_ADDRESS)
        await self.check_sender(path.address)
        self.envelope.mail_from, self.envelope.options = path.address, options
        await self.say(replies.SENDER_OK)

    def _count(self) -> None:
        # RFC 9422 §3: commands count, whatever their answer
        self._transactions += 1
        most = settings.MAILHOST_MAX_TRANSACTIONS
        if most and self._transactions > most:
            self._end(replies.TOO_MANY_MESSAGES)
            raise Closed

    @property
    def _most(self) -> int:
        return self.context.limits.max_message_bytes

    @syntax("RCPT TO:<address>", extended=" [SP <rcpt-parameters>]")
    @override
    async def smtp_RCPT(self, arg: str | None) -> None:
        if self.envelope.mail_from is None:
            raise Refused(replies.NEED_MAIL)
        if self.envelope.chunks is not None:
            raise Refused(replies.CHUNKS_BEGUN)
        path = parse(arg, "TO")
        self._check_form(path)
        options = rcpt_options(
            path, smtputf8=self.envelope.options.smtputf8, offered=self.offered
        )
        if len(self.envelope.told) >= settings.MAILHOST_MAX_RECIPIENTS:
            raise Refused(replies.TOO_MANY_RECIPIENTS)  # RFC 5321 §4.5.3.1.10
        way = await self.check_recipient(path.address)
        self._check_fit(way)
        self.envelope.recipients[path.address] = options
        self.envelope.routes[path.address] = way
        self.envelope.told.append(path.address)
        await self.say(replies.RECIPIENT_OK)

    def _check_fit(self, way: Route) -> None:
        """Raise Refused for a recipient who cannot have this message."""
        options = self.envelope.options
        if options.binary and not (way.is_local and not way.outside):
            raise Refused(replies.NO_BINARY_OUT)  # RFC 3030 §3
        if way.room is None or way.outside:
            return
        if way.most is not None and options.size > way.most:
            raise Refused(replies.OVER_QUOTA)
        if way.room <= 0 or options.size > way.room:
            raise Refused(replies.MAILBOX_FULL)

    @staticmethod
    def _check_form(path: Path) -> None:
        # RFC 5321 §4.5.1: postmaster may come without a domain
        if "@" not in path.address and path.address.lower() != "postmaster":
            raise Refused(replies.BAD_ADDRESS)
