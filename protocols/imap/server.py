"""IMAP over TCP: an asyncio protocol around a Connection. Knows no command.

An idle connection has no task, no stream and no thread: its core is a suspended
generator. It is resumed when octets arrive, when an effect is done, when the client has
read what was written, or when a watched account changes.
"""

import asyncio
import functools
import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, TypeGuard, cast

from django.conf import settings
from typing_extensions import override

from accounts.auth import Attempt
from mailhost.store import changes
from mailhost.store.content import prepare
from mailhost.store.gate import PARSED_ON_THE_LOOP, gate
from mailhost.store.reading import NotBrief
from protocols.common import logins
from protocols.common.context import ConnectionContext
from protocols.common.logs import ConnectionLog
from protocols.common.presence import sessions
from protocols.common.tls import start_tls
from protocols.common.wheel import Timer
from protocols.imap.compression import Compression
from protocols.imap.connection import Connection
from protocols.imap.effects import (
    Await,
    Check,
    Compress,
    Decompress,
    Effect,
    Listen,
    LoggedIn,
    LoggedOut,
    Pause,
    Prepare,
    Read,
    StartTls,
    Watch,
    Write,
)
from protocols.imap.errors import Fatal
from protocols.imap.responses import quoted
from protocols.imap.session import Circumstances, Session

log = logging.getLogger(__name__)

READ_AHEAD = 64 * 1024  # octets of pipelined commands taken while one runs
WRITE_AHEAD = 512 * 1024  # octets written that the client has not taken
GATHER = 64 * 1024  # octets gathered into one write
TURN_SECONDS = 0.01  # that one connection holds the loop
PROGRESS_SECONDS = 10.0  # of silence, until a command is said to be worked on
LINGER_SECONDS = 30.0  # for the last octets, once a connection is closed


def factory(context: ConnectionContext) -> asyncio.Protocol:
    """Make the protocol of one connection."""
    return ImapProtocol(context)


def circumstances(context: ConnectionContext) -> Circumstances:
    """Return what the core has to know of the connection."""
    return Circumstances(
        peer=context.peer,
        hostname=context.hostname,
        tls=context.tls,
        may_log_in=context.may_log_in,
        offers_starttls=context.offers_starttls,
        max_line=settings.IMAP_MAX_LINE,
        max_literals=settings.IMAP_MAX_LITERALS,
        max_message=context.limits.max_message_bytes,
        refuse_raw_headers=settings.IMAP_REFUSE_RAW_HEADERS,
        may_log_out=settings.IMAP_UNAUTHENTICATE,
        message_limit=settings.IMAP_MESSAGE_LIMIT,
        save_limit=settings.IMAP_MESSAGE_LIMIT or settings.IMAP_SAVE_LIMIT,
        sasl=context.sasl("imap"),
    )


