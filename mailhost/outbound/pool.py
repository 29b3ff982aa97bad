"""Open connections that rest a moment, for the next message to the same host.

One is used again for the same host, address and demands of security alone. A connection
that brought an error of the line is never put back.
"""

import asyncio
from collections.abc import Callable

from django.conf import settings

from mailhost.outbound.routing import Hop, hops
from mailhost.outbound.session import Session

REST_SECONDS = 3.0  # RFC 5321 does not say; longer only holds what the other side pays
MOST_RESTING = 200
REMEMBER_SECONDS = 5.0  # which hosts a domain has; one queue run asks once


def _now() -> float:
    return asyncio.get_running_loop().time()


class Pool:
    """The resting connections of one runner."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._resting: dict[tuple[Hop, str], list[Session]] = {}
        self._count = 0
        self._hops: dict[str, tuple[float, list[Hop]]] = {}
        self._clock = clock or _now

    async def hops(self, domain: str) -> list[Hop]:
        """Return a domain's hosts, asked anew after a moment; raises Unroutable."""
        now = self._clock()
        if domain in self._hops and now < self._hops[domain][0]:
            return self._hops[domain][1]
        found = await hops(domain)
        self._hops[domain] = (now + REMEMBER_SECONDS, found)
        return found

    async def take(self, hop: Hop, address: str) -> Session | None:
        """Return a connection that rests, if it is still open."""
        while some := self._resting.get((hop, address)):
            session = some.pop()
            self._count -= 1
            fresh = self._clock() - session.idle_since < REST_SECONDS
            if fresh and session.is_open:
                session.client.dialogue.again()
                session.client.dialogue.note("(the connection was used before)")
                return session
            await session.close()
        self._resting.pop((hop, address), None)
        return None

    async def put(self, session: Session) -> None:
        """Let a connection rest, or close it when it has done enough."""
        used_up = session.messages >= settings.MAILHOST_OUTBOUND_MESSAGES_PER_CONNECTION
        if used_up or not session.is_open or self._count >= MOST_RESTING:
            await session.close()
            return
        session.idle_since = self._clock()
        self._resting.setdefault((session.hop, session.address), []).append(session)
        self._count += 1

    async def tidy(self, *, everything: bool = False) -> None:
        """Close what has rested long enough."""
        now, old = self._clock(), list[Session]()
        self._hops = {k: v for k, v in self._hops.items() if now < v[0]}
        for key, some in list(self._resting.items()):
            gone = [s for s in some if everything or now - s.idle_since >= REST_SECONDS]
            kept = [s for s in some if s not in gone]
            self._resting[key] = kept
            if not kept:
                del self._resting[key]
            old += gone
        self._count -= len(old)
        await asyncio.gather(*(session.close() for session in old))
