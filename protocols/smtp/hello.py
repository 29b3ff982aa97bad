"""The commands that have nothing to do with mail: hello, STARTTLS, QUIT and such."""

import asyncio
from typing import Any

from django.conf import settings
from typing_extensions import override

from protocols.common.context import ConnectionContext
from protocols.common.tls import start_tls
from protocols.smtp import replies, xclient
from protocols.smtp.connection import Closed, Connection
from protocols.smtp.paths import Refused


class HelloConnection(Connection):
    """Knows who is there, and goes over to TLS."""

    async def _hello(self, name: str | None, *, extended: bool) -> None:
        if not name:
            raise Refused("501 5.5.4 Say who you are")
        self.forget_mail()
        self.helo, self.is_extended = name, extended
        announced = self.extensions()
        self.offered = frozenset(line.partition(" ")[0] for line in announced)
        *most, last = [self.hostname, *(announced if extended else [])]
        # RFC 2034 §4: no enhanced code here.
        text = "".join(f"250-{line}\r\n" for line in most) + f"250 {last}"
        self._replies += text.encode() + b"\r\n"

    def extensions(self) -> list[str]:
        """Return what EHLO announces."""
        limits = f"RCPTMAX={settings.MAILHOST_MAX_RECIPIENTS}"
        if settings.MAILHOST_MAX_TRANSACTIONS:
            limits = f"MAILMAX={settings.MAILHOST_MAX_TRANSACTIONS} {limits}"
        return [
            "PIPELINING",
            f"SIZE {self.context.limits.max_message_bytes}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "CHUNKING",
            "BINARYMIME",
            f"LIMITS {limits}",  # RFC 9422 §3
            *["DSN"] * self.offers_dsn(),
            *["REQUIRETLS"] * self.context.tls,  # RFC 8689 §2
            *["STARTTLS"] * self.context.offers_starttls,
            *[f"XCLIENT {' '.join(xclient.NAMES)}"] * self.context.trusted_proxy,
        ]

    def offers_dsn(self) -> bool:
        """Whether wishes for reports are taken."""
        return True

    @override
    async def smtp_HELO(self, arg: str | None) -> None:
        await self._hello(arg, extended=False)

    @override
    async def smtp_EHLO(self, arg: str | None) -> None:
        await self._hello(arg, extended=True)

    @override
    async def smtp_QUIT(self, arg: str | None) -> None:
        if arg:
            raise Refused(replies.NO_ARGUMENT)
        self._end(replies.GOODBYE)
        raise Closed

    @override
    async def smtp_NOOP(self, arg: str | None) -> None:
        # RFC 5321 §4.1.1.9: what is said with it counts for nothing.
        await self.say(replies.OK)

    @override
    async def smtp_RSET(self, arg: str | None) -> None:
        if arg:
            raise Refused(replies.NO_ARGUMENT)
        self.forget_mail()
        await self.say(replies.OK)

    @override
    async def smtp_EXPN(self, arg: str | None) -> None:
        # RFC 5321 §7.3: no list is told.
        raise Refused(replies.NOT_IMPLEMENTED)

    async def smtp_ETRN(self, arg: str | None) -> None:  # noqa: N802
        """Start no queue for anybody: RFC 1985 is not offered."""
        raise Refused(replies.NOT_IMPLEMENTED)

    async def smtp_XCLIENT(self, arg: str | None) -> None:  # noqa: N802
        """Believe a proxy who the client is, and begin again.

        postfix.org/XCLIENT_README.html
        """
        if not self.context.trusted_proxy:
            raise Refused(replies.NOT_TRUSTED)
        if not self.is_between_mail:
            raise Refused(replies.ONE_MAIL)
        said = xclient.parse(arg or "")
        self.context = xclient.applied(self.context, said)
        self.log = self.log_of(self.context)
        self._start_over()
        self.helo = said.get("HELO") or ""
        await self.say(self.greeting)

    @property
    def is_between_mail(self) -> bool:
        """Whether no transaction is open."""
        return True

    @override
    async def smtp_VRFY(self, arg: str | None) -> None:
        # RFC 5321 §7.3: it says nothing about who exists.
        await self.say(replies.VRFY if arg else "501 5.5.4 Syntax: VRFY <address>")

    @override
    async def smtp_HELP(self, arg: str | None) -> None:
        # RFC 5321 §4.1.1.8: any argument, one answer.
        await self.say("214 2.0.0 " + " ".join(sorted(self._smtp_methods)))

    @override
    async def smtp_STARTTLS(self, arg: str | None) -> None:
        if arg:
            raise Refused(replies.NO_ARGUMENT)
        if self.context.tls:
            raise Refused(replies.ALREADY_TLS)
        if not self.context.offers_starttls:
            raise Refused(replies.NO_TLS)
        assert self.transport is not None
        # Nothing more is read in the clear; what was is forgotten. RFC 3207 §4.2
        self.transport.pause_reading()
        self._unread.clear()
        await self.say(replies.READY_FOR_TLS)
        self._tls = self.loop.create_future()
        start_tls(self.transport, self, self.context)
        await self._tls

    def tls_started(
        self, transport: asyncio.Transport, context: ConnectionContext
    ) -> None:
        """Go on with this transport; what the client said before is void."""
        self.context = context
        self.log = self.log_of(context)
        self.transport = transport
        # asyncio has no public way; its own StreamWriter.start_tls does the same.
        streams: tuple[Any, ...] = (self, self._reader, self._writer)
        for stream in streams:
            stream._transport = transport  # noqa: SLF001
        self._over_ssl = True
        self._start_over()
        assert self._tls is not None
        self._tls.set_result(None)
