"""ClamAV: clamd finds a virus. It speaks INSTREAM over its socket."""

import asyncio
import contextlib

from django.conf import settings
from typing_extensions import override

from mailhost.environment import endpoint
from mailhost.screening.checks.base import Check
from mailhost.screening.values import Action, Finding, Incoming

PORT = 3310
PIECE = 65_536  # octets
MOST_ANSWER = 4096  # octets


class ClamAvError(Exception):
    """clamd says that it could not look."""


class ClamAv(Check):
    """Refuses what clamd finds something in."""

    name = "clamav"

    @override
    def is_on(self) -> bool:
        return bool(settings.MAILHOST_CLAMAV)

    @override
    async def look(self, incoming: Incoming) -> Finding | None:
        answer = await scan(settings.MAILHOST_CLAMAV, incoming.octets)
        verdict = answer.removeprefix("stream:").strip()
        if verdict == "OK":
            return None
        if not verdict.endswith(" FOUND"):
            raise ClamAvError(verdict[:200] or "clamd closed the connection")
        virus = verdict.removesuffix(" FOUND")
        reason = f"It holds a virus ({virus})"
        return self.found(100.0, reason, Action.REFUSE, is_harm=True)


async def scan(where: str, octets: bytes) -> str:
    """Return clamd's answer; raises OSError."""
    if "/" in where:
        reader, writer = await asyncio.open_unix_connection(where)
    else:
        reader, writer = await asyncio.open_connection(*endpoint(where, PORT))
    try:
        writer.write(b"zINSTREAM\0")
        # It may stop listening over its own limit; then its answer says so.
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(octets), PIECE):
                piece = octets[start : start + PIECE]
                writer.write(len(piece).to_bytes(4, "big") + piece)
                await writer.drain()
            writer.write(b"\0\0\0\0")
            await writer.drain()
        answer = await reader.read(MOST_ANSWER)
    finally:
        writer.close()
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")