class ImapProtocol(asyncio.Protocol):
    """Pulls the steps of one connection and does what they ask."""

    __slots__ = (
        "__weakref__", "_awaiting", "_connection", "_context", "_draining",
        "_gathered", "_gathered_octets", "_half_closed", "_log", "_loop", "_others",
        "_paused", "_progress", "_stalled", "_steps", "_task", "_timer", "_transport",
        "_watch", "_working",
    )  # fmt: skip

    def __init__(self, context: ConnectionContext) -> None:
        """Wait for the transport."""
        self._context = context
        self._log = ConnectionLog(log, context)
        self._connection = Connection(Session(circumstances(context)))
        self._steps: Generator[bytes | Effect, Any, Any] = self._connection.steps()
        self._transport: asyncio.Transport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awaiting: Await | None = None  # what would let it go on
        self._task: asyncio.Task[None] | None = None  # the effect being done
        self._watch: changes.Watch | None = None  # of the selected account
        self._others: tuple[changes.Watch, ...] = ()  # those that NOTIFY names
        self._gathered: list[bytes] = []
        self._gathered_octets = 0
        self._paused = False  # the client does not read
        self._stalled = False  # and the steps wait for it
        self._draining = False
        self._half_closed = False
        self._working = False  # on an effect that may take long
        self._progress: Timer | None = None  # until the next word of it
        self._timer = context.timer(
            self._timed_out, context.limits.login_timeout_seconds
        )

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = self._context.on(transport)
        self._connection.session.at = circumstances(self._context)
        self._use(cast("asyncio.Transport", transport))
        self._advance()

    def tls_started(
        self, transport: asyncio.Transport, context: ConnectionContext
    ) -> None:
        """Go on, encrypted."""
        self._context = context
        self._connection.session.at = circumstances(context)
        self._paused = False
        self._use(transport)
        self._advance()

    def _still_there(self) -> None:
        if self._connection.session.login is not None:
            self._timer.touch()  # the time to log in never starts over

    @override
    def data_received(self, data: bytes) -> None:
        self._still_there()
        framer = self._connection.framer
        framer.feed(data)
        if self._awaiting is not None:
            self._resume()
        elif framer.waiting_octets > READ_AHEAD and self._transport is not None:
            self._transport.pause_reading()

    @override
    def eof_received(self) -> bool:
        """Finish what was pipelined in front of the end; TLS has no half."""
        self._half_closed = True
        return self._awaiting is None and not self._context.tls

    @override
    def pause_writing(self) -> None:
        self._paused = True

    @override
    def resume_writing(self) -> None:
        self._paused = False
        self._still_there()
        if self._stalled:
            self._stalled = False
            self._advance()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._awaiting = None
        self._timer.cancel()
        if self._progress is not None:
            self._progress.cancel()
        self._close_watch()
        self._listen(())
        sessions.remove(self)
        self._steps.close()
        self._context.closed()

    def drain(self) -> None:
        """Say goodbye, behind the running command if there is one."""
        self._draining = True
        if self._awaiting is not None:
            self._goodbye("Server is going down")

    def revoke(self) -> None:
        """End the session: what it logged in with is void. Called on the loop."""
        if self._transport is not None:
            self._goodbye("Credentials revoked")

    def break_off(self, why: str) -> None:
        """End the session: what the client sends cannot be read."""
        if self._transport is not None:
            self._goodbye(why)

    @property
    def client(self) -> str:
        """What the program calls itself."""
        return self._connection.session.client

    def call_on_loop(self, fn: Any) -> None:
        """Call `fn` on this connection's loop, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(fn)

    # The steps.

    def _resume(self) -> None:
        """Go on if what was awaited is there."""
        awaited, self._awaiting = self._awaiting, None
        assert awaited is not None
        is_there, value, error = self._input(awaited)
        if is_there:
            self._advance(value, error)
        else:
            self._rest(awaited)

    def _advance(self, value: Any = None, error: Exception | None = None) -> None:
        """Pull steps until one has to wait."""
        self._working = False
        if self._transport is None:
            return
        assert self._loop is not None
        until = self._loop.time() + TURN_SECONDS
        goes_on = True
        try:
            while goes_on:
                step = self._pull(value, error)
                goes_on, value, error = self._take(step)
                if goes_on and self._loop.time() > until:
                    self._flush()
                    self._loop.call_soon(self._advance, value, error)
                    return
        except StopIteration:
            self._close()

    def _take(self, step: bytes | Effect) -> tuple[bool, Any, Exception | None]:
        """Do a step; return whether it is done, and what to go on with."""
        if isinstance(step, bytes):
            return not self._say(step), None, None
        if isinstance(step, Read):
            return self._read(step)
        if isinstance(step, Prepare) and is_short(step.octets):
            return True, prepare(step.octets), None
        if not isinstance(step, Await):
            return self._do_at_once(step), None, None
        is_there, value, error = self._input(step)
        if not is_there:
            self._rest(step)
        return is_there, value, error

    def _pull(self, value: Any, error: Exception | None) -> bytes | Effect:
        return self._steps.send(value) if error is None else self._steps.throw(error)

    def _input(self, awaited: Await) -> tuple[bool, bytes | None, Exception | None]:
        """Return whether there is what is awaited, and it."""
        try:
            return (*self._connection.input_for(awaited), None)
        except Fatal as error:
            return True, None, error

    def _rest(self, awaited: Await) -> None:
        """Wait for the client, or for a change."""
        self._flush()
        if self._draining or self._half_closed:
            self._goodbye("Server is going down" if self._draining else "")
            return
        self._awaiting = awaited
        if self._transport is not None and not self._transport.is_reading():
            self._transport.resume_reading()
        if awaited.changes and self._connection.session.has_news:
            self._changed()

    def _say(self, octets: bytes) -> bool:
        """Gather output; tell whether the client has to read first."""
        self._gathered.append(octets)
        self._gathered_octets += len(octets)
        if self._gathered_octets >= GATHER:
            self._flush()
            self._stalled = self._paused
        return self._stalled

    def _flush(self) -> None:
        if self._gathered and self._transport is not None:
            self._transport.write(b"".join(self._gathered))
            self._still_there()
        self._gathered.clear()
        self._gathered_octets = 0

    # The effects.

    def _do_at_once(self, effect: Effect) -> bool:
        """Do an effect that needs no waiting; False: it is under way."""
        match effect:
            case Watch(account_id):
                self._watch_account(account_id)
            case Listen(account_ids):
                self._listen(account_ids)
            case LoggedIn(login):
                sessions.add(self, self._context, login)
                self._timer.reset(self._context.limits.idle_timeout_seconds)
            case LoggedOut():
                sessions.remove(self)
                self._timer.reset(self._context.limits.login_timeout_seconds)
            case Compress():
                self._compress()
            case Decompress():
                self._decompress()
            case _:
                self._flush()
                self._begin(effect)
                return False
        return True

    def _begin(self, effect: Effect) -> None:
        """Begin what takes a while; the steps go on when it is done."""
        if isinstance(effect, Read | Write | Prepare):
            self._working = True
            if self._progress is None:
                self._progress = self._context.timer(
                    self._tell_progress, PROGRESS_SECONDS
                )
        match effect:
            case Read(fn, args):
                gate.begin_read(fn, *args).add_done_callback(self._done)
            case Write(accounts, fn, args, soft):
                begun = gate.begin_write(accounts, fn, *args, soft=soft)
                begun.add_done_callback(self._done)
            case StartTls():
                assert self._transport is not None
                start_tls(self._transport, self, self._context)
            case _:
                assert self._loop is not None
                self._task = self._loop.create_task(self._do(effect))

    def _tell_progress(self) -> None:
        """Say that the command is worked on, if nothing was said for long. RFC 9585.

        How far it has come is not known: what takes long is one statement.
        """
        self._progress = None
        session = self._connection.session
        if self._transport is None or not self._working or session.login is None:
            return
        quiet = self._context.wheel.now() - self._timer.touched
        if quiet >= PROGRESS_SECONDS and not (self._paused or session.mid_response):
            code = f"INPROGRESS ({quoted(session.tag)} NIL NIL)"
            self._say(session.say("Still working", code))
            self._flush()
            quiet = 0.0
        wait = max(1.0, PROGRESS_SECONDS - quiet)
        self._progress = self._context.timer(self._tell_progress, wait)

    def _read(self, effect: Read) -> tuple[bool, Any, Exception | None]:
        """Read at once what is brief; else begin to read."""
        if effect.brief:
            try:
                return True, gate.glance(effect.fn, *effect.args), None
            except NotBrief:
                pass
            except Exception as error:  # noqa: BLE001 - it is raised in the command
                return True, None, error
        return self._do_at_once(effect), None, None

    def _done(self, future: Future[Any]) -> None:
        """Go on with a result. Called in the thread that has it."""
        self.call_on_loop(functools.partial(self._go_on, future))

    def _go_on(self, future: Future[Any]) -> None:
        error = cast("Exception | None", future.exception())
        self._advance(None if error else future.result(), error)

    async def _do(self, effect: Effect) -> None:
        result, error = None, None
        try:
            result = await self._perform(effect)
        except Exception as raised:  # noqa: BLE001 - it is raised in the command
            error = raised
        self._task = None
        self._advance(result, error)

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Prepare(octets):
                return await gate.prepare(octets)
            case Check(claim):
                at = Attempt("imap", self._context.peer, self.client)
                return await logins.ask(claim, at)
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case _:
                raise AssertionError(effect)

    def _compress(self) -> None:
        self._flush()
        assert self._transport is not None
        compression = Compression(self._transport, self)
        self._transport = compression
        # The client may not have waited for the OK, but has to compress (RFC 4978 §3).
        if ahead := self._connection.framer.take_rest():
            compression.data_received(ahead)

    def _decompress(self) -> None:
        self._flush()
        compression = self._transport
        assert isinstance(compression, Compression)
        self._transport, ahead = compression.finish()
        self._connection.framer.feed(ahead)

    def _watch_account(self, account_id: int | None) -> None:
        if self._watch is not None and self._watch.account_id == account_id:
            return
        self._close_watch()
        if account_id is not None:
            self._watch = changes.watch(account_id, self._heard)

    def _close_watch(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def _listen(self, account_ids: tuple[int, ...]) -> None:
        for watch in self._others:
            watch.close()
        self._others = tuple(changes.watch(i, self._heard_of) for i in account_ids)

    def _heard(self, _account_id: int, modseq: int) -> None:
        self._connection.session.mark(modseq)
        self._tell_if_idle()

    def _heard_of(self, account_id: int, modseq: int) -> None:
        if (notified := self._connection.session.notified) is not None:
            notified.hear(account_id, modseq)
        self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        """Let it tell, where it waits for that and there is something to tell."""
        awaiting = self._awaiting
        session = self._connection.session
        if awaiting is not None and awaiting.changes and session.has_news:
            self._changed()

    def _changed(self) -> None:
        """Let an idling command tell what has changed."""
        self._awaiting = None
        self._advance()

    # The end.

    def _use(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=WRITE_AHEAD)
        self._transport = transport

    def _timed_out(self) -> None:
        """RFC 9051 §5.4. A command that runs, or is being read, is not idle."""
        if self._awaiting is None and not self._stalled:
            self._timer = self._context.timer(self._timed_out, self._timer.seconds)
            return
        self._log.info("timed out")
        self._goodbye("Idle for too long")

    def _goodbye(self, why: str) -> None:
        if why and not self._stalled:
            self._say(self._connection.session.say(why, "", "BYE"))
        self._awaiting = None
        self._close()

    def _close(self) -> None:
        """Close behind what is written; a client that never takes it is cut off."""
        self._flush()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._timer.cancel()
            self._timer = self._context.timer(self._transport.abort, LINGER_SECONDS)


def is_short(octets: bytes | Callable[[], bytes]) -> TypeGuard[bytes]:
    """Tell whether a message is parsed in less time than a thread is asked."""
    return isinstance(octets, bytes) and len(octets) <= PARSED_ON_THE_LOOP
