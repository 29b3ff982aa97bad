"""The process that empties the queue: claim, try, settle, report, sleep."""

import asyncio
import contextlib
import logging
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable
from typing import Protocol

import uvloop
from django.utils.module_loading import import_string

from mailhost.outbound import notices
from mailhost.outbound.dispatch import Dispatcher
from mailhost.outbound.values import Notice
from mailhost.outbound.wake import Alarm
from mailhost.store.gate import gate

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
GATHER_SECONDS = 0.02  # what becomes due meanwhile is claimed at once, if others run
REPORT_SECONDS = 2.0
SWITCH_SECONDS = 0.0005
FINISH_SECONDS = 8.0  # what is on the wire when we are told to stop
# The layer above is named, not imported: reports are mail to be delivered.
DELIVER_REPORT = "mailhost.delivery.deliver_report"


class Deliver(Protocol):
    """How a report reaches its sender."""

    async def __call__(self, to: str, octets: bytes, *, smtputf8: bool = False) -> None:
        """Deliver or queue it; raise to be called again later."""


async def run_once(owner: uuid.UUID | None = None) -> int:
    """Do what is due now, and its reports; return how many recipients were tried."""
    dispatcher, tried = Dispatcher(owner or uuid.uuid4()), 0
    try:
        while some := await dispatcher.fill():
            tried += some
            await dispatcher.settled()
    finally:
        await dispatcher.close()
    await report()
    return tried


async def report() -> None:
    """Deliver the reports that senders wait for."""
    deliver: Deliver = import_string(DELIVER_REPORT)
    for notice in await gate.read(notices.notices):
        await _tell(deliver, notice)
    if await gate.read(notices.is_silent_due):
        await gate.write((), notices.settle_silently)


async def _tell(deliver: Deliver, notice: Notice) -> None:
    """Deliver a report, then note it: twice rather than never."""
    try:
        await deliver(notice.to, notice.octets, smtputf8=notice.smtputf8)
    except Exception:
        log.exception("a report to %s could not be delivered", notice.to)
        return
    await gate.write((), notices.told, notice)


async def run(stop: asyncio.Event) -> None:
    """Work until stopped."""
    dispatcher = Dispatcher(uuid.uuid4())
    chores = [
        _Every(REPORT_SECONDS, report),
        _Every(POLL_SECONDS, dispatcher.tidy),
        _Every(POLL_SECONDS, dispatcher.heed),
        _Every(POLL_SECONDS, dispatcher.renew),
    ]
    with Alarm() as alarm:
        ringing = asyncio.create_task(_ring(stop, dispatcher, alarm))
        while not stop.is_set():
            try:
                await dispatcher.fill()
            except Exception:
                log.exception("the queue runner goes on")
                await asyncio.sleep(POLL_SECONDS)
            for chore in chores:
                chore.maybe()
            await alarm.wait(POLL_SECONDS)
            if not dispatcher.is_idle:
                await asyncio.sleep(GATHER_SECONDS)
        ringing.cancel()
    await asyncio.gather(*(chore.end() for chore in chores))
    await dispatcher.close(FINISH_SECONDS)
    await gate.close()


async def _ring(stop: asyncio.Event, dispatcher: Dispatcher, alarm: Alarm) -> None:
    """Wake the runner when a work ends, and when it is to stop."""
    stopped = asyncio.create_task(stop.wait())
    while not stopped.done():
        room = asyncio.create_task(dispatcher.has_room.wait())
        await asyncio.wait({stopped, room}, return_when=asyncio.FIRST_COMPLETED)
        room.cancel()
        dispatcher.has_room.clear()
        alarm.ring()


class _Every:
    """Does something at most once in so many seconds, beside everything else."""

    def __init__(self, seconds: float, call: Callable[[], Awaitable[object]]) -> None:
        self._seconds = seconds
        self._call = call
        self._next = 0.0
        self._task: asyncio.Task[None] | None = None

    def maybe(self) -> None:
        """Begin, if it is time and the last time is over."""
        now = asyncio.get_running_loop().time()
        if now >= self._next and (self._task is None or self._task.done()):
            self._next = now + self._seconds
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._call()
        except Exception:
            log.exception("a chore of the queue failed; it is tried again")

    async def end(self) -> None:
        """Stop what runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _run_until_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(run(stop))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    with contextlib.suppress(TimeoutError):
        # What is on the wire may finish; what does not is tried again later.
        await asyncio.wait_for(task, FINISH_SECONDS + 2)


def main() -> None:
    """Run until SIGTERM or SIGINT; the child process of runmailservers."""
    # As the workers do: a writer thread waits for the interpreter at each statement.
    sys.setswitchinterval(SWITCH_SECONDS)
    uvloop.run(_run_until_signal())
