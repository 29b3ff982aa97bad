"""POP3 over TCP: an asyncio protocol around a Connection. Knows no verb.

A connection that waits for its client costs no task: one runs only while there is an
action to do. What the client does not read, is not fetched.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import cast

from typing_extensions import override

from accounts.auth import LoginRefused
from mailhost.store import change, read
from mailhost.store.errors import StoreError
from mailhost.store.gate import gate
from protocols.common.context import ConnectionContext
from protocols.common.logs import ConnectionLog
from protocols.common.tls import start_tls
from protocols.pop3.actions import (
    Action,
    Authenticate,
    Fetch,
    Pages,
    Remove,
    Say,
    StartTls,
)
from protocols.pop3.connection import INTERNAL, Connection
from protocols.pop3.errors import refusal
from protocols.pop3.framing import Framer
from protocols.pop3.maildrop import log_in
from protocols.pop3.replies import err
from protocols.pop3.session import Session
from protocols.pop3.standing import Revoked
from protocols.pop3.stuffing import Dots, Top

log = logging.getLogger(__name__)

WRITE_AHEAD = 512 * 1024  # octets written and not yet taken by the client
READ_AHEAD = 64 * 1024  # octets of pipelined commands
CHUNK = 256 * 1024  # octets of a message at a time: the store's own chunks
FAILED_LOGIN_SECONDS = 1.0  # each guess costs its connection that long
LINGER_SECONDS = 30.0  # for the last octets, once a connection is closed
GOING_DOWN = err("Server is going down", "SYS/TEMP")


def factory(context: ConnectionContext) -> asyncio.Protocol:
    """Make the protocol of one connection."""
    return Pop3Protocol(context)


class Pop3Protocol(asyncio.Protocol):
    """Runs one connection's actions, one after the other."""

    def __init__(self, context: ConnectionContext) -> None:
        """Wait for the transport."""
        self._context = context
        self._log = ConnectionLog(log, context)
        self._connection = connection_for(context)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._draining = False
        self._half_closed = False
        self._known = False
        self._timer = context.timer(
            self._timed_out, context.limits.login_timeout_seconds
        )

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._use(cast("asyncio.Transport", transport))
        self._write(self._connection.greet())

    def tls_started(
        self, transport: asyncio.Transport, context: ConnectionContext
    ) -> None:
        """Start over, encrypted; there is no second greeting. RFC 2595 §4."""
        self._context = context
        self._connection = connection_for(context)
        self._use(transport)
        if self._draining:
            self._goodbye()

    def _still_there(self) -> None:
        if self._known:
            self._timer.touch()  # the time to log in never starts over

    @override
    def data_received(self, data: bytes) -> None:
        framer = self._connection.framer
        framer.feed(data)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        if framer.waiting > READ_AHEAD and self._transport is not None:
            self._transport.pause_reading()

    @override
    def eof_received(self) -> bool:
        """Finish what was pipelined in front of the end; TLS has no half."""
        self._half_closed = True
        return self._task is not None and not self._context.tls

    @override
    def pause_writing(self) -> None:
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writable.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._timer.cancel()
        self._writable.set()
        self._context.closed()

    def drain(self) -> None:
        """Say goodbye, behind the running command if there is one."""
        self._draining = True
        if self._task is None:
            self._goodbye()

    def _use(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=WRITE_AHEAD)
        self._transport = transport

    def _goodbye(self) -> None:
        self._write(GOING_DOWN)
        self._close()

    def _timed_out(self) -> None:
        # RFC 1939 §3: nothing is removed and nothing is said.
        self._log.info("timed out")
        self._close()

    def _write(self, octets: bytes) -> None:
        if self._transport is not None:
            self._transport.write(octets)

    def _close(self) -> None:
        """Close behind what is written; a client that never takes it is cut off."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._timer.cancel()
            self._timer = self._context.timer(self._transport.abort, LINGER_SECONDS)

    async def _run(self) -> None:
        """Do what has arrived, until the client has to say more."""
        try:
            while self._transport is not None and not self._draining:
                action = self._connection.next_action()
                if action is None:
                    break
                await self._do(action)
                await self._writable.wait()
                self._still_there()
        except Exception:  # noqa: BLE001 - told to the log, and the client is let go
            self._log.exception("connection failed")
            if self._transport is not None:
                self._transport.abort()
        finally:
            self._task = None
        self._after()

    def _after(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._draining:
            self._goodbye()
        elif self._half_closed:
            self._close()
        else:
            transport.resume_reading()

    async def _do(self, action: Action) -> None:
        match action:
            case Say():
                self._write(action.octets)
                if action.close:
                    self._close()
            case Pages():
                await self._send(action.pieces)
            case Authenticate():
                await self._authenticate(action)
            case Fetch():
                await self._fetch(action)
            case Remove():
                await self._remove(action)
            case StartTls():
                self._start_tls(action)

    async def _send(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self._transport is None:
                return
            self._write(piece)
            await self._writable.wait()
            self._still_there()

    async def _authenticate(self, action: Authenticate) -> None:
        try:
            maildrop = await gate.read(
                log_in, action.login, action.password, self._context.peer
            )
        except Exception as error:  # noqa: BLE001 - told apart by the connection
            await self._refuse_login(action.login, error)
            return
        self._write(self._connection.logged_in(maildrop))
        self._known = True
        self._timer.reset(self._context.limits.idle_timeout_seconds)
        self._log.info("logged in user=%s messages=%d", action.login, len(maildrop))

    async def _refuse_login(self, login: str, error: Exception) -> None:
        if isinstance(error, (LoginRefused, StoreError)):
            self._log.warning("login refused user=%r reason=%s", login, error)
        else:
            self._log.error("login failed user=%r", login, exc_info=error)
        if isinstance(error, LoginRefused):
            await asyncio.sleep(FAILED_LOGIN_SECONDS)
        await self._do(self._connection.login_failed(error))

    async def _fetch(self, action: Fetch) -> None:
        """Stream a message; once it began, a failure can only end the connection."""
        try:
            octets = await gate.read(begin, action)
        except Revoked as error:
            await self._do(self._connection.revoked(error))
            return
        except StoreError as error:
            self._write(err(refusal(error)))
            return
        self._write(action.first)
        dots = Dots()
        top = None if action.lines is None else Top(action.lines)
        start = 0
        while self._transport is not None:
            start += len(octets)
            self._write(dots.feed(octets if top is None else top.feed(octets)))
            await self._writable.wait()
            self._still_there()
            if start >= action.size or (top is not None and top.done):
                break
            octets = await gate.read(
                read.octet_range, action.content_id, start, start + CHUNK
            )
            if not octets:
                raise EOFError(f"content {action.content_id} ends at {start}")
        self._write(dots.end())

    async def _remove(self, action: Remove) -> None:
        answer = action.done
        try:
            await gate.write([action.standing.login.account_id], remove, action)
            self._log.info("removed messages=%d", len(action.uids))
        except Revoked as error:
            answer = err(str(error), "AUTH")
        except StoreError as error:
            answer = err(refusal(error))
        except Exception:  # noqa: BLE001 - told to the log; the client tries again
            self._log.exception("removal failed")
            answer = INTERNAL
        self._write(answer)
        self._close()

    def _start_tls(self, action: StartTls) -> None:
        assert self._transport is not None
        transport, self._transport = self._transport, None
        self._connection.framer.forget()
        transport.write(action.octets)
        start_tls(transport, self, self._context)


def remove(action: Remove) -> None:
    """Remove what a session deleted, as far as nobody else did. Raises Revoked."""
    action.standing.check()
    account_id = action.standing.login.account_id
    change.expunge(account_id, action.folder_id, action.uids, force=True)


def begin(action: Fetch) -> bytes:
    """Return the first octets of a message. Raises Revoked, NoSuchMessage."""
    action.standing.check_now_and_then()
    return read.octet_range(action.content_id, 0, CHUNK)


def connection_for(context: ConnectionContext) -> Connection:
    """Return a connection that knows nothing yet."""
    session = Session(context.may_log_in, context.offers_starttls)
    return Connection(session, Framer(context.limits.max_line_bytes))
