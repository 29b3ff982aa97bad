"""Raw DEFLATE both ways, for connections that mostly rest. RFC 1951; RFC 4978 §3.

zlib's own state takes 45 KB for what comes in and 40 KB for what goes out. Only the
few streams that were used last keep it. Another is held as what a new state can be made
of: the last octets that came in, packed; going out it needs nothing, since each flush
ends at a whole octet and what follows need not refer to what was before.
"""

import zlib
from collections import OrderedDict

WINDOW = 32_768  # octets that a compressed octet can refer back to
MOST_AWAKE = 64  # streams of this process whose zlib state is kept
PIECE = 65_536  # octets inflated at once
# The fastest settings that pack IMAP as well as zlib's defaults do: it costs 32 KB, not
# 256. What a client chooses is its own: what comes in always needs the whole window.
LEVEL, OUT_BITS, OUT_MEMORY = 2, -12, 5
IN_BITS = -15
# How many octets may come out of one that came in, beyond what is given to all.
MOST_RATIO = 100
GIVEN = 256 * 1024 * 1024

MOST_BEHIND = 65_536  # octets taken behind the last block, before they are wanted

# A last, stored block of eight octets. It reads as them only where no block is open.
MARK = b"\x9b\x07IMAP\xf1\x00"
PROBE = b"\x01\x08\x00\xf7\xff" + MARK

_awake: "OrderedDict[Deflate, None]" = OrderedDict()


class Broken(Exception):
    """What came in is no DEFLATE, or unfolds to far too much."""


class Deflate:
    """The two streams of one connection. Used on one thread."""

    __slots__ = (
        "_came", "_history", "_in", "_out", "_packed", "_unfolded", "ended", "tail",
    )  # fmt: skip

    def __init__(self) -> None:
        """Hold nothing until there is something to hold."""
        self._in: zlib._Decompress | None = None
        self._out: zlib._Compress | None = None
        self._history = b""  # the end of what was inflated, while awake
        self._packed = b""  # the same, asleep
        self._came = 0  # octets, as they were sent
        self._unfolded = 0  # octets that they became
        self.tail = b""  # what came in and was not looked at yet
        self.ended = False  # the client's stream is over: the tail is none of it

    def compress(self, octets: bytes | memoryview) -> bytes:
        """Return octets to send, of which the client can read all at once."""
        self._stay_awake()
        if self._out is None:
            self._out = zlib.compressobj(LEVEL, zlib.DEFLATED, OUT_BITS, OUT_MEMORY)
        return self._out.compress(octets) + self._out.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """Return the end of the stream to the client."""
        out = self._out or zlib.compressobj(LEVEL, zlib.DEFLATED, OUT_BITS, OUT_MEMORY)
        self._out = None
        return out.flush(zlib.Z_FINISH)

    def feed(self, octets: bytes) -> None:
        """Take what the client sent."""
        self.tail += octets
        self._came += len(octets)

    def inflate(self) -> bytes:
        """Return the next octets, at most PIECE; b"" if none can be read yet.

        What is left is `tail`. Raises Broken.
        """
        if self.ended:
            if len(self.tail) > MOST_BEHIND:
                raise Broken("The compressed stream is over")
            return b""
        self._stay_awake()
        stream = self._in
        if stream is None:
            self._history = zlib.decompress(self._packed) if self._packed else b""
            stream = self._in = zlib.decompressobj(IN_BITS, zdict=self._history)
        try:
            found = stream.decompress(self.tail, PIECE)
        except zlib.error:
            raise Broken("What you sent is not DEFLATE") from None
        self.ended = stream.eof
        self.tail = stream.unused_data if stream.eof else stream.unconsumed_tail
        self._unfolded += len(found)
        if self._unfolded > GIVEN + MOST_RATIO * self._came:
            raise Broken("What you sent unfolds to too much")
        self._history = (self._history + found)[-WINDOW:]
        return found

    def close(self) -> None:
        """Give up what is held."""
        _awake.pop(self, None)
        self._in = self._out = None

    def _stay_awake(self) -> None:
        if self in _awake:
            _awake.move_to_end(self)
            return
        _awake[self] = None
        if len(_awake) > MOST_AWAKE:
            longest, _ = _awake.popitem(last=False)
            longest.sleep()

    def sleep(self) -> None:
        """Let zlib's state go, as far as a new one can go on from here.

        Where the client left a block open (it flushed partially), its side stays.
        """
        self._out = None
        if self._in is None or self.tail or not _between_blocks(self._in):
            return
        self._packed = zlib.compress(self._history, 1)
        self._in, self._history = None, b""


def _between_blocks(stream: "zlib._Decompress") -> bool:
    probed = stream.copy()
    try:
        return probed.decompress(PROBE) == MARK and probed.eof
    except zlib.error:
        return False
