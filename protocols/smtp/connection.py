"""One SMTP connection: lines in, replies out, TLS, timeouts. Knows no mail.

A subclass of aiosmtpd's SMTP, of which it keeps the session, the table of `smtp_…`
methods and the plain commands. What 1.4.6 does otherwise than we need:

- its command size limits are shared by all connections: ours are constants
- an exception's text is told to the peer as a permanent 500: ours is logged, 451
- every reply is a write of its own: ours wait while the client has more to say
  (RFC 2920 §3.2), and all of them have enhanced codes (RFC 2034)
- the end of the input cancels the command in progress: ours finishes
- making one costs 170 µs of introspection: ours is done once per class
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, AnyStr, ClassVar, TypeAlias, cast

from aiosmtpd.smtp import SMTP, Session
from typing_extensions import override

from protocols.common.context import ConnectionContext
from protocols.common.logs import ConnectionLog
from protocols.smtp import replies
from protocols.smtp.paths import Refused

log = logging.getLogger(__name__)
# It writes every command of every client, with what users typed; we log ourselves.
logging.getLogger("mail.log").setLevel(logging.WARNING)

READ_LIMIT = 65_536  # octets that wait unread before the peer is slowed
HELD_BACK = 8192  # octets of replies that wait for a pipelining client
MOST_REFUSALS = 100  # 4xx and 5xx replies of one connection
# Commands that bring no mail nearer, between two messages.
MOST_IDLE_COMMANDS = 100
# Only what is said to these may wait for the next command. RFC 2920 §3.2 (2), RFC 3030
GROUPED = {"RSET", "MAIL", "RCPT", "BDAT"}
IDLE_COMMANDS = {"NOOP", "RSET", "VRFY", "HELP", "EHLO", "HELO", "LHLO", "XCLIENT"}
TIMEOUT_SECONDS = 300  # RFC 5321 §4.5.3.2.7

# Octets of a line with its CRLF. RFC 5321 §4.5.3.1.4 says 512; the extensions add to
# it (RFC 1870, 6531, 3461), AUTH wants 12288 (RFC 4954 §4).
LINE = 1000
LINES = {"MAIL": 2048, "RCPT": 2048, "AUTH": 12_288}

Method: TypeAlias = Callable[[str | None], Awaitable[None]]
Command: TypeAlias = Callable[["Connection", str | None], Awaitable[None]]


class Closed(Exception):
    """The peer is gone, or was told goodbye."""


_tables: dict[type, dict[str, Command]] = {}


def commands(of: type["Connection"]) -> dict[str, Command]:
    """Return the command table of a class, by upper-case verb; made once."""
    if of not in _tables:
        _tables[of] = _table(of)
    return _tables[of]


def _table(of: type["Connection"]) -> dict[str, Command]:
    return {
        name.removeprefix("smtp_"): getattr(of, name)
        for name in dir(of)
        if name.startswith("smtp_") and name.removeprefix("smtp_") not in of.without
    }


class Connection(SMTP):
    """A client, from the greeting to the goodbye."""

    line_length_limit = READ_LIMIT
    banner: ClassVar[str] = "ESMTP mailhost"
    before_tls: ClassVar[frozenset[str] | None] = None  # None: everything
    without: ClassVar[frozenset[str]] = frozenset()
    offered: frozenset[str] = frozenset()  # keywords that EHLO announced

    def __init__(self, context: ConnectionContext) -> None:
        # Not SMTP.__init__: see above. A test compares what it would have set.
        loop = asyncio.get_running_loop()
        asyncio.StreamReaderProtocol.__init__(
            self,
            asyncio.StreamReader(limit=READ_LIMIT, loop=loop),
            client_connected_cb=self._cb_client_connected,
            loop=loop,
        )
        self.loop = loop
        self.context = context
        self.log = self.log_of(context)
        self.hostname = context.hostname
        self.command_size_limits = LINES
        self.enable_SMTPUTF8 = True
        self._smtp_methods = {
            verb: method.__get__(self) for verb, method in commands(type(self)).items()
        }
        self._handle_hooks: dict[str, Any] = {}
        self._auth_required = False
        self.transport: asyncio.Transport | None = None
        self.envelope = None
        self._start_over()
        self._replies = bytearray()
        self._refusals = self.idle_commands = 0
        self._is_idle = self._is_draining = False
        self._tls: asyncio.Future[None] | None = None
        self._handler_coroutine: asyncio.Task[None] | None = None
        self._timer = context.timer(self._timed_out, TIMEOUT_SECONDS)

    @staticmethod
    def log_of(context: ConnectionContext) -> ConnectionLog:
        """Return the log that names this connection in every line."""
        return ConnectionLog(log, context)

    def _start_over(self) -> None:
        self.helo = ""  # what the client calls itself
        self.is_extended = False
        self.session = Session(self.loop)
        self.session.peer = self.context.peer
        self.forget_mail()

    def forget_mail(self) -> None:
        """Forget the transaction. RFC 5321 §4.1.1.5."""
        self.envelope = self._create_envelope()

    # ---- asyncio's side

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        asyncio.StreamReaderProtocol.connection_made(self, transport)
        # uvloop's transports are none of asyncio's by class.
        self.transport = cast(asyncio.Transport, transport)
        self._handler_coroutine = self.loop.create_task(self._handle_client())

    @override
    def data_received(self, data: bytes) -> None:
        self._timer.touch()
        super().data_received(data)

    @override
    def eof_received(self) -> bool:
        # What is in progress is finished and answered; TLS cannot stay half open.
        asyncio.StreamReaderProtocol.eof_received(self)
        return not self.context.tls

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._timer.cancel()
        self.context.closed()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None
        if self._tls is not None and not self._tls.done():
            self._tls.set_exception(Closed())

    def drain(self) -> None:
        """Say goodbye, at once or after the command in progress. RFC 5321 §3.8."""
        self._is_draining = True
        if self._is_idle:
            self._end(replies.STOPPING)

    def _timed_out(self) -> None:
        self.log.info("timeout")
        self._end(replies.TIMEOUT)

    def _end(self, reply: str) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self._replies += reply.encode() + b"\r\n"
            self.transport.write(bytes(self._replies))
            self._replies.clear()
            self.transport.close()

    # ---- The loop

    @override
    async def _handle_client(self) -> None:
        try:
            await self.say(self.greeting)
            while True:
                await self._command(await self.read_line())
                if self._is_draining:
                    self._end(replies.STOPPING)
                    return
        except (Closed, ConnectionError):
            pass
        finally:
            if self.transport is not None:
                self.transport.close()

    @property
    def greeting(self) -> str:
        """What is said first."""
        return f"220 {self.hostname} {self.banner}"

    async def read_line(self) -> bytes:
        """Return the next line without its end; raises Closed. Sends what waits.

        A line that is too long is dropped to its end and comes as LINES' most + 1.
        """
        if not self._has_line():
            await self.flush()
        self._is_idle = True
        try:
            line: bytes = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            return await self._skip_line()
        except asyncio.IncompleteReadError:
            raise Closed from None
        finally:
            self._is_idle = False
        return line.rstrip(b"\r\n") if len(line) < READ_LIMIT else line

    @property
    def _unread(self) -> bytearray:
        # asyncio has no public way to ask; aiosmtpd does the same.
        reader: Any = self._reader
        unread: bytearray = reader._buffer  # noqa: SLF001
        return unread

    def _has_line(self) -> bool:
        return b"\n" in self._unread

    async def _skip_line(self) -> bytes:
        while True:
            try:
                await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                await self._reader.read(error.consumed)
            except asyncio.IncompleteReadError:
                raise Closed from None
            else:
                return b"x" * (READ_LIMIT + 1)

    async def _command(self, line: bytes) -> None:
        """Run one command; the one place where what goes wrong is caught."""
        verb_octets, _, rest = line.partition(b" ")
        verb = verb_octets.upper().decode("ascii", "replace")
        try:
            if len(line) + 2 > self.command_size_limits.get(verb, LINE):
                raise Refused(replies.LINE_TOO_LONG)
            await self._method(verb)(self._argument(rest))
        except Refused as refused:
            self.log.info("refused command=%r reply=%r", verb[:20], str(refused))
            await self.say(str(refused))
        except (Closed, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - logged there, with its trace
            await self.say(await self.handle_exception(error))
        if verb not in GROUPED and self._replies:
            await self.flush()  # RFC 2920 §3.2 (5), (6)

    def _method(self, verb: str) -> Method:
        method: Method | None = self._smtp_methods.get(verb)
        if method is None:
            raise Refused(replies.UNKNOWN_COMMAND)
        if verb in IDLE_COMMANDS:
            self.idle_commands += 1
            if self.idle_commands > MOST_IDLE_COMMANDS:
                self._end(replies.TOO_MANY_COMMANDS)
                raise Closed
        allowed = self.context.may_log_in or self.before_tls is None
        if not allowed and verb not in (self.before_tls or ()):
            raise Refused(replies.TLS_FIRST)  # RFC 3207 §4
        return method

    @staticmethod
    def _argument(octets: bytes) -> str | None:
        try:
            return octets.decode().strip() or None
        except UnicodeDecodeError:
            raise Refused(replies.NOT_UTF8) from None

    @override
    async def handle_exception(self, error: Exception) -> str:
        """Log it with its trace; the peer learns only that it may try again."""
        self.log.error("a command failed", exc_info=error)
        return replies.TRY_LATER

    # ---- Replies

    @override
    async def push(self, status: AnyStr) -> None:
        # aiosmtpd's own methods speak by this name.
        await self.say(replies.enhanced(str(status)))

    async def say(self, status: str) -> None:
        """Say this, together with what follows if the client pipelines."""
        self._replies += status.encode("utf-8", "replace") + b"\r\n"
        if status[0] in "45":
            self._refusals += 1
            if self._refusals >= MOST_REFUSALS:
                self._end(replies.TOO_MANY_ERRORS)
                raise Closed
        if len(self._replies) > HELD_BACK or not self._has_line():
            await self.flush()

    async def flush(self) -> None:
        """Send what waits; wait while the peer does not read."""
        if self.transport is None or self.transport.is_closing():
            raise Closed
        if self._replies:
            self.transport.write(bytes(self._replies))
            self._replies.clear()
            await self._writer.drain()
