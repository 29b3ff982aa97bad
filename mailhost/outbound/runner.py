"""The process that empties the queue: claim, try, settle, report, sleep."""

import asyncio
import contextlib
import logging
import signal
import uuid
from typing import Protocol

from django.utils.module_loading import import_string

from mailhost.outbound import attempt, queue
from mailhost.outbound.values import Notice, Result, Verdict, Work
from mailhost.store.gate import gate

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
MOST_AT_ONCE = 20  # connections to the outside
# The layer above is named, not imported: reports are mail to be delivered.
DELIVER_REPORT = "mailhost.delivery.deliver_report"


class Deliver(Protocol):
    """How a report reaches its sender."""

    async def __call__(self, to: str, octets: bytes) -> None:
        """Deliver or queue it; raise to be called again later."""


async def run_once(owner: uuid.UUID | None = None) -> int:
    """Do what is due now, and its reports; return how many recipients were tried."""
    owner = owner or uuid.uuid4()
    tried = 0
    while works := await gate.write((), queue.claim, owner, MOST_AT_ONCE):
        await asyncio.gather(*(_do(owner, work) for work in works))
        tried += sum(len(work.recipient_ids) for work in works)
    await _report()
    return tried


async def _do(owner: uuid.UUID, work: Work) -> None:
    try:
        octets = await gate.read(queue.octets_of, work.message_id)
        async with asyncio.timeout(queue.LEASE.total_seconds() - 60):
            found = await attempt.deliver(work.domain, work.envelope, octets)
    except Exception as error:
        # A fault of ours must neither stop the queue nor bounce anything.
        log.exception("attempt for message %s failed", work.message_id)
        text = f"Something went wrong here ({type(error).__name__})"
        found = [Result(Verdict.LATER, "4.3.0", text)] * len(work.recipient_ids)
    results = dict(zip(work.recipient_ids, found, strict=True))
    for result in set(found):
        log.info(
            "message %s to %s: %s %s",
            *(work.message_id, work.domain, result.verdict.value, result.reply),
        )
    await gate.write((), queue.settle, owner, work, results)


async def _report() -> None:
    deliver: Deliver = import_string(DELIVER_REPORT)
    for notice in await gate.read(queue.notices):
        await _tell(deliver, notice)
    await gate.write((), queue.settle_silently)


async def _tell(deliver: Deliver, notice: Notice) -> None:
    """Deliver a report, then note it: twice rather than never."""
    try:
        await deliver(notice.to, notice.octets)
    except Exception:
        log.exception("a report to %s could not be delivered", notice.to)
        return
    await gate.write((), queue.told, notice.recipient_ids)


async def run(stop: asyncio.Event) -> None:
    """Work until stopped."""
    owner = uuid.uuid4()
    while not stop.is_set():
        try:
            await run_once(owner)
        except Exception:
            log.exception("the queue runner goes on")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL_SECONDS)
    await gate.write((), queue.release, owner)
    await gate.close()


async def _run_until_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(run(stop))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    with contextlib.suppress(TimeoutError):
        # What is on the wire may finish; what does not is tried again later.
        await asyncio.wait_for(task, 10)


def main() -> None:
    """Run until SIGTERM or SIGINT; the child process of runmailservers."""
    asyncio.run(_run_until_signal())
