"""POP3 over TCP: an asyncio protocol around a Connection. Knows no verb.

What is short is done when its octets arrive: a RETR takes less time than to wake a task
and a thread for it. An action that has to wait gets a task. What the client does not
read, is not fetched.
"""

import asyncio
from collections.abc import Iterable
from typing import cast

from django.conf import settings
from typing_extensions import override

from accounts.auth import Attempt, Login, LoginRefused
from mailhost.store import change
from mailhost.store.errors import StoreError
from mailhost.store.flags import SEEN
from mailhost.store.gate import gate
from mailhost.store.reading import NotBrief
from protocols.common import logins
from protocols.common.context import ConnectionContext
from protocols.common.presence import sessions
from protocols.common.tls import start_tls
from protocols.pop3.actions import (
    Action,
    Authenticate,
    Fetch,
    Open,
    Pages,
    Say,
    StartTls,
    Update,
)
from protocols.pop3.connection import INTERNAL, Connection
from protocols.pop3.download import AHEAD_MOST, CHUNK, Ahead, begin, pieces, whole
from protocols.pop3.errors import Refused, refusal
from protocols.pop3.framing import Framer
from protocols.pop3.maildrop import open_drop
from protocols.pop3.policy import note_login
from protocols.pop3.session import Session
from protocols.pop3.standing import Revoked
from protocols.pop3.wire import Wire

READ_AHEAD = 64 * 1024  # octets of pipelined commands
TURN_SECONDS = 0.01  # that one connection holds the loop
FAILED_LOGIN_SECONDS = 1.0  # each guess costs its connection that long
GOING_DOWN = "Server is going down"


def factory(context: ConnectionContext) -> asyncio.Protocol:
    """Make the protocol of one connection."""
    return Pop3Protocol(context)


