"""DATA and BDAT: a message from its octets to the answer. RFC 5321 §3.3, RFC 3030."""

import re
from collections.abc import Sequence
from typing import ClassVar

from aiosmtpd.smtp import syntax
from django.conf import settings
from typing_extensions import override

from mailhost.outbound.completion import ignores_tls_policy
from mailhost.outbound.values import Envelope, Recipient
from protocols.smtp import replies, trace
from protocols.smtp.connection import Closed
from protocols.smtp.data import Body, Chunk
from protocols.smtp.envelope import EnvelopeConnection
from protocols.smtp.paths import Refused
from protocols.smtp.spool import Spool

# bdat-cmd ::= "BDAT" SP chunk-size [ SP end-marker ]                    RFC 3030 §2
_BDAT = re.compile(r"([0-9]{1,18})(?: +(LAST))?", re.IGNORECASE)


class MailConnection(EnvelopeConnection):
    """Takes messages; what is accepted is the services' word."""

    is_lmtp: ClassVar[bool] = False

    async def take(self, octets: bytes, received: bytes) -> Sequence[str]:
        """Take responsibility for a message; return the reply (LMTP: replies)."""
        raise NotImplementedError

    @syntax("DATA")
    @override
    async def smtp_DATA(self, arg: str | None) -> None:
        if arg:
            raise Refused(replies.NO_ARGUMENT)
        self._check_ready()
        if self.envelope.chunks is not None:
            raise Refused(replies.CHUNKS_BEGUN)  # RFC 3030 §2
        if self.envelope.options.binary:
            raise Refused(replies.ONLY_BDAT)  # RFC 3030 §3
        spool = Spool(self._most)
        try:
            await self.receive(Body(spool), replies.GO_AHEAD)
            await self._finish(spool)
        finally:
            spool.close()

    async def smtp_BDAT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's
        """BDAT size [LAST]: take octets, whatever is said of them. RFC 3030 §2."""
        match = _BDAT.fullmatch(arg or "")
        if match is None:
            # What follows cannot be told from commands.
            self._end(replies.BAD_CHUNK)
            raise Closed
        size, is_last = int(match[1]), bool(match[2])
        refusal = self._chunk_refusal()
        if not refusal and self.envelope.chunks is None:
            self.envelope.chunks = Spool(self._most)
        spool = (not refusal and self.envelope.chunks) or Spool.for_nothing(self._most)
        await self.receive(Chunk(size, spool))
        if refusal:
            raise Refused(refusal)
        if is_last:
            await self._finish(spool)
        elif lost := self._loss(spool):
            self.envelope.has_failed = True
            raise Refused(lost)
        else:
            await self.say(f"250 2.0.0 {size} octets received")

    def _chunk_refusal(self) -> str:
        try:
            self._check_ready()
        except Refused as refused:
            return str(refused)
        return replies.CHUNKS_FAILED if self.envelope.has_failed else ""

    def _check_ready(self) -> None:
        if self.envelope.mail_from is None:
            raise Refused(replies.NEED_MAIL)
        if not self.envelope.recipients:
            raise Refused(replies.NEED_RCPT)

    @staticmethod
    def _loss(spool: Spool) -> str:
        """Return the reply for what could not be kept; empty if all was."""
        if spool.has_no_room:
            return replies.NO_ROOM
        return replies.TOO_BIG if spool.is_too_big else ""

    async def _finish(self, spool: Spool) -> None:
        """Have a whole message taken, and say what became of it."""
        envelope = self.envelope
        try:
            said = await self._taken(spool)
        except Refused as refused:
            said = [str(refused)]
        except (Closed, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - logged there, with its trace
            said = [await self.handle_exception(error)]
        self.forget_mail()
        self.idle_commands = 0
        self.log.info(
            "message from=%r recipients=%d reply=%r",
            *(envelope.mail_from, len(envelope.recipients), said[0]),
        )
        if self.is_lmtp and len(said) != len(envelope.told):
            said = list(said[:1]) * len(envelope.told)  # RFC 2033 §4.2
        for reply in said:
            await self.say(reply)

    async def _taken(self, spool: Spool) -> Sequence[str]:
        if lost := self._loss(spool):
            raise Refused(lost)
        small = spool.in_memory
        if small is not None:
            return await self.take(small, self._received())
        async with spool.whole() as octets:
            return await self.take(octets, self._received())

    def asked(self, octets: bytes) -> Envelope:
        """Return the envelope with all that the sender asked for."""
        given, options = self.envelope, self.envelope.options
        optional = "optional" if ignores_tls_policy(octets) else ""
        return Envelope(
            mail_from=given.mail_from or "",
            recipients=tuple(
                Recipient(address, said.notify, said.orcpt)
                for address, said in given.recipients.items()
            ),
            ret=options.ret,
            envid=options.envid,
            smtputf8=options.smtputf8,
            tls="required" if options.require_tls else optional,
            priority=options.priority,
            deliver_by=options.deliver_by,
        )

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
                utf8=self.envelope.options.smtputf8,
            ),
            show_peer=not (self.is_logged_in and settings.MAILHOST_HIDE_SUBMITTERS),
        )

    @property
    def is_logged_in(self) -> bool:
        """Whether a user of ours is there."""
        return False
