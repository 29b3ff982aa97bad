"""Messages on their way out: one chunk whole, a larger one piece by piece.

Clients ask for one message after the other, so the next ones are read while the client
takes this one: RETR then waits for no query.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from mailhost.mime.headers import block_end
from mailhost.mime.surrogate import surrogate
from mailhost.store import read
from mailhost.store.errors import NoSuchMessage
from mailhost.store.gate import gate
from mailhost.store.reading import NotBrief
from protocols.pop3.actions import Fetch
from protocols.pop3.errors import Refused
from protocols.pop3.stuffing import Dots, Top

CHUNK = 256 * 1024  # octets of a message at a time: the store's own chunks
AHEAD_OCTETS = 64 * 1024  # read and not asked for yet
AHEAD_MOST = 8  # messages


def begin(action: Fetch) -> bytes:
    """Return the first octets of a message. Raises Revoked, NoSuchMessage, Refused."""
    action.standing.check_now_and_then()
    octets = read.octet_range(action.content_id, 0, CHUNK)
    if len(octets) < min(action.size, CHUNK):
        raise NoSuchMessage("This message is gone")
    return fit(action, octets)


def fit(action: Fetch, octets: bytes) -> bytes:
    """Return the first octets as this client can read them. Raises Refused.

    RFC 6856 §2.1
    """
    if action.raw_headers == "send" or octets.isascii():
        return octets
    end = block_end(octets, 0, len(octets))
    if octets[:end].isascii():
        return octets
    if action.raw_headers == "refuse":
        raise Refused("This message wants a client that says UTF8", "UTF8")
    return surrogate(octets[:end]) + octets[end:]


def whole(action: Fetch, octets: bytes) -> bytes:
    """Return the response that is a message of one chunk."""
    dots = Dots()
    text = octets if action.lines is None else Top(action.lines).feed(octets)
    return b"".join((action.first, dots.feed(text), dots.end()))


async def pieces(action: Fetch, octets: bytes) -> AsyncIterator[bytes]:
    """Yield the response piece by piece; `octets` are what `begin` gave."""
    yield action.first
    dots = Dots()
    top = None if action.lines is None else Top(action.lines)
    start = 0
    while True:
        start += len(octets)
        yield dots.feed(octets if top is None else top.feed(octets))
        if start >= action.size or (top is not None and top.done):
            break
        octets = await gate.read(
            read.octet_range, action.content_id, start, start + CHUNK
        )
        if not octets:
            raise EOFError(f"content {action.content_id} ends at {start}")
    yield dots.end()


@dataclass(slots=True)
class Ahead:
    """Messages that were read before they were asked for."""

    _held: dict[int, bytes] = field(default_factory=dict)  # by content

    def take(self, action: Fetch) -> bytes | None:
        """Return the message if it is here, and it need not be asked who asks.

        Raises Refused.
        """
        octets = self._held.pop(action.content_id, None)
        if octets is None or action.standing.is_due:
            return None
        return fit(action, octets)

    def look(self, following: Sequence[tuple[int, int]]) -> None:
        """Read the (content, size) that come next, if that is done at once."""
        if not following or following[0][0] in self._held:
            return
        some, octets = [], 0
        for content_id, size in following:
            octets += size
            if octets > AHEAD_OCTETS:
                break
            some.append(content_id)
        try:
            self._held = gate.glance(read.whole_contents, some) if some else {}
        except NotBrief:
            self._held = {}