class Pop3Protocol(Wire):
    """Runs one connection's actions, one after the other."""

    def __init__(self, context: ConnectionContext) -> None:
        """Wait for the transport."""
        super().__init__(context)
        self._connection = connection_for(context)
        self._ahead = Ahead()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None  # the action that takes a while
        self._waits = False  # for its next turn, or for the client to read
        self._draining = False
        self._half_closed = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._context = self._context.on(transport)
        self._connection.session.at = self._context.sasl("pop3")
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

    @override
    def data_received(self, data: bytes) -> None:
        framer = self._connection.framer
        framer.feed(data)
        if not self._busy:
            self._advance()
        elif framer.waiting > READ_AHEAD and self._transport is not None:
            self._transport.pause_reading()

    @override
    def eof_received(self) -> bool:
        """Finish what was pipelined in front of the end; TLS has no half."""
        self._half_closed = True
        return self._busy and not self._context.tls

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._take_turn()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        sessions.remove(self)
        super().connection_lost(exc)

    client = ""  # POP3 has no way to say

    def revoke(self) -> None:
        """End the session: what it logged in with is void. Called on the loop."""
        if self._transport is not None:
            if not self._busy:
                self._write(self._connection.revoked(Revoked()).octets)
            self._close()

    def drain(self) -> None:
        """Say goodbye, behind the running command if there is one."""
        self._draining = True
        if not self._busy:
            self._goodbye()

    def _goodbye(self) -> None:
        self._write(self._connection.told(GOING_DOWN, "SYS/TEMP"))
        self._close()

    @property
    def _busy(self) -> bool:
        return self._task is not None or self._waits

    def _take_turn(self) -> None:
        if self._waits:
            self._advance()

    def _advance(self) -> None:
        """Do what has arrived, until the client has to say more, or to read."""
        self._waits = False
        until = self._loop.time() + TURN_SECONDS
        try:
            while self._transport is not None and not self._draining:
                if self._must_wait(until):
                    return
                action = self._connection.next_action()
                if action is None:
                    break
                if not self._do_at_once(action):
                    self._task = self._loop.create_task(self._run(action))
                    return
                self._still_there()
        except Exception:  # noqa: BLE001 - told to the log, and the client is let go
            self._break_off()
        self._after()

    def _must_wait(self, until: float) -> bool:
        if not self._writable.is_set():
            self._waits = True
        elif self._loop.time() > until:
            self._waits = True
            self._loop.call_soon(self._take_turn)
        return self._waits

    async def _run(self, action: Action) -> None:
        """Do what takes a while, then go on."""
        try:
            await self._do(action)
            await self._writable.wait()
            self._still_there()
        except Exception:  # noqa: BLE001 - told to the log, and the client is let go
            self._break_off()
        finally:
            self._task = None
        self._advance()

    def _break_off(self) -> None:
        self._log.exception("connection failed")
        self._connection.session.ended = True
        if self._transport is not None:
            self._transport.abort()

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

    def _do_at_once(self, action: Action) -> bool:
        """Do an action that needs no waiting; False: it is one that may."""
        match action:
            case Say():
                self._say(action)
            case StartTls():
                self._start_tls(action)
            case Fetch() if action.size <= CHUNK:
                return self._fetch_at_once(action)
            case _:
                return False
        return True

    def _say(self, action: Say) -> None:
        self._write(action.octets)
        if action.close:
            self._close()

    async def _do(self, action: Action) -> None:
        match action:
            case Say():
                self._say(action)
            case Pages():
                await self._send(action.pieces)
            case Authenticate():
                await self._authenticate(action)
            case Open(login):
                await self._open(login)
            case Fetch():
                await self._fetch(action)
            case Update():
                await self._update(action)
            case _:
                raise AssertionError(action)

    async def _send(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if self._transport is None:
                return
            self._write(piece)
            await self._writable.wait()
            self._still_there()

    async def _authenticate(self, action: Authenticate) -> None:
        at = Attempt("pop3", self._context.peer)
        try:
            answer = await logins.ask(action.claim, at)
        except LoginRefused as error:
            self._log.warning(
                "login refused user=%r reason=%s", action.claim.login, error
            )
            await asyncio.sleep(FAILED_LOGIN_SECONDS)
            await self._do(self._connection.refused(action, error))
        except Exception as error:  # noqa: BLE001 - told to the log; try again later
            self._log.exception("login failed user=%r", action.claim.login)
            await self._do(self._connection.login_failed(error))
        else:
            await self._do(self._connection.answered(action, answer))

    async def _open(self, login: Login) -> None:
        try:
            maildrop = await gate.read(open_drop, login)
        except Exception as error:  # noqa: BLE001 - told apart by the connection
            self._log.warning("no maildrop user=%s: %r", login.email, error)
            await self._do(self._connection.login_failed(error))
            return
        if settings.POP3_LOGIN_DELAY_SECONDS:
            account_id = maildrop.standing.login.account_id
            await gate.write((), note_login, account_id)
        self._write(self._connection.logged_in(maildrop))
        self._known = True
        sessions.add(self, self._context, login)
        self._timer.reset(self._context.limits.idle_timeout_seconds)
        self._log.info("logged in user=%s messages=%d", login.email, len(maildrop))

    def _fetch_at_once(self, action: Fetch) -> bool:
        """Send a message of one chunk; False: it is not there to be read at once."""
        try:
            octets = self._ahead.take(action) or gate.glance(begin, action)
        except NotBrief:
            return False
        except (Revoked, StoreError, Refused) as error:
            self._refuse_fetch(error)
        else:
            self._write(whole(action, octets))
            if self._connection.framer.waiting == 0:
                self._loop.call_soon(self._look_ahead, action)
        return True

    def _look_ahead(self, action: Fetch) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._ahead.look(self._connection.following(action, AHEAD_MOST))

    def _refuse_fetch(self, error: Revoked | StoreError | Refused) -> None:
        if isinstance(error, Revoked):
            self._say(self._connection.revoked(error))
        else:
            told = error if isinstance(error, Refused) else refusal(error)
            self._write(self._connection.told(told))

    async def _fetch(self, action: Fetch) -> None:
        """Stream a message; once it began, a failure can only end the connection."""
        try:
            octets = await gate.read(begin, action)
        except (Revoked, StoreError, Refused) as error:
            self._refuse_fetch(error)
            return
        async for piece in pieces(action, octets):
            self._write(piece)
            await self._writable.wait()
            if self._transport is None:
                return
            self._still_there()

    async def _update(self, action: Update) -> None:
        answer = action.done
        try:
            await gate.write([action.standing.login.account_id], update, action)
            self._log.info("removed messages=%d", sum(len(u) for _, u in action.gone))
        except Revoked as error:
            answer = self._connection.told(error, "AUTH")
        except StoreError as error:
            answer = self._connection.told(refusal(error))
        except Exception:  # noqa: BLE001 - told to the log; the client tries again
            self._log.exception("removal failed")
            answer = self._connection.told(INTERNAL, "SYS/TEMP")
        self._write(answer)
        self._close()

    def _start_tls(self, action: StartTls) -> None:
        assert self._transport is not None
        transport, self._transport = self._transport, None
        self._connection.framer.forget()
        transport.write(action.octets)
        start_tls(transport, self, self._context)


def update(action: Update) -> None:
    """Do what QUIT does, all or nothing, as far as nobody else did. Raises Revoked."""
    action.standing.check()
    account_id = action.standing.login.account_id
    for folder_id, uids in action.gone:
        change.expunge(account_id, folder_id, uids, force=True)
    for folder_id, uids in action.seen:
        change.add_flags(account_id, folder_id, uids, SEEN)


def connection_for(context: ConnectionContext) -> Connection:
    """Return a connection that knows nothing yet."""
    session = Session(
        context.may_log_in, context.offers_starttls, at=context.sasl("pop3")
    )
    return Connection(session, Framer(context.limits.max_line_bytes))
