"""Which work runs when: a lane for each domain, so that a slow one stops no other.

A lane has at most MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN tasks, all lanes together
MAILHOST_OUTBOUND_CONNECTIONS; a task does one work, and finds the connection of the
last one resting in the pool.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings

from mailhost.outbound import attempt, queue
from mailhost.outbound.pool import Pool
from mailhost.outbound.values import (
    Envelope,
    Outgoing,
    Recipient,
    Result,
    Tried,
    Verdict,
    Work,
)
from mailhost.store.gate import gate

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 1800.0  # of one work; leases are renewed meanwhile
WAITING_FACTOR = 4  # works that may wait in a lane, for each connection it may have


@dataclass(slots=True)
class _Lane:
    waiting: deque[Work] = field(default_factory=deque)
    running: int = 0


class Dispatcher:
    """The works of one runner, from claim to settlement."""

    def __init__(self, owner: uuid.UUID) -> None:
        self._owner = owner
        self._pool = Pool()
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: set[int] = set()  # recipients whose lease is ours
        self._loads: dict[Work, queue.Load] = {}
        self._settling: list[tuple[Work, Tried, asyncio.Future[None]]] = []
        self._settler: asyncio.Task[None] | None = None
        self._renewed = 0.0
        self.has_room = asyncio.Event()

    @property
    def room(self) -> int:
        """How many recipients more may be claimed."""
        most = settings.MAILHOST_OUTBOUND_CONNECTIONS * WAITING_FACTOR
        return max(0, most - len(self._held))

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do or to wait for."""
        return not self._tasks

    def busy(self) -> list[str]:
        """Return the domains that have enough to do."""
        most = settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN * WAITING_FACTOR
        return [name for name, lane in self._lanes.items() if len(lane.waiting) >= most]

    async def fill(self) -> int:
        """Claim what is due and there is room for; return the number of recipients."""
        if not self.room or not await gate.read(queue.is_due, self.busy()):
            return 0
        works = await gate.write((), queue.claim, self._owner, self.room, self.busy())
        for work in works:
            self._held |= set(work.recipient_ids)
        loaded = await gate.read(queue.load, works)
        for work in works:
            self._loads[work] = loaded
            self._lanes.setdefault(work.domain, _Lane()).waiting.append(work)
        self._start()
        return sum(len(work.recipient_ids) for work in works)

    def _start(self) -> None:
        """Give tasks to lanes that have work, in turn."""
        most = settings.MAILHOST_OUTBOUND_CONNECTIONS_PER_DOMAIN
        started = True
        while started and len(self._tasks) < settings.MAILHOST_OUTBOUND_CONNECTIONS:
            started = False
            for name, lane in list(self._lanes.items()):
                full = len(self._tasks) >= settings.MAILHOST_OUTBOUND_CONNECTIONS
                if lane.waiting and lane.running < most and not full:
                    self._run(name, lane)
                    started = True

    def _run(self, name: str, lane: _Lane) -> None:
        work = lane.waiting.popleft()
        lane.running += 1
        task = asyncio.create_task(self._do(work))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, name))

    def _ended(self, task: asyncio.Task[None], name: str) -> None:
        self._tasks.discard(task)
        lane = self._lanes[name]
        lane.running -= 1
        if not lane.waiting and not lane.running:
            del self._lanes[name]
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the queue failed", exc_info=task.exception())
        self._start()
        self.has_room.set()

    async def _do(self, work: Work) -> None:
        try:
            tried = await self._tried(work)
            for result in set(tried.results):
                log.info(
                    "message %s to %s: %s %s",
                    *(work.message_id, work.domain, result.verdict.value, result.reply),
                )
            await self._settle(work, tried)
        finally:
            self._held -= set(work.recipient_ids)

    async def _settle(self, work: Work, tried: Tried) -> None:
        """Write the results, with those of others that ended in the meantime."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settling.append((work, tried, future))
        if self._settler is None or self._settler.done():
            self._settler = asyncio.create_task(self._settle_all())
        await asyncio.shield(future)

    async def _settle_all(self) -> None:
        while self._settling:
            some, self._settling = self._settling, []
            done = [(work, tried) for work, tried, _ in some]
            try:
                await gate.write((), queue.settle, self._owner, done)
            except Exception as error:  # noqa: BLE001 - told to all who wait
                for _, _, future in some:
                    future.set_exception(error)
            else:
                for _, _, future in some:
                    future.set_result(None)

    async def _tried(self, work: Work) -> Tried:
        try:
            loaded = self._loads.pop(work)
            refused = loaded.refused
            octets = await _outgoing(work, loaded.octets.get(work.message_id))
            todo = [r for r in work.envelope.recipients if r.address not in refused]
            if not todo:
                return Tried(
                    tuple(refused[r.address] for r in work.envelope.recipients)
                )
            async with asyncio.timeout(ATTEMPT_SECONDS):
                tried = await attempt.deliver(
                    work.domain, _for(work.envelope, todo), octets, self._pool
                )
        except Exception as error:
            # A fault of ours must neither stop the queue nor bounce anything.
            log.exception("attempt for message %s failed", work.message_id)
            text = f"Something went wrong here ({type(error).__name__})"
            fault = Result(Verdict.LATER, "4.3.0", text)
            return Tried((fault,) * len(work.recipient_ids))
        return _merged(work, tried, refused)

    async def renew(self) -> None:
        """Keep the leases of what waits and runs here."""
        now = asyncio.get_running_loop().time()
        if now - self._renewed < queue.lease().total_seconds() / 3 or not self._held:
            return
        self._renewed = now
        await gate.write((), queue.renew, self._owner, sorted(self._held))

    async def heed(self) -> None:
        """Give up what waits here and was held or dropped, or is another's by now."""
        waiting = [work for lane in self._lanes.values() for work in lane.waiting]
        ids = [one for work in waiting for one in work.recipient_ids]
        if not ids:
            return
        mine = set(await gate.read(queue.still_mine, self._owner, ids))
        lost = {work for work in waiting if not mine.issuperset(work.recipient_ids)}
        given_up: list[int] = []
        for lane in self._lanes.values():
            for work in [one for one in lane.waiting if one in lost]:
                lane.waiting.remove(work)
                self._loads.pop(work, None)
                given_up += work.recipient_ids
        self._held -= set(given_up)
        if given_up:
            await gate.write((), queue.release, self._owner, given_up)

    async def tidy(self) -> None:
        """Close connections that have rested long enough."""
        await self._pool.tidy()

    async def settled(self) -> None:
        """Wait until everything that was claimed is done."""
        while self._tasks:
            await asyncio.wait(set(self._tasks), timeout=1.0)
            await self.heed()
            await self.renew()

    async def close(self, seconds: float = 0) -> None:
        """Give what runs so much time; give the rest back."""
        for lane in self._lanes.values():
            lane.waiting.clear()
        if self._tasks and seconds:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._settler is not None:
            await self._settler
        await self._pool.tidy(everything=True)
        await gate.write((), queue.release, self._owner, sorted(self._held))


async def _outgoing(work: Work, small: bytes | None) -> Outgoing:
    """Return what is to be sent; what is large is read while it is sent."""
    if small is not None:
        return Outgoing.whole(small)
    if work.size <= queue.CHUNK:
        return Outgoing.whole(await gate.read(queue.octets_of, work.message_id))

    async def pieces() -> AsyncIterator[bytes]:
        number = sent = 0
        while piece := await gate.read(queue.piece_of, work.message_id, number):
            yield piece
            number, sent = number + 1, sent + len(piece)
        if sent != work.size:
            raise ValueError(f"message {work.message_id} lacks some of its pieces")

    return Outgoing(work.size, pieces)


def _for(envelope: Envelope, recipients: list[Recipient]) -> Envelope:
    return replace(envelope, recipients=tuple(recipients))


def _merged(work: Work, tried: Tried, refused: Mapping[str, Result]) -> Tried:
    """Put the results of those that were not tried in their places."""
    if not refused:
        return tried
    rest = iter(tried.results)
    recipients = work.envelope.recipients
    results = tuple(refused.get(r.address) or next(rest) for r in recipients)
    return replace(tried, results=results)
